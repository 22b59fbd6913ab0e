// tonic, built from the folder `rust`.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, runBuf } from "../schema.js";

const sources = fileURLToPath(new URL("rust", import.meta.url));
const folder = join(cacheFolder, "rust");

export const rustServer = [join(folder, "release", "bench")];

/** @type {import("./foreign.js").Toolchain} */
export const rust = { program: "cargo", build, versions };

function build() {
  // Descriptors in place of proto files, which tonic's generator would need protoc for.
  const descriptors = {
    greeter: join(cacheFolder, "rust-greeter.binpb"),
    bench: join(cacheFolder, "rust-bench.binpb"),
  };
  writeDescriptors(descriptors.greeter, "--path", "proto/hello_world.proto");
  writeDescriptors(descriptors.bench, "test/bench");
  const env = { ...process.env, DESCRIPTORS: `${descriptors.greeter}:${descriptors.bench}` };
  const options = ["--release", "--locked", "--quiet", "--target-dir", folder];
  execFileSync("cargo", ["build", ...options], { cwd: sources, env, stdio: "inherit" });
}

/**
 * Leaves a file that is right as it is: cargo builds anew when it is younger than the program.
 * @param {string} file
 * @param {string[]} args
 */
function writeDescriptors(file, ...args) {
  const made = `${file}.new.binpb`;
  runBuf("build", ...args, "-o", made);
  if (existsSync(file) && readFileSync(file).equals(readFileSync(made))) rmSync(made);
  else renameSync(made, file);
}

function versions() {
  const lock = readFileSync(join(sources, "Cargo.lock"), "utf8");
  return { tonic: /name = "tonic"\nversion = "(.*)"/.exec(lock)?.[1] ?? "unknown" };
}
