// Puts the Connect conformance suite into .cache/conformance: its runner, built from the Go module proxy, and JavaScript for
// the .proto files of the same Go module. Nothing of it is committed; a second call finds everything in place.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const module = "connectrpc.com/conformance";
export const suiteVersion = "v1.0.5";

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the suite, the features and the logs of the last run lie; git ignores it. */
export const cacheFolder = join(root, ".cache", "conformance");
const binaries = join(cacheFolder, "bin");
/** The suite's own program. */
export const runner = join(binaries, "connectconformance");
/** The suite's own server, which a proxy stands before. */
export const referenceServer = join(binaries, "referenceserver");
/** The suite's server on grpc-go, which a proxy stands before, too. */
export const grpcServer = join(binaries, "grpcserver");
/** The suite's own client, which calls a proxy. */
export const referenceClient = join(binaries, "referenceclient");
/** The suite's messages and services, as a FileDescriptorSet. */
export const descriptorFile = join(cacheFolder, "suite.binpb");

const generated = join(cacheFolder, "gen");
const stampFile = join(cacheFolder, "stamp");

/** Installs and generates what is missing. Throws an Error with one line for the reader when a tool is missing or fails. */
export function setUpSuite() {
  const stamp = `${module} ${suiteVersion} with its servers and client, protoc-gen-es ${pluginVersion()}\n`;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
    return;
  }
  rmSync(cacheFolder, { recursive: true, force: true });
  mkdirSync(cacheFolder, { recursive: true });
  for (const program of [runner, referenceServer, grpcServer, referenceClient]) {
    go(["install", `${module}/cmd/${basename(program)}@${suiteVersion}`], { GOBIN: binaries, GOFLAGS: "" });
  }
  const { Dir: sources } = JSON.parse(go(["mod", "download", "-json", `${module}@${suiteVersion}`]));
  generate(join(sources, "proto"));
  writeFileSync(stampFile, stamp);
}

/** @param {string} protos */
function generate(protos) {
  const template = {
    version: "v2",
    plugins: [
      {
        local: join(root, "node_modules/.bin/protoc-gen-es"),
        out: generated,
        opt: ["target=js+dts", "import_extension=js"],
      },
    ],
  };
  const buf = join(root, "node_modules/.bin/buf");
  const options = /** @type {const} */ ({ cwd: cacheFolder, stdio: "inherit" });
  execFileSync(buf, ["generate", protos, "--template", JSON.stringify(template)], options);
  execFileSync(buf, ["build", protos, "-o", descriptorFile], options);
}

/**
 * Runs go outside of any module, so that no go.mod above has a say.
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string} its standard output
 */
function go(args, env = {}) {
  try {
    const options = { cwd: cacheFolder, env: { ...process.env, GO111MODULE: "on", ...env } };
    return execFileSync("go", args, { ...options, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const cause = isMissing
      ? "go is not on the PATH; the conformance suite is built with Go 1.24 or newer"
      : "see above";
    throw new Error(`go ${args.join(" ")}: ${cause}`, { cause: error });
  }
}

function pluginVersion() {
  const manifest = createRequire(import.meta.url).resolve("@bufbuild/protoc-gen-es/package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
