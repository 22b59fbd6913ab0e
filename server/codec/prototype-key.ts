// Keeps the key "__proto__" of maps and of google.protobuf.Struct. In plain objects, as which protobuf-es builds them and
// their JSON, it would be no entry but the prototype. So protobuf-es is given another key, and the result gets its own.
// As the name of a field the key is ordinary.
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonReadOptions,
  type JsonValue,
  type Message,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { prototypeKey } from "./json-support.js";

/** What stands for the key. Nobody can guess it, so nothing else is called so. */
const standIn = `${prototypeKey}${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;

/** Every way to write the key in JSON has one of these: it as it is, or one of its letters escaped. */
const traces = /__proto__|\\u00(?:5f|6f|70|72|74)/i;

/**
 * Reads JSON that has the key as that of an entry.
 *
 * @param text what `fromJsonString` has read as a message of the type
 * @returns undefined if it has not
 */
export function readPrototypeKeys(
  desc: DescMessage,
  text: string,
  options: Partial<JsonReadOptions>,
): Message | undefined {
  // Nearly every text costs no more than this search.
  if (!traces.test(text)) return undefined;
  const json = JSON.parse(text) as JsonValue;
  const hidden = hideInMessage(desc, json);
  return hidden === json ? undefined : renameKey(fromJson(desc, hidden, options), standIn, prototypeKey);
}

/** Of the JSON of a message, with a stand-in for the key where it is that of an entry; the JSON itself if it is nowhere. */
function hideInMessage(desc: DescMessage, json: JsonValue): JsonValue {
  if (freeForms.has(desc.typeName)) return renameKey(json, prototypeKey, standIn);
  if (!isObject(json) || hasCustomJsonRepresentation(desc)) return json;
  return mapValues(json, (value: JsonValue, name) => {
    const field = desc.fields.find((one) => one.jsonName === name || one.name === name);
    return field === undefined ? value : hideInField(field, value);
  });
}

function hideInField(field: DescField, json: JsonValue): JsonValue {
  const { message } = field;
  const hide = (value: JsonValue) => (message === undefined ? value : hideInMessage(message, value));
  if (field.fieldKind === "list") return Array.isArray(json) ? mapItems(json, hide) : json;
  if (field.fieldKind !== "map") return hide(json);
  return isObject(json) ? mapValues(json, hide, (key) => (key === prototypeKey ? standIn : key)) : json;
}

/** Types whose JSON may have any keys. What is in a google.protobuf.Any becomes bytes, and is beyond reach. */
const freeForms: ReadonlySet<string> = new Set(
  ["Struct", "Value", "ListValue"].map((name) => `google.protobuf.${name}`),
);

/** A value whose objects have another key in the place of one; the value itself if none has it. */
function renameKey<T>(value: T, from: string, to: string): T {
  if (Array.isArray(value)) return mapItems(value, (item) => renameKey(item, from, to)) as T;
  if (!isObject(value)) return value;
  return mapValues(
    value,
    (own) => renameKey(own, from, to),
    (key) => (key === from ? to : key),
  );
}

function mapItems<T>(items: T[], map: (item: T) => T): T[] {
  const mapped = items.map(map);
  return mapped.every((item, index) => Object.is(item, items[index])) ? items : mapped;
}

/** A copy of the same kind; the object itself if nothing changes. */
function mapValues<T, Target extends object>(
  object: Target,
  map: (value: T, key: string) => T,
  rename: (key: string) => string = (key) => key,
): Target {
  const before = Object.entries(object) as [string, T][];
  const after = before.map(([key, value]) => [rename(key), map(value, key)] as const);
  if (after.every(([key, value], index) => key === before[index]?.[0] && Object.is(value, before[index]?.[1]))) {
    return object;
  }
  const copy = Object.create(Object.getPrototypeOf(object)) as Target;
  for (const [key, value] of after) {
    Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
