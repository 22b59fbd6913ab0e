// Encodes an error detail as the JSON of a google.protobuf.Any and back. Keeps the bytes of unknown types.
import {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { isJsonObject } from "../../codec/json-facts.js";
import { createJsonEncoder } from "../../codec/json-write.js";
import { attempt } from "../attempt.js";

type Detail = ConnectError["details"][number];

const typePrefix = "type.googleapis.com/";

/**
 * A detail of an unknown type, or an invalid one, becomes `{"@type":…,"value":"<base64>"}`. Never throws.
 *
 * @returns undefined if the detail is not a valid message of its type
 */
export function encodeDetail(detail: Detail, types: Registry): JsonObject | undefined {
  if (!("desc" in detail)) {
    const desc = types.getMessage(detail.type);
    const known = desc && attempt(() => anyJson(desc, fromBinary(desc, detail.value), types));
    return known ?? opaque(detail.type, detail.value);
  }
  const { desc, value } = detail;
  const known = attempt(() => anyJson(desc, create(desc, value), types));
  return known ?? attempt(() => opaque(desc.typeName, toBinary(desc, create(desc, value))));
}

function anyJson(desc: DescMessage, message: Message, registry: Registry): JsonObject {
  const json: JsonValue = JSON.parse(createJsonEncoder(desc, { registry, compiles: false })(message));
  const own = hasCustomJsonRepresentation(desc) ? { value: json } : (json as JsonObject);
  return { "@type": `${typePrefix}${desc.typeName}`, ...own };
}

function opaque(typeName: string, value: Uint8Array): JsonObject {
  return { "@type": `${typePrefix}${typeName}`, value: base64Encode(value) };
}

/** @returns undefined if it is not an Any, or is JSON of an unknown type */
export function decodeDetail(json: JsonValue, types: Registry): Detail | undefined {
  if (!isJsonObject(json)) return undefined;
  const { "@type": url, ...own } = json;
  if (typeof url !== "string") return undefined;
  const type = url.slice(url.lastIndexOf("/") + 1);
  const desc = types.getMessage(type);
  const value = (desc && attempt(() => binaryOf(desc, own, types))) ?? bytesOf(own);
  return value && { type, value, debug: own };
}

function binaryOf(desc: DescMessage, own: JsonObject, registry: Registry): Uint8Array {
  const json = hasCustomJsonRepresentation(desc) ? (own.value ?? null) : own;
  return toBinary(desc, fromJson(desc, json, { registry, ignoreUnknownFields: true }));
}

/** The bytes of `{"value":"<base64>"}`. */
function bytesOf({ value, ...others }: JsonObject): Uint8Array | undefined {
  const isOpaque = typeof value === "string" && Object.keys(others).length === 0;
  return isOpaque ? attempt(() => base64Decode(value)) : undefined;
}
