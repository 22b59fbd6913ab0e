// Times the first call of a type, which writes and compiles the code for it. Prints JSON.
//
//   node test/bench/codec-first-call.js DIST
import { create, createFileRegistry, fromJson, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { importFrom } from "./schema.js";
import { median } from "./statistics.js";

/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */

/** @typedef {{ first: number, median: number }} Times milliseconds for the first type of a process, and the median of others */
/** @typedef {{ fields: number, binaryMs: Times, jsonMs: Times }} FirstCall request and response of the first call of a type */

const [dist = "dist"] = process.argv.slice(2);
const { createBinaryCodec } = await importFrom(dist, "server/codec/binary.js");
const { createJsonDecoder } = await importFrom(dist, "server/codec/json-read.js");
const { createJsonBytesEncoder } = await importFrom(dist, "server/codec/json-write.js");

const fields = 100;
/** Equal types by different names, so that each has code of its own. */
const types = 15;

/** Kinds of fields that take turns. @type {object[]} */
const kinds = [
  { type: "TYPE_STRING" },
  { type: "TYPE_INT64" },
  { type: "TYPE_DOUBLE" },
  { type: "TYPE_INT32", label: "LABEL_REPEATED" },
  { type: "TYPE_MESSAGE", typeName: ".wide.Part" },
  { type: "TYPE_STRING", label: "LABEL_REPEATED" },
  { type: "TYPE_BOOL" },
  { type: "TYPE_MESSAGE", typeName: ".wide.Part", label: "LABEL_REPEATED" },
  { type: "TYPE_BYTES" },
  { type: "TYPE_UINT32" },
];

function loadTypes() {
  const wide = Array.from({ length: types }, (_, index) => ({
    name: `Wide${index}`,
    field: Array.from({ length: fields }, (_, at) => ({
      ...{ name: `field_${at}`, jsonName: `field${at}`, number: at + 1, label: "LABEL_OPTIONAL" },
      ...kinds[at % kinds.length],
    })),
  }));
  const part = {
    name: "Part",
    field: [{ name: "text", jsonName: "text", number: 1, label: "LABEL_OPTIONAL", type: "TYPE_STRING" }],
  };
  const file = { name: "wide.proto", package: "wide", syntax: "proto3", messageType: [part, ...wide] };
  const registry = createFileRegistry(fromJson(FileDescriptorSetSchema, { file: [file] }));
  return wide.map(({ name }) => /** @type {DescMessage} */ (registry.getMessage(`wide.${name}`)));
}

/** @param {DescMessage} desc */
function timeBinary(desc) {
  const bytes = toBinary(desc, create(desc, { field0: "text", field3: [1, 2] }));
  return time(() => {
    const codec = createBinaryCodec(desc);
    codec.encode(codec.decode(bytes), 0);
  });
}

/** @param {DescMessage} desc */
function timeJson(desc) {
  const bytes = Buffer.from(toJsonString(desc, create(desc, { field0: "text", field3: [1, 2] })));
  return time(() => createJsonBytesEncoder(desc, {})(createJsonDecoder(desc, {})(bytes), 0));
}

/** @param {() => unknown} run @returns {number} milliseconds of processor time */
function time(run) {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** @param {number[]} times @returns {Times} */
function summarize([first = Number.NaN, ...others]) {
  return { first, median: median(others) };
}

const times = loadTypes().map((desc) => ({ binary: timeBinary(desc), json: timeJson(desc) }));
/** @type {FirstCall} */
const result = {
  fields,
  binaryMs: summarize(times.map(({ binary }) => binary)),
  jsonMs: summarize(times.map(({ json }) => json)),
};
process.stdout.write(JSON.stringify(result));
