// Decodes a JSON body to a message, or to one field of it, by the rules of ProtoJSON
// (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { createJsonDecoder, type JsonDecodeOptions } from "../../codec/json-read.js";
import { JsonError } from "../../codec/json-read-error.js";
import { badField, badRequest } from "../error/bad-request.js";

/** Reads a body. @throws ConnectError `invalid_argument`, with the field if one is at fault, or ElementLimitError */
type JsonReader = (body: Uint8Array) => Message;

/**
 * @param field the field whose JSON the body is; undefined if it is that of the message
 * @param options as protobuf-es has them; the registry is what `google.protobuf.Any` is read with
 */
export function createJsonReader(desc: DescMessage, options: JsonDecodeOptions, field?: DescField): JsonReader {
  const decode = createJsonDecoder(desc, options, field);
  return (body) => {
    try {
      return decode(body);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw error.path === "" ? badRequest(error.message, error) : badField(error.path, error.description, error);
    }
  };
}

/**
 * Whether a body of this type is JSON in UTF-8: `application/json` or `application/…+json`, in any case, without a charset
 * or with that of UTF-8. Other types must be rejected: a type that HTML forms can send would let any page send
 * requests.
 */
export function isJsonType(contentType: string): boolean {
  if (contentType === "application/json") return true;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  if (!/^application\/(?:[\w.!#$&^-]+\+)?json$/.test(type)) return false;
  return parameters.every((parameter) => !parameter.startsWith("charset=") || /^charset="?utf-?8"?$/.test(parameter));
}
