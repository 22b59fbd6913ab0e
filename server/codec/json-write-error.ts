// Errors of values that have no JSON, with the path of the field that has the value.
import { quote, shorten } from "../quote.js";

/** A value that cannot be written: `books[0].price: expected a float, found "cheap"`. */
export class JsonWriteError extends Error {
  override readonly name = "JsonWriteError";

  /** The field in proto names, with `[0]` for items and `["key"]` for entries; empty for the message itself. */
  readonly path: string;
  readonly description: string;

  constructor(path: string, description: string) {
    super(path === "" ? description : `${path}: ${description}`);
    this.path = path;
    this.description = description;
  }
}

/** The error of a value that is not what it should be. */
export function mismatch(expected: string, value: unknown): JsonWriteError {
  return new JsonWriteError("", `expected ${expected}, found ${describeValue(value)}`);
}

/** Throws the error of a value that is not what it should be. @throws JsonWriteError */
export function refuse(expected: string, value: unknown): never {
  throw mismatch(expected, value);
}

/** Adds a step to the path of an error: a field's name, or `[…]`. Other errors, such as a full stack, stay as they are. */
export function within(step: string, error: unknown): unknown {
  if (!(error instanceof JsonWriteError)) return error;
  const { path, description } = error;
  const isJoined = path === "" || path.startsWith("[");
  return new JsonWriteError(shorten(isJoined ? step + path : `${step}.${path}`), description);
}

/** Adds the name of a field to the path of an error. */
export function withinField(error: unknown, name: string): unknown {
  return within(name, error);
}

/** Adds the index of an item to the path of an error. */
export function withinItem(error: unknown, index: number): unknown {
  return within(`[${index}]`, error);
}

/** Adds the key of an entry to the path of an error. */
export function withinEntry(error: unknown, key: string): unknown {
  return within(entryStep(key), error);
}

/** The step of an entry of a map. */
export function entryStep(key: string): string {
  return `[${quote(key)}]`;
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return shorten(String(value));
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  const { $typeName } = value as { $typeName?: unknown };
  return typeof $typeName === "string" ? $typeName : "an object";
}
