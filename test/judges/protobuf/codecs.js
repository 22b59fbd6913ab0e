// What the suite judges: our codec, by code and by plans, and protobuf-es beside it.
import { fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createDecoder } from "../../../dist/server/codec/binary-read.js";
import { createStrictEncoder } from "../../../dist/server/codec/binary-write.js";
import { createJsonDecoder } from "../../../dist/server/codec/json-read.js";
import { createJsonEncoder } from "../../../dist/server/codec/json-write.js";

/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */
/** @typedef {import("@bufbuild/protobuf").Message} Message */
/** @typedef {{ registry: import("@bufbuild/protobuf").Registry, ignoreUnknownFields: boolean }} Options */

/**
 * @typedef {object} Codec
 * @property {(bytes: Uint8Array) => Message} readBinary
 * @property {(json: string) => Message} readJson
 * @property {(message: Message) => Uint8Array} writeBinary
 * @property {(message: Message) => string} writeJson
 */

/** By the names of the subjects. */
export const codecs = {
  compiled: createOwn(true),
  plans: createOwn(false),
  /** @type {(desc: DescMessage, options: Options) => Codec} */
  "protobuf-es": (desc, options) => ({
    readBinary: (bytes) => fromBinary(desc, bytes),
    readJson: (json) => fromJsonString(desc, json, options),
    writeBinary: (message) => toBinary(desc, message),
    writeJson: (message) => toJsonString(desc, message, options),
  }),
};

/**
 * @param {boolean} compiles
 * @returns {(desc: DescMessage, options: Options) => Codec}
 */
function createOwn(compiles) {
  return (desc, options) => {
    const encode = createStrictEncoder(desc, { compiles });
    const readJson = createJsonDecoder(desc, { ...options, compiles });
    return {
      readBinary: createDecoder(desc, {}, compiles),
      readJson: (json) => readJson(Buffer.from(json)),
      writeBinary: (message) => encode(message, 0),
      writeJson: createJsonEncoder(desc, { ...options, compiles }),
    };
  };
}
