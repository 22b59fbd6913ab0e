// Sets the fields that path variables and query parameters name.
import type { DescField } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { TextForm } from "../../codec/scalar-text.js";
import { quote } from "../../quote.js";
import { badField } from "../error/bad-request.js";
import { isNested, type MessageField, printFieldPath } from "../fields.js";
import { leafOf } from "../leaf.js";

/** A field of a message, or of a nested message, whose value is text. */
export interface Place {
  /** The fields that lead to the message that has the field. */
  readonly parents: readonly MessageField[];
  readonly field: DescField;
  readonly leaf: TextForm;
  /** The field path in proto names. */
  readonly name: string;
}

/** @returns undefined if no text can be a value of the last field */
export function createPlace(fields: readonly DescField[]): Place | undefined {
  const field = fields.at(-1);
  const leaf = field && leafOf(field);
  const parents = fields.slice(0, -1).filter(isNested);
  return leaf && { parents, field, leaf, name: printFieldPath(fields) };
}

/** @throws ConnectError `invalid_argument`, with the field, if the text is not a valid value */
export function parseAt(place: Place, text: string): unknown {
  const value = place.leaf.parse(text);
  if (value === undefined) throw badField(place.name, `expected ${place.leaf.expected}, found ${quote(text)}`);
  return value;
}

/** Sets a singular field. @throws ConnectError `invalid_argument` if another member of a oneof in its path is set */
export function setAt(root: ReflectMessage, place: Place, value: unknown): void {
  const parent = openParent(root, place);
  checkOneof(parent, place.field, place.name);
  parent.set(place.field, value);
}

/** Returns the parent message, creating empty messages along the path. Throws like `setAt`. */
export function openParent(root: ReflectMessage, { parents, name }: Place): ReflectMessage {
  return parents.reduce((message, field) => {
    checkOneof(message, field, name);
    if (!message.isSet(field)) message.set(field, reflect(field.message));
    return message.get(field);
  }, root);
}

function checkOneof(message: ReflectMessage, field: DescField, name: string): void {
  const present = field.oneof && message.oneofCase(field.oneof);
  if (present === undefined || present === field) return;
  throw badField(name, `${present.name} is set already, of the same oneof ${field.oneof?.name}`);
}
