// Reads messages from JSON text, fast for plain types. Whatever is unusual, in a type or in the text, is left to
// protobuf-es, so that results and errors are always its own, but for one key of maps that it loses.
import { type DescMessage, fromJsonString, type JsonReadOptions, type Message } from "@bufbuild/protobuf";
import { readJson } from "./json-read.js";
import { readPrototypeKeys } from "./prototype-key.js";

/** Reads the JSON of one type. */
export interface JsonDecoder {
  /** Reads what is usual, as `decodeText` would; undefined for all else, be it good or bad. */
  decode(json: Uint8Array): Message | undefined;
  /** What `fromJsonString` makes of a text. */
  decodeText(text: string): Message;
}

/** How JSON is read. */
export interface JsonDecodeOptions extends Partial<JsonReadOptions> {
  /** Maximum number of elements of a message, as `ElementBudget` counts them. Default: no limit. */
  readonly maxElements?: number | undefined;
}

/** Prepares the reading of a type. */
export function createJsonDecoder(desc: DescMessage, options: JsonDecodeOptions): JsonDecoder {
  return {
    decode(json) {
      if (options.recursionLimit !== undefined) return undefined;
      try {
        return readJson(desc, json);
      } catch {
        return undefined;
      }
    },
    decodeText(text) {
      const message = fromJsonString(desc, text, options);
      return readPrototypeKeys(desc, text, options) ?? message;
    },
  };
}
