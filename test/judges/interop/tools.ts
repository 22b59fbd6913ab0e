// Puts the foreign clients that npm does not have into .cache/interop: grpcurl and h2spec, from the Go module proxy, Python with
// grpcio, stubs of our services and hpack, the Go programs of the folder `go`, and the judges of OpenAPI documents. A second run
// finds everything in place.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cache, install, once, root } from "./cache.js";
import { buildGoPrograms } from "./go-programs.js";
import { installJudges } from "./openapi/tools.js";

const h2specModule = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";
const grpcurlModule = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

export const h2spec: string = join(cache, "h2spec", "h2spec");
export const grpcurl: string = join(cache, "go", "grpcurl");
export const python: string = join(cache, "python", "bin", "python");
/** Modules for Python, generated from our proto files. */
export const stubs: string = join(cache, "stubs");

/** Folders that our proto files and their imports are found in. */
export const importPaths: readonly string[] = ["proto", "test/proto", "node_modules/google-gax/build/protos"];
export const protoFiles: readonly string[] = ["hello_world.proto", "manywire/test/v1/test.proto"];

/** Installs and generates what is missing. Rejects with an Error that names the missing or failing program. */
export async function installTools(): Promise<void> {
  const requirements = join(root, "test/judges/interop/requirements.txt");
  await Promise.all([
    installGoProgram("go", grpcurlModule),
    installGoProgram("h2spec", h2specModule),
    once("python", `${root}\n${readFileSync(requirements, "utf8")}`, async (folder) => {
      await install("python3", ["-m", "venv", folder]);
      const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
      await install(python, ["-m", "pip", "install", ...quiet, "--requirement", requirements]);
    }),
    buildGoPrograms(),
    installJudges(),
  ]);
  await generateStubs();
}

function installGoProgram(name: string, module: string): Promise<void> {
  return once(name, module, async (folder) => {
    const env = { ...process.env, GOBIN: folder, GOFLAGS: "", GO111MODULE: "on" };
    await install("go", ["install", module], { env });
  });
}

/** google.api comes as a Python package of its own; all other imports are ours. */
async function generateStubs(): Promise<void> {
  rmSync(stubs, { recursive: true, force: true });
  mkdirSync(stubs, { recursive: true });
  const paths = importPaths.map((path) => `--proto_path=${join(root, path)}`);
  const outputs = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
  await install(python, ["-m", "grpc_tools.protoc", ...paths, ...outputs, ...protoFiles]);
}
