// Builds the programs of the folder `go` into .cache/interop/go-clients, with the code that Go's own generators make of our
// proto files. All versions are those of go.mod, the generators' too.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { cache, install, once, root } from "./cache.js";

const sources = join(root, "test/judges/interop/go");
const folder = join(cache, "go-clients");
const protoFiles = ["proto/hello_world.proto", "test/proto/manywire/test/v1/test.proto"];

/** Calls by grpc-go. */
export const goClient: string = join(folder, "bin", "client");
/** Puts grpc-gateway in front of a server. */
export const gateway: string = join(folder, "bin", "gateway");
/** Serves a descriptor set with reflection. */
export const reflected: string = join(folder, "bin", "reflected");

/** Rejects with an Error that names the missing or failing program. */
export async function buildGoPrograms(): Promise<void> {
  const generated = join(folder, "gen");
  const go = (...args: string[]) =>
    install("go", args, {
      cwd: sources,
      env: { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "-mod=readonly", GOWORK: "off", GO111MODULE: "on" },
    });
  await once("go-clients", stamp(), async () => {
    mkdirSync(generated);
    writeFileSync(join(generated, "go.mod"), "module manywire.test/gen\n\ngo 1.26.0\n");
    await go("install", "tool");
    const paths = protoFiles.flatMap((file) => ["--path", file]);
    const buf = join(root, "node_modules/.bin/buf");
    await install(buf, ["generate", ...paths, "--template", join(sources, "buf.gen.yaml")], { cwd: root });
    await go("install", "./...");
  });
}

/** The text of every file that the programs are made of. */
function stamp(): string {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((name) => extname(name) !== "");
  const paths = [...files.sort().map((name) => join(sources, name)), ...protoFiles.map((file) => join(root, file))];
  return paths.map((path) => readFileSync(path, "utf8")).join("\n");
}
