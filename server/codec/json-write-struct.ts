// Writes google.protobuf.Struct, Value and ListValue: any JSON (https://protobuf.dev/programming-guides/json/).
import type { ListValue, Struct, Value } from "@bufbuild/protobuf/wkt";
import { writeEntries, writeList } from "./json-write-collections.js";
import { JsonWriteError, refuse } from "./json-write-error.js";
import { writeFinite, writeString } from "./json-write-scalar.js";

/** The writers of these types, by name. */
export const structWriters: Readonly<Record<string, (message: never) => string>> = {
  "google.protobuf.Struct": writeStruct,
  "google.protobuf.Value": writeValue,
  "google.protobuf.ListValue": writeListValue,
};

function writeStruct({ fields }: Struct): string {
  return writeEntries(fields, writeValue as (value: unknown) => string);
}

function writeListValue({ values }: ListValue): string {
  return writeList(values, writeValue as (value: unknown) => string);
}

function writeValue(message: Value): string {
  const { case: kind, value } = message?.kind ?? {};
  switch (kind) {
    case "nullValue":
      return "null";
    case "structValue":
      return writeStruct(value);
    case "listValue":
      return writeListValue(value);
    case undefined:
      throw new JsonWriteError("", "a google.protobuf.Value without a kind has no JSON");
    default:
      return writePlain(value);
  }
}

/** Writes a Struct as it is in fields: an object. */
export function writeObject(object: unknown): string {
  return writeEntries(object, writeJson);
}

function writeJson(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return writeList(value, writeJson);
  return typeof value === "object" ? writeObject(value) : writePlain(value);
}

function writePlain(value: unknown): string {
  if (typeof value === "string") return writeString(value);
  if (typeof value === "boolean") return String(value);
  return Number.isFinite(value) ? writeFinite(value as number) : refuse("a finite number, text, true or false", value);
}
