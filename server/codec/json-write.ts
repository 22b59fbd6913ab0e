// Writes messages as ProtoJSON (https://protobuf.dev/programming-guides/json/), straight to text.
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { openOutput, takeBytes, takeText } from "./json-output.js";
import { JsonWriteError, within } from "./json-write-error.js";
import { type JsonEncodeOptions, type Omitted, Plans } from "./json-write-plans.js";
import type { Source } from "./values.js";

export type { JsonEncodeOptions, Omitted } from "./json-write-plans.js";

/**
 * Prepares the writing of a type. The text is what protobuf-es makes of a message, but for numbers: a 32-bit float has the
 * shortest digits that read back, and -0 its sign.
 *
 * @returns a function that throws JsonWriteError for a value that is not of its type
 */
export function createJsonEncoder(
  desc: DescMessage,
  options: JsonEncodeOptions,
  omitted: Omitted = [],
): (message: Message) => string {
  const write = messageWriter(desc, options, omitted);
  return (message) => {
    write(message);
    return takeText(0);
  };
}

/**
 * Prepares the writing of a type as `createJsonEncoder` does, but as bytes, and after so many bytes for whatever is to stand
 * before them. Only where there is `Buffer`.
 */
export function createJsonBytesEncoder(
  desc: DescMessage,
  options: JsonEncodeOptions,
): (message: Message, reserve: number) => Buffer {
  const write = messageWriter(desc, options, []);
  return (message, reserve) => {
    write(message);
    return takeBytes(reserve);
  };
}

function messageWriter(desc: DescMessage, options: JsonEncodeOptions, omitted: Omitted): (message: Message) => void {
  const writer = plansWith(options).messageWriter(desc, omitted);
  return (message) => {
    openOutput();
    try {
      writer.write(message);
    } catch (error) {
      // Without a field, the type says where.
      throw error instanceof JsonWriteError && error.path === "" ? within(desc.typeName, error) : error;
    }
  };
}

/**
 * Prepares the writing of one field of a message, without its name.
 *
 * @param omitted fields of the field's message that are left out
 * @returns a function that gives undefined if the field has presence and is not set; it throws as `createJsonEncoder` does
 */
export function createJsonFieldEncoder(
  field: DescField,
  options: JsonEncodeOptions,
  omitted: Omitted = [],
): (message: Message) => string | undefined {
  const write = plansWith(options).fieldWriter(field, omitted);
  return (message) => {
    openOutput();
    try {
      write(message as unknown as Source);
    } catch (error) {
      throw within(field.name, error);
    }
    return takeText(0) || undefined;
  };
}

/** By registry, then by the other options. */
const plansOf = new WeakMap<object, Map<string, Plans>>();
const noRegistry = {};

function plansWith(options: JsonEncodeOptions): Plans {
  const { registry, alwaysEmitImplicit, enumAsInteger, useProtoFieldName, compiles = true } = options;
  const plans = plansOf.get(registry ?? noRegistry) ?? new Map<string, Plans>();
  plansOf.set(registry ?? noRegistry, plans);
  const key = [alwaysEmitImplicit, enumAsInteger, useProtoFieldName, compiles].map((option) => option === true).join();
  const known = plans.get(key) ?? new Plans(options);
  plans.set(key, known);
  return known;
}
