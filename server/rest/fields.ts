// Finds fields by the names that paths, queries and JSON use, and those that text can carry.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isLeafType } from "../codec/json-facts.js";

export { hasImplicitPresence } from "../codec/values.js";

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

/** A field path as in templates, errors and `google.rpc.BadRequest`: `book.name`. */
export function printFieldPath(fields: readonly DescField[]): string {
  return fields.map(({ name }) => name).join(".");
}

/** Whether the JSON of a message is one string, number or boolean, so that a path or a query can carry it. */
export function isTextMessage(desc: DescMessage): boolean {
  return isLeafType(desc) || isWrapperDesc(desc);
}

/** Whether the fields of a field's message can be named one by one, `field.other`. */
export function isNested(field: DescField): field is MessageField {
  return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
}

/** Whether a body of this type is the bytes themselves. */
export function isHttpBody(desc: DescMessage): boolean {
  return desc.typeName === "google.api.HttpBody";
}
