// Writes google.protobuf.Struct from the JSON object that a field of this type holds, without messages in between.
import {
  closeSized,
  openSized,
  rejectValue,
  writeBool,
  writeDouble,
  writeString,
  writeVarint,
} from "./binary-output.js";
import { structTags as tags } from "./values.js";

/** Writes a Struct with its length before it. As in protobuf-es, what JSON does not have becomes a Value without a kind. */
export function writeJsonObject(object: unknown): void {
  if (typeof object !== "object" || object === null || Array.isArray(object)) rejectValue();
  const start = openSized(2);
  for (const key of Object.keys(object)) {
    writeVarint(tags.fields);
    const entry = openSized(1);
    writeVarint(tags.key);
    writeString(key);
    writeVarint(tags.value);
    writeJsonValue((object as Record<string, unknown>)[key]);
    closeSized(entry, 1);
  }
  closeSized(start, 2);
}

/** Writes a ListValue with its length before it. */
function writeJsonList(list: readonly unknown[]): void {
  const start = openSized(2);
  for (const value of list) {
    writeVarint(tags.values);
    writeJsonValue(value);
  }
  closeSized(start, 2);
}

function writeJsonValue(value: unknown): void {
  const start = openSized(1);
  writeKind(value);
  closeSized(start, 1);
}

function writeKind(value: unknown): void {
  if (typeof value === "string") {
    writeVarint(tags.stringValue);
    writeString(value);
  } else if (typeof value === "number") {
    writeVarint(tags.numberValue);
    writeDouble(value);
  } else if (typeof value === "boolean") {
    writeVarint(tags.boolValue);
    writeBool(value);
  } else if (typeof value === "object") {
    writeContainer(value);
  }
}

function writeContainer(value: object | null): void {
  if (value === null) {
    writeVarint(tags.nullValue);
    writeVarint(0);
  } else if (Array.isArray(value)) {
    writeVarint(tags.listValue);
    writeJsonList(value);
  } else {
    writeVarint(tags.structValue);
    writeJsonObject(value);
  }
}
