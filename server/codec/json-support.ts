// Says which message types have a plan of their own for JSON. All others are left to protobuf-es, and what contains them, too.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import {
  DurationSchema,
  Edition,
  FieldMaskSchema,
  hasCustomJsonRepresentation,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";

const leaves: ReadonlySet<string> = new Set(
  [TimestampSchema, DurationSchema, FieldMaskSchema].map(({ typeName }) => typeName),
);

/** Whether the JSON of the type is an object with its fields. */
export function isPlainJsonType(desc: DescMessage): boolean {
  return desc.file.edition === Edition.EDITION_PROTO3 && !hasCustomJsonRepresentation(desc);
}

/** Whether the JSON of the type is text, so that protobuf-es can read and write it as a field, without knowing what is around it. */
export function isLeafType(desc: DescMessage): boolean {
  return leaves.has(desc.typeName);
}

/** Whether 64-bit integers of the field are text in messages, too. */
export function isLongAsString(field: DescField): boolean {
  return "longAsString" in field && field.longAsString;
}

/** The enum whose JSON is null. */
export const nullValue = "google.protobuf.NullValue";

/** A name that plain objects have for something else. */
export const prototypeKey = "__proto__";
