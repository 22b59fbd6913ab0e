// Puts the foreign clients that npm does not have into .cache/interop: grpcurl, from the Go module proxy, and Python with
// grpcio and stubs of our services. Git ignores the folder; a second run finds everything in place.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf } from "../foreign/program.js";

const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));
const cache = join(root, ".cache", "interop");

export const grpcurl: string = join(cache, "go", "grpcurl");
export const python: string = join(cache, "python", "bin", "python");
/** Modules for Python, generated from our proto files. */
export const stubs: string = join(cache, "stubs");

/** Folders that our proto files and their imports are found in. */
export const importPaths: readonly string[] = ["proto", "test/proto", "node_modules/google-gax/build/protos"];
export const protoFiles: readonly string[] = ["hello_world.proto", "manywire/test/v1/test.proto"];

// An installation from nothing compiles grpcurl and its dependencies.
const limitMs = 10 * 60_000;

/** Installs and generates what is missing. Rejects with an Error that names the missing or failing program. */
export async function installTools(): Promise<void> {
  const requirements = join(root, "test/interop/requirements.txt");
  await Promise.all([
    once("go", grpcurlModule, async (folder) => {
      const env = { ...process.env, GOBIN: folder, GOFLAGS: "", GO111MODULE: "on" };
      await install("go", ["install", grpcurlModule], env);
    }),
    once("python", `${root}\n${readFileSync(requirements, "utf8")}`, async (folder) => {
      await install("python3", ["-m", "venv", folder]);
      const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
      await install(python, ["-m", "pip", "install", ...quiet, "--requirement", requirements]);
    }),
  ]);
  await generateStubs();
}

/** Fills a folder of the cache, unless it is there and was made for the same `stamp`. */
async function once(name: string, stamp: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(cache, name);
  const stampFile = join(cache, `${name}.stamp`);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await fill(folder);
  writeFileSync(stampFile, stamp);
}

/** google.api comes as a Python package of its own; all other imports are ours. */
async function generateStubs(): Promise<void> {
  rmSync(stubs, { recursive: true, force: true });
  mkdirSync(stubs, { recursive: true });
  const paths = importPaths.map((path) => `--proto_path=${join(root, path)}`);
  const outputs = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
  await install(python, ["-m", "grpc_tools.protoc", ...paths, ...outputs, ...protoFiles]);
}

async function install(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  try {
    await outputOf(command, args, { env, limitMs });
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (!isMissing) throw error;
    throw new Error(`${command}: not found on the PATH; the interop tests need Go 1.21 and Python 3.10, or newer`, {
      cause: error,
    });
  }
}
