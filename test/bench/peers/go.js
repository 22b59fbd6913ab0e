// The servers in Go, built from the folder `go` with the code that Go's own generators make of our proto files.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, runBuf } from "../schema.js";

const sources = fileURLToPath(new URL("go", import.meta.url));
const folder = join(cacheFolder, "go");

/** @param {"grpc" | "connect" | "vanguard" | "vanguard-proxy" | "gateway"} kind */
export const goProgram = (kind) => [join(folder, "bin", "bench"), kind];

/** @type {import("./foreign.js").Toolchain} */
export const go = { program: "go", build, versions };

function build() {
  const gen = join(folder, "gen");
  mkdirSync(gen, { recursive: true });
  writeFileSync(join(gen, "go.mod"), "module manywire.test/bench/gen\n\ngo 1.26.0\n");
  const env = { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "-mod=readonly", GOWORK: "off" };
  const runGo = (/** @type {string[]} */ ...args) => execFileSync("go", args, { cwd: sources, env, stdio: "inherit" });
  runGo("install", "tool");
  const template = ["--template", join(sources, "buf.gen.yaml")];
  runBuf("generate", "--path", "proto/hello_world.proto", ...template);
  runBuf(
    "generate",
    "--path",
    "test/bench/bench.proto",
    "--path",
    "test/proto/manywire/test/codec/v1/book.proto",
    ...template,
  );
  runGo("install", "./...");
}

function versions() {
  const text = readFileSync(join(sources, "go.mod"), "utf8");
  const versionOf = (/** @type {string} */ module) => new RegExp(`${module} v(\\S+)`).exec(text)?.[1] ?? "unknown";
  return {
    "grpc-go": versionOf("google.golang.org/grpc"),
    "connect-go": versionOf("connectrpc.com/connect"),
    "vanguard-go": versionOf("connectrpc.com/vanguard"),
    "grpc-gateway": versionOf("github.com/grpc-ecosystem/grpc-gateway/v2"),
  };
}
