// Says which values a plain field can have, and which of them mean that it is not set.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { prototypeKey } from "./json-facts.js";

/** A message as its fields, and those that its type does not know. */
export type Source = Record<string, unknown> & { $unknown?: readonly unknown[] };

/** A message, or a map, whose properties are set while it is read. */
export type Target = Record<string, unknown>;

/** Sets an own property, also one named `__proto__`. */
export function setEntry<T>(map: Record<string, T>, key: string, value: T): void {
  if (key !== prototypeKey) map[key] = value;
  else Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
}

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

const int32s: ValueKind = { isFit: (value) => typeof value === "number" && (value | 0) === value, isZero: isNought };

/** A scalar type that is read and written here, and not left to protobuf-es. */
export type PlainScalar = Exclude<
  ScalarType,
  ScalarType.FIXED32 | ScalarType.FIXED64 | ScalarType.SFIXED32 | ScalarType.SFIXED64 | ScalarType.SINT64
>;

/** The values of these types. */
export const scalarKinds: Readonly<Record<PlainScalar, ValueKind>> = {
  [ScalarType.STRING]: { isFit: (value) => typeof value === "string", isZero: (value) => value === "" },
  [ScalarType.BYTES]: {
    isFit: (value) => value instanceof Uint8Array,
    isZero: (value) => (value as Uint8Array).length === 0,
  },
  [ScalarType.BOOL]: { isFit: (value) => typeof value === "boolean", isZero: (value) => value === false },
  [ScalarType.INT32]: int32s,
  [ScalarType.SINT32]: int32s,
  [ScalarType.UINT32]: { isFit: (value) => typeof value === "number" && value >>> 0 === value, isZero: isNought },
  [ScalarType.INT64]: {
    isFit: (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
    isZero: isBigNought,
  },
  [ScalarType.UINT64]: {
    isFit: (value) => typeof value === "bigint" && BigInt.asUintN(64, value) === value,
    isZero: isBigNought,
  },
  [ScalarType.DOUBLE]: { isFit: (value) => typeof value === "number", isZero: isPlusNought },
  [ScalarType.FLOAT]: {
    isFit: (value) => typeof value === "number" && (!Number.isFinite(value) || Math.abs(value) < 3.4e38),
    isZero: isPlusNought,
  },
};

/** Whether a scalar type is one of them. */
export function isPlainScalar(type: ScalarType): type is PlainScalar {
  return type in scalarKinds;
}

/** What a field of a message type can have, as far as can be told without its type. */
export const objects: ValueKind = {
  isFit: (value) => typeof value === "object" && value !== null,
  isZero: () => false,
};

/** Whether the default value of a field and no value are the same. Lists and maps count. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}
