// Says which values a plain field can have, and which of them mean that it is not set.
import type { DescField } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** The values of a type. */
export interface ValueKind {
  /** Whether a value is one of them. */
  readonly isFit: (value: unknown) => boolean;
  /** Whether a field with implicit presence is not set when it has the value, which is one of them. */
  readonly isZero: (value: unknown) => boolean;
}

const isNought = (value: unknown) => value === 0;
const isPlusNought = (value: unknown) => Object.is(value, 0);
const isBigNought = (value: unknown) => value === 0n;

export const strings: ValueKind = { isFit: (value) => typeof value === "string", isZero: (value) => value === "" };
export const bytes: ValueKind = {
  isFit: (value) => value instanceof Uint8Array,
  isZero: (value) => (value as Uint8Array).length === 0,
};
export const bools: ValueKind = { isFit: (value) => typeof value === "boolean", isZero: (value) => value === false };
export const int32s: ValueKind = {
  isFit: (value) => typeof value === "number" && (value | 0) === value,
  isZero: isNought,
};
export const uint32s: ValueKind = {
  isFit: (value) => typeof value === "number" && value >>> 0 === value,
  isZero: isNought,
};
export const int64s: ValueKind = {
  isFit: (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  isZero: isBigNought,
};
export const uint64s: ValueKind = {
  isFit: (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value,
  isZero: isBigNought,
};
export const doubles: ValueKind = { isFit: (value) => typeof value === "number", isZero: isPlusNought };
export const floats: ValueKind = {
  isFit: (value) => typeof value === "number" && (!Number.isFinite(value) || Math.abs(value) < 3.4e38),
  isZero: isPlusNought,
};
/** What a field of a message type can have, as far as can be told without its type. */
export const objects: ValueKind = {
  isFit: (value) => typeof value === "object" && value !== null,
  isZero: () => false,
};

/** Whether the default value of a field and no value are the same. Lists and maps count. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}
