// Writes scalars as JSON (https://protobuf.dev/programming-guides/json/).
import { ScalarType } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { toShortestFloat } from "./float.js";
import { JsonWriteError, refuse } from "./json-write-error.js";

/** Writes one value: of a field, of a list or of a map. @throws JsonWriteError if it is no value of the type */
export type ValueWriter = (value: unknown) => string;

/** Anything but the characters that JSON never escapes: no quotes, backslashes, control characters and surrogates. */
const escapable = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

export function writeString(value: unknown): string {
  if (typeof value !== "string") refuse("a string", value);
  if (!escapable.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new JsonWriteError("", "a string with a lone surrogate has no UTF-8");
  return JSON.stringify(value);
}

/** A number that is neither infinite nor NaN. */
export function writeFinite(value: number): string {
  return value === 0 && Object.is(value, -0) ? "-0" : String(value);
}

function writeDouble(value: unknown): string {
  if (typeof value !== "number") refuse("a number", value);
  return Number.isFinite(value) ? writeFinite(value) : `"${value}"`;
}

function writeFloat(value: unknown): string {
  if (typeof value !== "number") refuse("a number", value);
  if (!Number.isFinite(value)) return `"${value}"`;
  const float = toShortestFloat(value);
  return Number.isFinite(float) ? writeFinite(float) : refuse("a 32-bit float", value);
}

function writeInt32(value: unknown): string {
  return typeof value === "number" && (value | 0) === value ? String(value) : refuse("an int32", value);
}

function writeUint32(value: unknown): string {
  return typeof value === "number" && value >>> 0 === value ? String(value) : refuse("a uint32", value);
}

function writeInt64(value: unknown): string {
  const integer = typeof value === "bigint" ? value : toBigInt(value);
  return integer !== undefined && BigInt.asIntN(64, integer) === integer ? `"${integer}"` : refuse("an int64", value);
}

function writeUint64(value: unknown): string {
  const integer = typeof value === "bigint" ? value : toBigInt(value);
  return integer !== undefined && BigInt.asUintN(64, integer) === integer ? `"${integer}"` : refuse("a uint64", value);
}

/** Fields with `jstype = JS_STRING` have text. Where there should be a bigint, protobuf-es takes text and numbers as well. */
function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === "string") return /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
  return Number.isInteger(value) ? BigInt(value as number) : undefined;
}

function writeBool(value: unknown): string {
  return value === true ? "true" : value === false ? "false" : refuse("true or false", value);
}

/** Node's own takes 3 µs for 10 KB, and that of protobuf-es, which browsers get, 200. */
const toBase64 = typeof Buffer === "undefined" ? base64Encode : sliceBase64;

interface Slices {
  base64Slice(this: Uint8Array, start: number, end: number): string;
}

function sliceBase64(value: Uint8Array): string {
  return (Buffer.prototype as unknown as Slices).base64Slice.call(value, 0, value.length);
}

function writeBytes(value: unknown): string {
  if (!(value instanceof Uint8Array)) refuse("bytes", value);
  return value.length === 0 ? '""' : `"${toBase64(value)}"`;
}

/** How values of the scalar types are written. */
export const scalarWriters: Readonly<Record<ScalarType, ValueWriter>> = {
  [ScalarType.STRING]: writeString,
  [ScalarType.BYTES]: writeBytes,
  [ScalarType.BOOL]: writeBool,
  [ScalarType.INT32]: writeInt32,
  [ScalarType.SINT32]: writeInt32,
  [ScalarType.SFIXED32]: writeInt32,
  [ScalarType.UINT32]: writeUint32,
  [ScalarType.FIXED32]: writeUint32,
  [ScalarType.INT64]: writeInt64,
  [ScalarType.SINT64]: writeInt64,
  [ScalarType.SFIXED64]: writeInt64,
  [ScalarType.UINT64]: writeUint64,
  [ScalarType.FIXED64]: writeUint64,
  [ScalarType.DOUBLE]: writeDouble,
  [ScalarType.FLOAT]: writeFloat,
};
