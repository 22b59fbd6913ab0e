// Files in a request. What is typed has `file:NAME` in place of the bytes, which would be too long to read.
import type { FileField, JsonObject, JsonValue } from "./method.js";

/** A file that was read. */
export interface ReadFile {
  readonly name: string;
  /** Empty if the browser does not know it. */
  readonly type: string;
  /** The content as base64. */
  readonly base64: string;
}

/** Base64 has no colon, so that no value of a field looks like this. */
const prefix = "file:";

/** Puts a reference to a file into the JSON of a message, with messages on the way if they are missing. */
export function placeFile(message: JsonValue, { path, isHttpBody }: FileField, file: ReadFile): JsonValue {
  const [name, ...inner] = path;
  const object = toObject(message);
  if (name !== undefined && inner.length === 0 && !isHttpBody) return { ...object, [name]: `${prefix}${file.name}` };
  if (name !== undefined)
    return { ...object, [name]: placeFile(object[name] ?? {}, { path: inner, isHttpBody }, file) };
  const { content_type: _, ...others } = object;
  return { ...others, contentType: file.type || "application/octet-stream", data: `${prefix}${file.name}` };
}

/** Replaces references by contents. @throws Error that names a file that has not been chosen */
export function resolveFiles(value: JsonValue, files: ReadonlyMap<string, ReadFile>): JsonValue {
  if (typeof value === "string") return value.startsWith(prefix) ? contentOf(value.slice(prefix.length), files) : value;
  if (Array.isArray(value)) return value.map((item) => resolveFiles(item, files));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolveFiles(inner, files)]));
}

function contentOf(name: string, files: ReadonlyMap<string, ReadFile>): string {
  const file = files.get(name);
  if (file === undefined) throw new Error(`Request: choose the file ${JSON.stringify(name)} again`);
  return file.base64;
}

function toObject(value: JsonValue): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
