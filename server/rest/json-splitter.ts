// Cuts a stream of JSON values, an array or lines, into the bytes of each value as they come. It looks at brackets, commas
// and strings only; whether a value is JSON is for its reader to say.
import { Code, ConnectError } from "@connectrpc/connect";

/** What the type of a body says of its form: one JSON text, which for a stream is an array, or one on each line. */
export type BodyForm = "json" | "lines";

const code = (character: string): number => character.charCodeAt(0);
const quote = code('"');
const backslash = code("\\");
const comma = code(",");
const newline = code("\n");
const arrayStart = code("[");
const arrayEnd = code("]");
const objectStart = code("{");
const objectEnd = code("}");

/** Takes the chunks of a body and adds the values that they complete to `values`: also those before an error. */
export interface JsonSplitter {
  /** @throws ConnectError `resource_exhausted` for a value over the limit, `invalid_argument` for what is no array */
  push(chunk: Uint8Array, values: Uint8Array[]): void;
  /** The end of the body. @throws ConnectError `invalid_argument` for an array that is cut */
  end(values: Uint8Array[]): void;
}

/** @param limitBytes the most that one value may have */
export function createJsonSplitter(form: BodyForm, limitBytes: number): JsonSplitter {
  return form === "lines" ? new LineSplitter(limitBytes) : new ArraySplitter(limitBytes);
}

/** The value that has begun, over any number of chunks. */
class Value {
  readonly #limitBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limitBytes) throw tooLarge(this.#limitBytes);
    this.#parts.push(part);
  }

  /** Moves the value to `values`. Returns false, with nothing moved, if there was nothing but white space. */
  moveTo(values: Uint8Array[]): boolean {
    const bytes = new Uint8Array(this.#bytes);
    let start = 0;
    for (const part of this.#parts) {
      bytes.set(part, start);
      start += part.length;
    }
    this.#parts = [];
    this.#bytes = 0;
    if (bytes.every(isBlank)) return false;
    values.push(bytes);
    return true;
  }
}

class LineSplitter implements JsonSplitter {
  readonly #line: Value;

  constructor(limitBytes: number) {
    this.#line = new Value(limitBytes);
  }

  push(chunk: Uint8Array, values: Uint8Array[]): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#line.add(chunk.subarray(start, end));
      this.#line.moveTo(values);
      start = end + 1;
    }
    this.#line.add(chunk.subarray(start));
  }

  end(values: Uint8Array[]): void {
    this.#line.moveTo(values);
  }
}

class ArraySplitter implements JsonSplitter {
  readonly #element: Value;
  #phase: "before" | "inside" | "after" = "before";
  #count = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(limitBytes: number) {
    this.#element = new Value(limitBytes);
  }

  push(chunk: Uint8Array, values: Uint8Array[]): void {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      if (this.#phase !== "inside") {
        this.#stepOutside(byte);
        start = index + 1;
      } else if (this.#endsElement(byte)) {
        this.#element.add(chunk.subarray(start, index));
        this.#moveElement(byte, values);
        start = index + 1;
      }
    }
    if (this.#phase === "inside") this.#element.add(chunk.subarray(start));
  }

  end(): void {
    if (this.#phase === "inside") throw noArray("one that is not closed");
  }

  #stepOutside(byte: number): void {
    if (isBlank(byte)) return;
    if (this.#phase === "after" || byte !== arrayStart) throw noArray(`"${String.fromCharCode(byte)}"`);
    this.#phase = "inside";
  }

  #endsElement(byte: number): boolean {
    if (this.#isInString) this.#stepInString(byte);
    else if (byte === quote) this.#isInString = true;
    else if (byte === arrayStart || byte === objectStart) this.#depth++;
    else if (this.#depth === 0) return byte === comma || byte === arrayEnd;
    else if (byte === arrayEnd || byte === objectEnd) this.#depth--;
    return false;
  }

  #stepInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  #moveElement(end: number, values: Uint8Array[]): void {
    if (end === arrayEnd) this.#phase = "after";
    this.#count++;
    if (this.#element.moveTo(values)) return;
    // `[]` has none; `[,` and `,]` miss one.
    if (end === comma || this.#count > 1) throw noArray("an element that is missing");
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function noArray(found: string): ConnectError {
  return new ConnectError(`the body: expected a JSON array, found ${found}`, Code.InvalidArgument);
}

function tooLarge(limitBytes: number): ConnectError {
  const text = `message size is larger than configured readMaxBytes ${limitBytes}`;
  return new ConnectError(text, Code.ResourceExhausted);
}
