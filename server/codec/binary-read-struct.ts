// Decodes google.protobuf.Struct as the JSON object that a field of this type holds, without messages in between.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import {
  BinaryError,
  isPast,
  nextTag,
  readBool,
  readDouble,
  readEnd,
  readInt32,
  readSharedString,
  readString,
  skip,
} from "./binary-input.js";
import { checkDepth, depthLeft, pastEnd, withinEntry } from "./binary-read-state.js";
import { containerCost, entryCost, spendElements } from "./element-limit.js";
import { setEntry, structTags as tags } from "./values.js";

/** Reads one field. Returns false if the tag is not that of a field of the type. */
type FieldReader = (tag: number) => boolean;

/** Reads a message with a length before it. Fields that its type does not have are dropped. */
function readSized(name: string, depth: number, readField: FieldReader): void {
  const end = readEnd();
  for (let tag = nextTag(end); tag !== 0; tag = nextTag(end)) {
    if (!readField(tag)) skip(tag, depthLeft(depth));
  }
  if (isPast(end)) throw pastEnd(name);
}

/**
 * Reads a Struct.
 *
 * @param depth that of the message that has it
 * @param before the object to add to, if the field comes again
 */
export function readJsonObject(depth: number, before: JsonObject | undefined): JsonObject {
  checkDepth(depth + 1);
  if (before === undefined) spendElements(containerCost);
  const json = before ?? {};
  readSized("message", depth + 1, (tag) => {
    if (tag !== tags.fields) return false;
    readEntry(json, depth + 1);
    return true;
  });
  return json;
}

function readEntry(json: JsonObject, depth: number): void {
  let key = "";
  let value: JsonValue = null;
  try {
    readSized("entry", depth, (tag) => {
      if (tag === tags.key) key = readSharedString();
      else if (tag === tags.value) value = readJsonValue(depth);
      else return false;
      return true;
    });
  } catch (error) {
    throw withinEntry(error, key);
  }
  spendElements(entryCost);
  setEntry(json, key, value);
}

function readList(depth: number, before: JsonValue[] | undefined): JsonValue[] {
  checkDepth(depth + 1);
  if (before === undefined) spendElements(containerCost);
  const list = before ?? [];
  try {
    readSized("message", depth + 1, (tag) => {
      if (tag !== tags.values) return false;
      spendElements(1);
      list.push(readJsonValue(depth + 1));
      return true;
    });
  } catch (error) {
    throw error instanceof BinaryError ? error.within(`[${list.length}]`) : error;
  }
  return list;
}

/** Reads a Value. One of no kind is null. A list or an object that comes again is merged. */
function readJsonValue(depth: number): JsonValue {
  checkDepth(depth + 1);
  let value: JsonValue = null;
  readSized("message", depth + 1, (tag) => {
    switch (tag) {
      case tags.nullValue:
        readInt32();
        value = null;
        return true;
      case tags.numberValue:
        value = readDouble();
        return true;
      case tags.stringValue:
        value = readString();
        return true;
      case tags.boolValue:
        value = readBool();
        return true;
      case tags.structValue:
        value = readJsonObject(depth + 1, isObject(value) ? value : undefined);
        return true;
      case tags.listValue:
        value = readList(depth + 1, Array.isArray(value) ? value : undefined);
        return true;
      default:
        return false;
    }
  });
  return value;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
