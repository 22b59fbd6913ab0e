// The services that are called, Greeter and BenchService, as descriptors of protobuf-es.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import protobufjs from "protobufjs";

/** @typedef {import("@bufbuild/protobuf").DescService} DescService */
/** @typedef {{ Greeter: DescService, BenchService: DescService }} Schema */

/** The root of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
/** Where a run keeps its files; git ignores it. */
export const cacheFolder = join(root, ".cache", "bench");

/** Where proto files are found. */
export const includeDirs = ["proto", "test/bench", "test/proto", "node_modules/google-gax/build/protos"].map((path) =>
  join(root, path),
);

const imageFile = join(cacheFolder, "bench.binpb");

/** Compiles bench.proto. To be called once, before `loadSchema` in any process. */
export function compileSchema() {
  mkdirSync(cacheFolder, { recursive: true });
  runBuf("build", "test/bench", "-o", imageFile);
}

/** @param {string[]} args with paths from the root */
export function runBuf(...args) {
  execFileSync(join(root, "node_modules/.bin/buf"), args, { cwd: root, stdio: "inherit" });
}

/**
 * @param {string} dist folder of the built package
 * @returns {Promise<Schema>}
 */
export async function loadSchema(dist) {
  const { Greeter } = await importFrom(dist, "gen/hello_world_pb.js");
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(imageFile)));
  const BenchService = registry.getService("manywire.bench.v1.BenchService");
  if (BenchService === undefined) throw new Error(`${imageFile}: expected manywire.bench.v1.BenchService, found none`);
  return { Greeter, BenchService };
}

/** The types of bench.proto, as protobufjs has them. */
export function loadProtobufjs() {
  const types = new protobufjs.Root();
  types.resolvePath = (_, target) => includeDirs.map((folder) => join(folder, target)).find(existsSync) ?? null;
  return types.loadSync("bench.proto");
}

/**
 * Imports a file of the built package.
 * @param {string} dist
 * @param {string} file
 */
export function importFrom(dist, file) {
  return import(pathToFileURL(join(dist, file)).href);
}
