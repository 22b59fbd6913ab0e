// The program that protobuf's conformance suite starts: it reads requests from standard input, each after its length in four
// bytes, and writes responses to standard output.
// https://github.com/protocolbuffers/protobuf/blob/v33.2/conformance/README.md
import { readFileSync, readSync, writeSync } from "node:fs";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { codecs } from "./codecs.js";
import { descriptorFile } from "./setup.js";

/** WireFormat, in conformance.proto. */
const format = { binary: 1, json: 2 };
/** TestCategory, in conformance.proto. */
const ignoresUnknown = 3;

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorFile)));
const requestDesc = message("conformance.ConformanceRequest");
const responseDesc = message("conformance.ConformanceResponse");
const codec = codecs[/** @type {keyof typeof codecs} */ (process.argv[2])];

for (let request = readMessage(); request !== undefined; request = readMessage()) {
  // The fields have the types of conformance.proto, which a descriptor that is read at run time does not tell.
  const found = /** @type {any} */ (fromBinary(requestDesc, request));
  writeMessage(toBinary(responseDesc, create(responseDesc, { result: respond(found) })));
}

/**
 * @param {{ messageType: string, payload: { case?: string, value?: any }, requestedOutputFormat: number, testCategory: number }} request
 * @returns {{ case: string, value: unknown }} the case of ConformanceResponse.result
 */
function respond({ messageType, payload, requestedOutputFormat, testCategory }) {
  if (messageType === "conformance.FailureSet") return { case: "protobufPayload", value: new Uint8Array() };
  const isBinary = payload.case === "protobufPayload";
  if (!isBinary && payload.case !== "jsonPayload") return { case: "skipped", value: `no ${payload.case}` };
  if (requestedOutputFormat !== format.binary && requestedOutputFormat !== format.json) {
    return { case: "skipped", value: `no format ${requestedOutputFormat}` };
  }
  const { readBinary, readJson, writeBinary, writeJson } = codec(message(messageType), {
    registry,
    ignoreUnknownFields: testCategory === ignoresUnknown,
  });
  let parsed;
  try {
    parsed = isBinary ? readBinary(payload.value) : readJson(payload.value);
  } catch (error) {
    return { case: "parseError", value: String(error) };
  }
  try {
    return requestedOutputFormat === format.binary
      ? { case: "protobufPayload", value: writeBinary(parsed) }
      : { case: "jsonPayload", value: writeJson(parsed) };
  } catch (error) {
    return { case: "serializeError", value: String(error) };
  }
}

/** @param {string} typeName */
function message(typeName) {
  const desc = registry.getMessage(typeName);
  if (desc === undefined) throw new Error(`${typeName}: not in ${descriptorFile}`);
  return desc;
}

/** @returns {Buffer | undefined} undefined at the end of the input */
function readMessage() {
  const length = read(4);
  return length === undefined ? undefined : read(length.readUInt32LE());
}

/** @param {number} size @returns {Buffer | undefined} undefined if the input ends before */
function read(size) {
  const bytes = Buffer.alloc(size);
  for (let position = 0; position < size; ) {
    const count = readSync(0, bytes, position, size - position, null);
    if (count === 0) return undefined;
    position += count;
  }
  return bytes;
}

/** @param {Uint8Array} bytes */
function writeMessage(bytes) {
  const framed = Buffer.alloc(4 + bytes.length);
  framed.writeUInt32LE(bytes.length);
  framed.set(bytes, 4);
  for (let position = 0; position < framed.length; ) position += writeSync(1, framed, position);
}
