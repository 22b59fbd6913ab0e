// Finds the value in JSON that makes it no ProtoJSON of a message, so that an error can name its field: protobuf-es says
// what is wrong, but not where, and of a list not in which item.
import {
  type DescField,
  type DescMessage,
  type DescOneof,
  fromJson,
  type JsonReadOptions,
  type JsonValue,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { fieldsByName } from "./fields.js";

/** What is wrong, and where. */
export interface JsonFault {
  /** The field path in proto names, with `[0]` for items and `["key"]` for entries; empty for the whole message. */
  readonly path: string;
  readonly description: string;
}

/** How protobuf-es reads. */
type Options = Partial<JsonReadOptions>;

/** How deep the search goes: no deeper than protobuf-es reads. */
const depthLimit = 100;

/** @returns undefined if no single value is at fault. The cost is linear in the size of the JSON. */
export function findJsonFault(desc: DescMessage, json: JsonValue, options: Options): JsonFault | undefined {
  return inMessage(desc, json, "", options, 0);
}

function inMessage(
  desc: DescMessage,
  json: JsonValue,
  path: string,
  options: Options,
  depth: number,
): JsonFault | undefined {
  if (hasCustomJsonRepresentation(desc)) return attempt(path, () => fromJson(desc, json, options));
  if (depth > depthLimit) return { path, description: `is nested more than ${depthLimit} deep` };
  if (!isObject(json)) return { path, description: "expected an object" };
  const entries = Object.entries(json);
  const within = first(entries, ([key, value]) => {
    const field = fieldsByName(desc).get(key);
    if (field !== undefined) return inField(field, value, join(path, field.name), options, depth);
    const isUnknown = options.ignoreUnknownFields !== true && !key.startsWith("[");
    return isUnknown ? { path: join(path, key), description: `${desc.typeName} has no such field` } : undefined;
  });
  return within ?? betweenFields(desc, entries, path);
}

/** A field under both of its names, or two members of a oneof. */
function betweenFields(desc: DescMessage, entries: [string, JsonValue][], path: string): JsonFault | undefined {
  const seen = new Map<DescField | DescOneof, DescField>();
  return first(entries, ([key, value]) => {
    const field = fieldsByName(desc).get(key);
    if (field === undefined) return undefined;
    const isUnset = value === null && field.fieldKind === "scalar";
    const owner = isUnset ? undefined : field.oneof;
    const other = seen.get(field) ?? (owner && seen.get(owner));
    seen.set(field, field).set(owner ?? field, field);
    if (other === undefined) return undefined;
    const description = other === field ? "is set twice" : `${other.name} is set too, of the same oneof`;
    return { path: join(path, field.name), description };
  });
}

function inField(field: DescField, json: JsonValue, path: string, options: Options, depth: number) {
  const read = (value: JsonValue) => fromJson(field.parent, { [field.jsonName]: value }, options);
  const { message } = field;
  const isLeaf = message === undefined || hasCustomJsonRepresentation(message);
  const inItem = (item: JsonValue, itemPath: string, wrapped: JsonValue) =>
    isLeaf || item === null
      ? attempt(itemPath, () => read(wrapped))
      : inMessage(message, item, itemPath, options, depth + 1);
  if (field.fieldKind === "message") return inItem(json, path, json);
  const entries = entriesOf(field, json);
  if (entries === undefined) return attempt(path, () => read(json));
  const wrap = (some: Entries) =>
    field.fieldKind === "list" ? some.map(([, item]) => item) : Object.fromEntries(some);
  if (isLeaf) return inOneOf(entries, path, (some) => read(wrap(some)));
  return first(entries, (entry) => inItem(entry[1], `${path}[${JSON.stringify(entry[0])}]`, wrap([entry])));
}

/** Items by index, or entries by key. */
type Entries = readonly (readonly [number | string, JsonValue])[];

/** @returns undefined for a field that is neither list nor map, or JSON that is not what it must be */
function entriesOf(field: DescField, json: JsonValue): Entries | undefined {
  if (field.fieldKind === "list" && Array.isArray(json)) return [...json.entries()];
  return field.fieldKind === "map" && isObject(json) ? Object.entries(json) : undefined;
}

/** The first item that cannot be read, found by halves, so that the cost is that of reading all items a few times. */
function inOneOf(entries: Entries, path: string, read: (some: Entries) => unknown): JsonFault | undefined {
  const fault = attempt(path, () => read(entries));
  const [only] = entries;
  if (fault === undefined || only === undefined) return fault;
  if (entries.length === 1) return { ...fault, path: `${path}[${JSON.stringify(only[0])}]` };
  const middle = entries.length >> 1;
  return inOneOf(entries.slice(0, middle), path, read) ?? inOneOf(entries.slice(middle), path, read) ?? fault;
}

function attempt(path: string, read: () => unknown): JsonFault | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return { path, description: describeJsonError(error) };
  }
}

/** What protobuf-es found wrong, without where: that is in its names for types, and in the path here. */
export function describeJsonError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^cannot decode (?:\w+ )?[\w.]+ from JSON:? /, "").replace(/^list item #\d+: /, "");
}

function first<T>(items: readonly T[], find: (item: T) => JsonFault | undefined): JsonFault | undefined {
  for (const item of items) {
    const fault = find(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
