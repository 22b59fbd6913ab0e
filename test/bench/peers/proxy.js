// manywire before a gRPC server. Run as a program, it prints its port and serves until its standard input ends.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { importFrom, loadSchema } from "../schema.js";

/** @typedef {import("@bufbuild/protobuf").DescFile} DescFile */

/**
 * @param {string} dist folder of the built package
 * @param {import("../schema.js").Schema} schema
 * @param {number} backend port of the gRPC server
 * @returns {Promise<number>} the port
 */
export async function listenProxy(dist, schema, backend) {
  const { createServer } = await importFrom(dist, "server/index.js");
  const upstream = { url: `127.0.0.1:${backend}`, descriptorSet: toDescriptorSet(schema), reflection: false };
  const server = createServer({ port: 0, routes: () => {}, upstreams: [upstream] });
  await server.listen();
  return Number(new URL(server.url).port);
}

/** @param {import("../schema.js").Schema} schema */
function toDescriptorSet(schema) {
  /** @type {Set<DescFile>} */
  const files = new Set();
  const add = (/** @type {DescFile} */ file) => {
    if (files.has(file)) return;
    file.dependencies.forEach(add);
    files.add(file);
  };
  for (const { file } of Object.values(schema)) add(file);
  // The same file can be there twice, of generated code and of the descriptors of the benchmark.
  const byName = new Map([...files].map(({ proto }) => [proto.name, proto]));
  return toBinary(FileDescriptorSetSchema, { $typeName: FileDescriptorSetSchema.typeName, file: [...byName.values()] });
}

const file = fileURLToPath(import.meta.url);

/**
 * The command of this program.
 * @param {{ node: string, dist: string }} options
 */
export const proxyProgram = ({ node, dist }) => [node, file, "--dist", dist];

if (process.argv[1] === file) {
  const { values } = parseArgs({ options: { dist: { type: "string" }, backend: { type: "string" } } });
  const { dist = "" } = values;
  process.stdout.write(`${await listenProxy(dist, await loadSchema(dist), Number(values.backend))}\n`);
  process.stdin.resume().on("end", () => process.exit());
}
