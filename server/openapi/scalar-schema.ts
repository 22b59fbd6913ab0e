// Turns scalar types into schemas of their ProtoJSON (https://protobuf.dev/programming-guides/json/): in the form that is
// written, which every reader takes. NaN and the infinities are strings in ProtoJSON, and are left out: of a number or
// a string generators make a type of its own (openapi-generator) or nothing at all (ogen, oapi-codegen).
import { ScalarType } from "@bufbuild/protobuf";
import { byIntegerType } from "../schema/integer-types.js";
import type { Schema } from "./types.js";

/** The schema of a scalar in JSON. */
export function scalarSchema(type: ScalarType): Schema {
  return schemas[type];
}

/** The schema of a map's keys, which are text in JSON; undefined for any text. */
export function mapKeySchema(type: ScalarType): Schema | undefined {
  if (type === ScalarType.STRING) return undefined;
  if (type === ScalarType.BOOL) return { enum: ["true", "false"] };
  const { format } = schemas[type];
  const isUnsigned = schemas[type] === uint32 || schemas[type] === uint64;
  return { pattern: isUnsigned ? "^[0-9]+$" : "^-?[0-9]+$", format };
}

const int32: Schema = { type: "integer", format: "int32", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const uint32: Schema = { type: "integer", format: "uint32", minimum: 0, maximum: 2 ** 32 - 1 };
// JavaScript's numbers, and so JSON for many, are exact up to 53 bits only.
const int64: Schema = { type: "string", format: "int64", example: "1" };
const uint64: Schema = { type: "string", format: "uint64", example: "1" };

const greatestFloat = 3.4028234663852886e38;

const schemas: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float", minimum: -greatestFloat, maximum: greatestFloat },
  ...byIntegerType({ int32, uint32, int64, uint64 }),
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", format: "byte", contentEncoding: "base64", example: "aGVsbG8=" },
};
