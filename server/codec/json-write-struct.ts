// Writes google.protobuf.Struct, Value and ListValue: any JSON (https://protobuf.dev/programming-guides/json/).
import type { ListValue, Struct, Value } from "@bufbuild/protobuf/wkt";
import { putAscii, putNumber } from "./json-output.js";
import { writeEntries, writeList } from "./json-write-collections.js";
import { JsonWriteError, refuse } from "./json-write-error.js";
import { writeString } from "./json-write-scalar.js";

/** The writers of these types, by name. */
export const structWriters: Readonly<Record<string, (message: never) => void>> = {
  "google.protobuf.Struct": writeStruct,
  "google.protobuf.Value": writeValue,
  "google.protobuf.ListValue": writeListValue,
};

function writeStruct({ fields }: Struct): void {
  writeEntries(fields, writeValue as (value: unknown) => void);
}

function writeListValue({ values }: ListValue): void {
  writeList(values, writeValue as (value: unknown) => void);
}

function writeValue(message: Value): void {
  const { case: kind, value } = message?.kind ?? {};
  switch (kind) {
    case "nullValue":
      putAscii("null");
      break;
    case "structValue":
      writeStruct(value);
      break;
    case "listValue":
      writeListValue(value);
      break;
    case undefined:
      throw new JsonWriteError("", "a google.protobuf.Value without a kind has no JSON");
    default:
      writePlain(value);
  }
}

/** Writes a Struct as it is in fields: an object. */
export function writeObject(object: unknown): void {
  writeEntries(object, writeJson);
}

function writeJson(value: unknown): void {
  if (value === null) putAscii("null");
  else if (Array.isArray(value)) writeList(value, writeJson);
  else if (typeof value === "object") writeObject(value);
  else writePlain(value);
}

function writePlain(value: unknown): void {
  if (typeof value === "string") writeString(value);
  else if (typeof value === "boolean") putAscii(String(value));
  else if (typeof value === "number" && Number.isFinite(value)) putNumber(value);
  else refuse("a finite number, text, true or false", value);
}
