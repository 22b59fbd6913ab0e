// Finds the value in JSON that makes it no ProtoJSON of a message, so that an error can name its field: protobuf-es says
// what is wrong, but not where, and of a list not in which item.
import { type DescField, type DescMessage, fromJson, type JsonReadOptions, type JsonValue } from "@bufbuild/protobuf";
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

function inMessage(desc: DescMessage, json: JsonValue, path: string, options: Options, depth: number) {
  if (hasCustomJsonRepresentation(desc)) return attempt(path, () => fromJson(desc, json, options));
  if (depth > depthLimit) return { path, description: `is nested more than ${depthLimit} deep` };
  if (!isObject(json)) return { path, description: "expected an object" };
  return first(Object.entries(json), ([key, value]) => {
    const field = fieldsByName(desc).get(key);
    if (field !== undefined) return inField(field, value, join(path, field.name), options, depth);
    const isUnknown = options.ignoreUnknownFields !== true && !key.startsWith("[");
    return isUnknown ? { path: join(path, key), description: `${desc.typeName} has no such field` } : undefined;
  });
}

function inField(
  field: DescField,
  json: JsonValue,
  path: string,
  options: Options,
  depth: number,
): JsonFault | undefined {
  const whole = (value: JsonValue) => attempt(path, () => fromJson(field.parent, { [field.jsonName]: value }, options));
  if (json === null) return whole(json);
  const inItem = (item: JsonValue, itemPath: string, wrapped: JsonValue) =>
    field.message === undefined || hasCustomJsonRepresentation(field.message) || item === null
      ? attempt(itemPath, () => fromJson(field.parent, { [field.jsonName]: wrapped }, options))
      : inMessage(field.message, item, itemPath, options, depth + 1);
  if (field.fieldKind === "list" && Array.isArray(json)) {
    return first([...json.entries()], ([index, item]) => inItem(item, `${path}[${index}]`, [item]));
  }
  if (field.fieldKind === "map" && isObject(json)) {
    return first(Object.entries(json), ([key, item]) =>
      inItem(item, `${path}[${JSON.stringify(key)}]`, { [key]: item }),
    );
  }
  return field.fieldKind === "message" ? inItem(json, path, json) : whole(json);
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
