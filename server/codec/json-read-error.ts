// The errors of reading JSON: what was expected, what was found, and in which field.
import { quote, shorten } from "../quote.js";

/** JSON that is no message of its type. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** The field path in proto names, with `[3]` for items and `["key"]` for map entries. Empty if no field is at fault. */
  readonly path: string;
  /** What is wrong, without where. */
  readonly description: string;

  /** @param where what the message begins with: the path, or the type or the position if there is no path */
  constructor(where: string, path: string, description: string) {
    super(`${where}: ${description}`);
    this.path = path;
    this.description = description;
  }
}

/** Thrown while reading. Becomes a JsonError once its path is known. */
export class Fault {
  readonly description: string;
  /** The place in the text, if the text is no JSON at all. */
  readonly position: string | undefined;
  /** Names and indexes, innermost first. */
  readonly #path: string[] = [];

  constructor(description: string, position?: string) {
    this.description = description;
    this.position = position;
  }

  /** Says which field, item or entry of its parent has the fault. */
  addParent(segment: string): void {
    this.#path.push(segment);
  }

  /** @param typeName the type of the whole message */
  toError(typeName: string): JsonError {
    if (this.position !== undefined) return new JsonError(this.position, "", this.description);
    const path = shorten(this.#path.reverse().join("").replace(/^\./, ""));
    return new JsonError(path === "" ? typeName : path, path, this.description);
  }
}

/** Refuses a field or an entry that has come already. */
export function failTwice(): never {
  throw new Fault("is set twice");
}

/** Adds a segment to the path of a fault, and returns whatever was thrown, to be thrown again. */
export function within(reason: unknown, segment: string): unknown {
  if (reason instanceof Fault) reason.addParent(segment);
  return reason;
}

/** The segment of a field, by its proto name or by a name that no field has. */
export function memberSegment(name: string): string {
  return `.${shorten(name)}`;
}

/** The segment of a map entry. */
export function entrySegment(key: string): string {
  return `[${quote(key)}]`;
}
