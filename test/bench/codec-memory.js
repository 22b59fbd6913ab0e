// Measures what the compiled code of a large API takes: the more than 1,000 types of google.cloud.compute.v1, from npm.
// Prints JSON.
//
//   node --expose-gc test/bench/codec-memory.js DIST
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { cacheFolder, importFrom, root } from "./schema.js";

/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */

const version = "7.8.0";
const api = "google.cloud.compute.v1";
const folder = join(cacheFolder, `compute-${version}`);
const image = join(folder, "compute.binpb");
const modules = `version: v2
modules:
  - path: node_modules/@google-cloud/compute/build/protos
  - path: node_modules/google-gax/build/protos
    includes:
      - node_modules/google-gax/build/protos/google/api
`;
const protoFile = "node_modules/@google-cloud/compute/build/protos/google/cloud/compute/v1/compute.proto";

/**
 * @typedef {object} CodeMemory bytes of heap
 * @property {string} api
 * @property {number} types how many it has
 * @property {number} preparedBytes of the codecs of all types, before any call
 * @property {number} serviceBytes that a call of each method of the service Instances adds
 * @property {number} allBytes of the codecs of all types, after each was read and written
 */

const [dist = "dist"] = process.argv.slice(2);
const { createBinaryCodec } = await importFrom(dist, "server/codec/binary.js");
install();
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
const types = [...registry].flatMap((type) => {
  return type.kind === "message" && type.file.proto.package === api ? [type] : [];
});
// Before the start: what all types share.
use(FileDescriptorSetSchema, createBinaryCodec(FileDescriptorSetSchema));
const startBytes = heapBytes();
const codecs = new Map(types.map((desc) => [desc, createBinaryCodec(desc)]));
const preparedBytes = heapBytes() - startBytes;
const methods = registry.getService(`${api}.Instances`)?.methods ?? [];
for (const desc of new Set(methods.flatMap(({ input, output }) => [input, output]))) use(desc, codecs.get(desc));
const serviceBytes = heapBytes() - startBytes - preparedBytes;
for (const [desc, codec] of codecs) use(desc, codec);
const allBytes = heapBytes() - startBytes;
/** @type {CodeMemory} */
const result = { api, types: codecs.size, preparedBytes, serviceBytes, allBytes };
process.stdout.write(JSON.stringify(result));

/** Installs and compiles the protos, once. @throws {Error} if npm's registry cannot be reached */
function install() {
  if (existsSync(image)) return;
  mkdirSync(folder, { recursive: true });
  const options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error"];
  const npm = ["install", "--prefix", folder, ...options, `@google-cloud/compute@${version}`];
  execFileSync("npm", npm, { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(join(folder, "buf.yaml"), modules);
  const buf = join(root, "node_modules/.bin/buf");
  execFileSync(buf, ["build", "--path", protoFile, "-o", image], { cwd: folder, stdio: "inherit" });
}

/**
 * @param {DescMessage} desc
 * @param {import("../../server/codec/binary.js").BinaryCodec | undefined} codec
 */
function use(desc, codec) {
  codec?.decode(codec.encode(create(desc), 0));
}

function heapBytes() {
  for (let round = 0; round < 5; round++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
