// Says which values a plain field can have, and which of them mean that it is not set.
import type { DescField } from "@bufbuild/protobuf";

type Test = (value: unknown) => boolean;

export const isInt32: Test = (value) => typeof value === "number" && (value | 0) === value;
export const isUint32: Test = (value) => typeof value === "number" && value >>> 0 === value;
export const isInt64: Test = (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value;
export const isUint64: Test = (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value;
export const isNumber: Test = (value) => typeof value === "number";
export const isFloat: Test = (value) =>
  typeof value === "number" && (!Number.isFinite(value) || Math.abs(value) < 3.4e38);
export const isBytes: Test = (value) => value instanceof Uint8Array;
export const isString: Test = (value) => typeof value === "string";
export const isBool: Test = (value) => typeof value === "boolean";
export const isObject: Test = (value) => typeof value === "object" && value !== null;

export const isNought: Test = (value) => value === 0;
export const isPlusNought: Test = (value) => Object.is(value, 0);

/** google.protobuf.FeatureSet.FieldPresence.IMPLICIT */
const implicitPresence = 2;

/** Whether a single field outside a oneof is not set when it has the zero value of its type. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.fieldKind !== "message" && field.presence === implicitPresence;
}
