// grpcio, with the code that grpcio-tools makes of our proto file.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, root } from "../schema.js";

const sources = fileURLToPath(new URL("python", import.meta.url));
const folder = join(cacheFolder, "python");
const interpreter = join(folder, "bin", "python");
const generated = join(folder, "gen");

export const pythonServer = ["env", `PYTHONPATH=${generated}`, interpreter, join(sources, "server.py")];

/** @type {import("./foreign.js").Toolchain} */
export const python = { program: "python3", build, versions };

const readRequirements = () => readFileSync(join(sources, "requirements.txt"), "utf8");

function build() {
  const stamp = join(folder, "requirements.txt");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== readRequirements()) {
    execFileSync("python3", ["-m", "venv", folder], { stdio: "inherit" });
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
    const requirements = ["--requirement", join(sources, "requirements.txt")];
    execFileSync(interpreter, ["-m", "pip", "install", ...quiet, ...requirements], { stdio: "inherit" });
    writeFileSync(stamp, readRequirements());
  }
  mkdirSync(generated, { recursive: true });
  const paths = ["proto", "node_modules/google-gax/build/protos"].map((path) => `--proto_path=${join(root, path)}`);
  const outputs = [`--python_out=${generated}`, `--grpc_python_out=${generated}`];
  const args = ["-m", "grpc_tools.protoc", ...paths, ...outputs, "hello_world.proto"];
  execFileSync(interpreter, args, { stdio: "inherit" });
}

function versions() {
  return { grpcio: /^grpcio==(.*)$/m.exec(readRequirements())?.[1] ?? "unknown" };
}
