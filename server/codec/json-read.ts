// Decodes messages from JSON, without a detour through JavaScript's own values: no digit of a 64-bit integer is lost, and an
// error names the field (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage, JsonReadOptions, Message } from "@bufbuild/protobuf";
import { canRunCode } from "./code.js";
import { closeJson, isAtEnd, openJson, syntaxFault } from "./json-input.js";
import { Fault } from "./json-read-error.js";
import { fieldRootReader, rootReader } from "./json-read-plans.js";
import type { ValueReader } from "./json-read-scalar.js";
import { openState } from "./json-read-state.js";

/** How JSON is read. */
export interface JsonDecodeOptions extends Partial<JsonReadOptions> {
  /** Maximum number of elements of a message, as `openBudget` counts them. Default: no limit. */
  readonly maxElements?: number | undefined;
  /** Whether to make code of plans, where the runtime does. Default true. */
  readonly compiles?: boolean;
}

/** Decodes a message. @throws JsonError or ElementLimitError */
export type JsonDecoder = (json: Uint8Array) => Message;

/**
 * Prepares the decoding of a type.
 *
 * @param field the field whose JSON is decoded; undefined if it is the whole message
 */
export function createJsonDecoder(desc: DescMessage, options: JsonDecodeOptions, field?: DescField): JsonDecoder {
  const { ignoreUnknownFields = false, recursionLimit = 100, registry, maxElements, compiles = true } = options;
  const settings = { ignoreUnknownFields, recursionLimit, registry, compiles: compiles && canRunCode };
  let read: ValueReader | undefined;
  return (json) => {
    read ??= field === undefined ? rootReader(desc) : fieldRootReader(field);
    openJson(json);
    openState(settings, maxElements);
    try {
      const message = read(0) as Message;
      if (!isAtEnd()) throw syntaxFault("the end");
      return message;
    } catch (reason) {
      throw reason instanceof Fault ? reason.toError(desc.typeName) : reason;
    } finally {
      closeJson();
    }
  };
}
