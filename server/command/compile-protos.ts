// Compiles a folder of proto files with whichever compiler there is: buf, protoc, or the one of Python's grpcio-tools.
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SettingError } from "../program/setting-error.js";

const run = promisify(execFile);

/** What a compilation starts from. Paths are absolute. */
interface Sources {
  readonly folder: string;
  /** Names of the files, relative to the folder. */
  readonly files: readonly string[];
  /** The folder of Google's files. */
  readonly google: string;
  /** An empty folder to work in. */
  readonly scratch: string;
  /** Where the descriptor set goes. */
  readonly output: string;
}

interface Compiler {
  readonly program: string;
  readonly compile: (program: string, sources: Sources) => Promise<unknown>;
}

const compilers: readonly Compiler[] = [
  { program: "buf", compile: compileWithBuf },
  { program: "protoc", compile: (program, sources) => run(program, protocArguments(sources)) },
  {
    program: "python3",
    compile: (program, sources) => run(program, ["-m", "grpc_tools.protoc", ...protocArguments(sources)]),
  },
];

/**
 * Returns the folder's files and their imports as a serialised `google.protobuf.FileDescriptorSet`, comments included. Google's
 * own files need not be in the folder.
 *
 * @param name of the setting, for errors
 * @throws SettingError if there is no compiler, or it finds mistakes
 */
export async function compileProtos(path: string, name: string): Promise<Uint8Array> {
  const scratch = mkdtempSync(join(tmpdir(), "manywire-"));
  try {
    const folder = resolve(path);
    const files = listProtos(folder, `${name}: ${path}`);
    const sources = { folder, files, google: googleProtos(), scratch, output: join(scratch, "set.binpb") };
    await compile(sources, `${name}: ${path}`);
    return readFileSync(sources.output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compile(sources: Sources, place: string): Promise<void> {
  for (const { program, compile } of compilers) {
    const found = findProgram(program);
    if (found === undefined || (program === "python3" && !(await hasGrpcTools(found)))) continue;
    try {
      await compile(found, sources);
      return;
    } catch (error) {
      throw new SettingError(
        `${place}: ${program} says: ${outputOf(error).trim().replaceAll("\n", `\n${place}: `)}`,
        1,
      );
    }
  }
  const wanted = "`npm install @bufbuild/buf`, protoc, or `pip install grpcio-tools`";
  throw new SettingError(`${place}: expected a compiler of proto files, found none; install one: ${wanted}`, 1);
}

function listProtos(folder: string, place: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new SettingError(`${place}: no such folder`, 1);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".proto") && !file.includes("node_modules"),
  );
  if (files.length === 0) throw new SettingError(`${place}: expected .proto files, found none`, 1);
  return files;
}

/** The folder of the package that has `google/api/annotations.proto`: beside the compiled program, or in its build. */
function googleProtos(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const folders = [join(here, "../../proto"), join(here, "../../dist/proto")];
  return folders.find((folder) => existsSync(join(folder, "google/api/annotations.proto"))) ?? (folders[0] as string);
}

/** In the packages of the working directory, then on the PATH. */
function findProgram(program: string): string | undefined {
  const folders = [resolve("node_modules/.bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

async function hasGrpcTools(python: string): Promise<boolean> {
  return run(python, ["-c", "import grpc_tools.protoc"]).then(
    () => true,
    () => false,
  );
}

function protocArguments({ folder, files, google, output }: Sources): string[] {
  return ["-I", folder, "-I", google, "--include_imports", "--include_source_info", "-o", output, ...files];
}

/** buf compiles what lies in one folder: a copy of the files, and of those of Google that they do not have themselves. */
async function compileWithBuf(program: string, { folder, files, google, scratch, output }: Sources): Promise<void> {
  const own = new Set(files);
  const copy = (from: string, to: string, names: readonly string[]) => {
    for (const name of names) {
      mkdirSync(dirname(join(scratch, to, name)), { recursive: true });
      cpSync(join(from, name), join(scratch, to, name));
    }
  };
  copy(folder, "own", files);
  copy(
    google,
    "google",
    listProtos(google, google).filter((name) => !own.has(name)),
  );
  writeFileSync(join(scratch, "buf.yaml"), "version: v2\nmodules:\n  - path: own\n  - path: google\n");
  await run(program, ["build", "--as-file-descriptor-set", "-o", output], { cwd: scratch });
}

function outputOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return stderr === undefined || stderr === "" ? message : stderr;
}
