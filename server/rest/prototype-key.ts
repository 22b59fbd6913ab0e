// Finds the key "__proto__" where JSON becomes a map or a google.protobuf.Struct. protobuf-es keeps those in plain
// objects, where that key would not be an entry but the prototype: the entry would be lost, and its fields would seem to be
// entries. As the name of a field the key is ordinary, known or not.
import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { fieldsByName } from "./fields.js";

const key = "__proto__";

/** Every way to write the key in JSON has one of these: it as it is, or one of its letters escaped. */
const traces = /__proto__|\\u00(?:5f|6f|70|72|74)/i;

/** Whether JSON text may hold the key. False for nearly every text, at the cost of one search. */
export function mayHavePrototypeKey(text: string): boolean {
  return traces.test(text);
}

/** Whether JSON has the key as that of an entry. The JSON is one that protobuf-es has read, so its depth is bounded. */
export function hasPrototypeKey(desc: DescMessage, json: JsonValue): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (hasCustomJsonRepresentation(desc)) return hasKeyAnywhere(json);
  return Object.entries(json).some(([name, value]) => {
    const field = fieldsByName(desc).get(name);
    return field !== undefined && isInField(field, value);
  });
}

function isInField(field: DescField, json: JsonValue): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (field.fieldKind === "map" && Object.hasOwn(json, key)) return true;
  const { message } = field;
  if (message === undefined) return false;
  if (field.fieldKind === "message") return hasPrototypeKey(message, json);
  return Object.values(json).some((item) => hasPrototypeKey(message, item));
}

function hasKeyAnywhere(json: JsonValue): boolean {
  if (typeof json !== "object" || json === null) return false;
  return Object.hasOwn(json, key) || Object.values(json).some(hasKeyAnywhere);
}
