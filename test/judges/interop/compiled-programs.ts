// Builds servers with reflection in Java and Rust. That takes a minute, so it is done only where all judges are asked for.
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cache, install, once, root } from "./cache.js";

const sources = join(root, "test/judges/interop");
const textOf = (...names: string[]) => names.map((name) => readFileSync(join(sources, name), "utf8")).join("\n");

/** Whether all judges are asked for. */
export const wantsAll: boolean = process.env.MANYWIRE_JUDGES === "all";

/** Builds by Maven's libraries. Resolves to the command of a server of grpc-java, without the descriptor set. */
export async function buildJava(): Promise<readonly string[]> {
  const folder = join(cache, "java-reflected");
  const [classes, libraries] = [join(folder, "classes"), join(folder, "lib")];
  await once("java-reflected", textOf("java/pom.xml", "java/Reflected.java"), async () => {
    const pom = join(sources, "java/pom.xml");
    await install("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${libraries}`]);
    await install("javac", ["-d", classes, "-cp", join(libraries, "*"), join(sources, "java/Reflected.java")]);
  });
  return ["java", "-cp", [classes, join(libraries, "*")].join(delimiter), "Reflected"];
}

/** Builds by cargo. Resolves to the command of a server of tonic, without the descriptor set. */
export async function buildRust(): Promise<readonly string[]> {
  const folder = join(cache, "rust-reflected");
  await once("rust-reflected", textOf("rust/Cargo.toml", "rust/Cargo.lock", "rust/src/main.rs"), async () => {
    const manifest = join(sources, "rust/Cargo.toml");
    await install("cargo", ["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", folder]);
  });
  return [join(folder, "debug", "reflected")];
}
