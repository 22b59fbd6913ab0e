// Turns the JSON of a body into a message: the whole of it, or one field, by the rules of ProtoJSON
// (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage, JsonReadOptions, JsonValue, Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { ElementLimitError } from "../codec/element-limit.js";
import { createJsonDecoder, type JsonDecodeOptions } from "../codec/json.js";
import { badField, badRequest } from "./bad-request.js";
import { describeJsonError, findJsonFault } from "./json-fault.js";

/** Reads a body. @throws ConnectError `invalid_argument`, with the field if one is at fault */
export type JsonReader = (body: Uint8Array) => Message;

/**
 * @param field the field whose JSON the body is; undefined if it is that of the message
 * @param options as protobuf-es has them; the registry is what `google.protobuf.Any` is read with
 */
export function createJsonReader(
  desc: DescMessage,
  field: DescField | undefined,
  options: JsonDecodeOptions,
): JsonReader {
  const json = createJsonDecoder(desc, options);
  const decodeAny = (text: string) => {
    try {
      return json.decodeText(text);
    } catch (error) {
      if (error instanceof ElementLimitError) throw error;
      throw toBadRequest(desc, text, options, error);
    }
  };
  if (field === undefined) return (body) => json.decode(body) ?? decodeAny(decodeUtf8(body));
  return (body) => {
    const text = wrapField(field, decodeUtf8(body));
    return json.decode(encoder.encode(text)) ?? decodeAny(text);
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch (error) {
    throw badRequest("the body is not UTF-8", error);
  }
}

/** The JSON of a message that has the one field. The text must be JSON by itself, or it could add more fields. */
function wrapField({ jsonName }: DescField, text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${describeJsonError(error)}`, error);
  }
  return `{${JSON.stringify(jsonName)}:${text}}`;
}

function toBadRequest(
  desc: DescMessage,
  text: string,
  options: Partial<JsonReadOptions>,
  error: unknown,
): ConnectError {
  const json = tryParse(text);
  const fault = json === undefined ? undefined : findJsonFault(desc, json, options);
  if (fault === undefined || fault.path === "") {
    return badRequest(
      `the body is no JSON of ${desc.typeName}: ${fault?.description ?? describeJsonError(error)}`,
      error,
    );
  }
  return badField(fault.path, fault.description, error);
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The decoder failed for the same reason, and has said so.
  }
}
