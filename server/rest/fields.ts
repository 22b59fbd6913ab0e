// Finds the fields of messages by the names that paths, queries and JSON give them, and says which a text can carry.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** A field with exactly one message. */
export type MessageField = DescField & { fieldKind: "message" };

const namesOf = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The fields of a message by proto name and by JSON name: both are accepted wherever ProtoJSON is read. */
export function fieldsByName(desc: DescMessage): ReadonlyMap<string, DescField> {
  let names = namesOf.get(desc);
  if (names === undefined) {
    const own = desc.fields.map((field) => [field.name, field] as const);
    names = new Map([...own, ...desc.fields.map((field) => [field.jsonName, field] as const)]);
    namesOf.set(desc, names);
  }
  return names;
}

/** A field path as it stands in templates, errors and `google.rpc.BadRequest`: `book.name`. */
export function printFieldPath(fields: readonly DescField[]): string {
  return fields.map(({ name }) => name).join(".");
}

/** Whether the JSON of a message is one string, number or boolean, so that a path or a query can carry it. */
export function isTextMessage(desc: DescMessage): boolean {
  return textMessages.has(desc.typeName) || isWrapperDesc(desc);
}

/** Whether the fields of a field's message can be named one by one, `field.other`. */
export function isNested(field: DescField): field is MessageField {
  return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
}

/** Whether the default value of a field and no value are the same. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

/** Whether a body of this type is the bytes themselves. */
export function isHttpBody(desc: DescMessage): boolean {
  return desc.typeName === "google.api.HttpBody";
}

const textMessages: ReadonlySet<string> = new Set([
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
  "google.protobuf.Timestamp",
]);
