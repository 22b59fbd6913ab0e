// Messages as JSON text, fast for plain types. Whatever is unusual, in a type, in the text or in a message, is left to
// protobuf-es, so that results and errors are always its own, but for one key of maps that it loses.
import {
  type DescMessage,
  fromJsonString,
  type JsonReadOptions,
  type JsonWriteOptions,
  type Message,
} from "@bufbuild/protobuf";
import { readJson } from "./json-read.js";
import { createJsonWriter } from "./json-write.js";
import { readPrototypeKeys, toWholeJson } from "./prototype-key.js";

/** Prepares the reading of a type: what `fromJsonString` makes of a text. */
export function createJsonDecoder(desc: DescMessage, options: Partial<JsonReadOptions>): (text: string) => Message {
  const decodeAny = (text: string) => {
    const message = fromJsonString(desc, text, options);
    return readPrototypeKeys(desc, text, options) ?? message;
  };
  if (options.recursionLimit !== undefined) return decodeAny;
  return (text) => {
    try {
      return readJson(desc, text);
    } catch {
      return decodeAny(text);
    }
  };
}

/** Prepares the writing of a type: what `toJsonString` makes of a message. */
export function createJsonEncoder(desc: DescMessage, options: Partial<JsonWriteOptions>): (message: Message) => string {
  const encode = createJsonWriter(desc, options);
  return (message) => {
    try {
      return encode(message);
    } catch {
      return JSON.stringify(toWholeJson(desc, message, options));
    }
  };
}
