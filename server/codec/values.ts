// In which form messages have the values of their fields.
import type { DescExtension, DescField } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
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

/** Whether the default value of a field and no value are the same. Lists and maps count. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

/** Whether the value of the field is a JSON object instead of a Struct. */
export function isJsonStruct({ message, parent }: DescField): boolean {
  return message?.typeName === "google.protobuf.Struct" && parent.typeName !== "google.protobuf.Value";
}

/** Whether the value of the field is that of a wrapper instead of the wrapper. */
export function isUnwrapped({ fieldKind, oneof, message }: DescField | DescExtension): boolean {
  return fieldKind === "message" && oneof === undefined && isWrapperDesc(message);
}

/** Tags of google/protobuf/struct.proto. */
export const structTags = {
  fields: 0x0a,
  key: 0x0a,
  value: 0x12,
  nullValue: 0x08,
  numberValue: 0x11,
  stringValue: 0x1a,
  boolValue: 0x20,
  structValue: 0x2a,
  listValue: 0x32,
  values: 0x0a,
} as const;

/** Wire types. */
export const wire = { varint: 0, fixed64: 1, sized: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;

export function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}
