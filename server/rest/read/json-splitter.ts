// Splits a stream of JSON values, an array or lines, into the bytes of each value as they arrive. It looks only at brackets,
// commas, strings and white space. The JSON reader decides whether a value is valid JSON.
import { Code, ConnectError } from "@connectrpc/connect";
import {
  backslash,
  closeArray,
  closeObject,
  comma,
  isBlank,
  newline,
  openArray,
  openObject,
  quote,
} from "./json-bytes.js";

/** The form of a body: one JSON text, which for a stream is an array, or one JSON text per line. */
export type BodyForm = "json" | "lines";

/** Takes the chunks of a body and appends the values that they complete to `values`, also those before an error. */
export interface JsonSplitter {
  /** Whether a value is incomplete. */
  readonly hasPart: boolean;
  /**
   * @throws ConnectError `resource_exhausted` for a value over the limit, and for more white space than the limit without a
   * value; `invalid_argument` for a body that is not an array
   */
  push(chunk: Uint8Array, values: Uint8Array[]): void;
  /** The end of the body. @throws ConnectError `invalid_argument` for an unterminated array */
  end(values: Uint8Array[]): void;
}

/** @param limitBytes the maximum size of one value, and of the white space between two values */
export function createJsonSplitter(form: BodyForm, limitBytes: number): JsonSplitter {
  return form === "lines" ? new LineSplitter(limitBytes) : new ArraySplitter(limitBytes);
}

const noBytes = new Uint8Array(0);
/** A larger buffer is dropped with its value. */
const keptBytes = 64 * 1024;

/** The value being received. However small its chunks are, it takes at most twice the memory of its length. */
class PendingValue {
  readonly #limitBytes: number;
  #buffer = noBytes;
  #length = 0;
  /** White space since the last value. */
  #blankBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Returns the index of the next byte that is not white space, or the end of the chunk. */
  skipBlanks(chunk: Uint8Array, start: number): number {
    let index = start;
    while (index < chunk.length && isBlank(chunk[index] as number)) index++;
    this.#blankBytes += index - start;
    if (this.#blankBytes > this.#limitBytes) throw tooBlank(this.#limitBytes);
    return index;
  }

  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#limitBytes) throw tooLarge(this.#limitBytes);
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(part, this.#length);
    this.#length = length;
  }

  take(): Uint8Array {
    const value = this.#buffer.slice(0, this.#length);
    if (this.#buffer.length > keptBytes) this.#buffer = noBytes;
    this.#length = 0;
    this.#blankBytes = 0;
    return value;
  }

  #grow(neededBytes: number): void {
    const buffer = new Uint8Array(Math.max(neededBytes, Math.min(this.#buffer.length * 2, this.#limitBytes)));
    buffer.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = buffer;
  }
}

class LineSplitter implements JsonSplitter {
  readonly #line: PendingValue;

  constructor(limitBytes: number) {
    this.#line = new PendingValue(limitBytes);
  }

  get hasPart(): boolean {
    return !this.#line.isEmpty;
  }

  push(chunk: Uint8Array, values: Uint8Array[]): void {
    let start = 0;
    for (;;) {
      // Blank lines are white space, too.
      if (this.#line.isEmpty) start = this.#line.skipBlanks(chunk, start);
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      this.#line.add(chunk.subarray(start, end));
      values.push(this.#line.take());
      start = end + 1;
    }
    this.#line.add(chunk.subarray(start));
  }

  end(values: Uint8Array[]): void {
    if (!this.#line.isEmpty) values.push(this.#line.take());
  }
}

class ArraySplitter implements JsonSplitter {
  readonly #element: PendingValue;
  #phase: "before" | "inside" | "after" = "before";
  #count = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(limitBytes: number) {
    this.#element = new PendingValue(limitBytes);
  }

  get hasPart(): boolean {
    return !this.#element.isEmpty;
  }

  push(chunk: Uint8Array, values: Uint8Array[]): void {
    let start = 0;
    while (start < chunk.length) {
      if (this.#element.isEmpty) start = this.#element.skipBlanks(chunk, start);
      if (start === chunk.length) return;
      start = this.#phase === "inside" ? this.#readElement(chunk, start, values) : this.#openArray(chunk, start);
    }
  }

  end(): void {
    if (this.#phase === "inside") throw noArray("one that is not closed");
  }

  #openArray(chunk: Uint8Array, start: number): number {
    const byte = chunk[start] as number;
    if (this.#phase === "after" || byte !== openArray) throw noArray(`"${String.fromCharCode(byte)}"`);
    this.#phase = "inside";
    return start + 1;
  }

  /** Reads up to the end of an element or of the chunk. Returns the index after it. */
  #readElement(chunk: Uint8Array, start: number, values: Uint8Array[]): number {
    const end = this.#findEnd(chunk, start);
    this.#element.add(chunk.subarray(start, end));
    if (end === chunk.length) return end;
    this.#endElement(chunk[end] as number, values);
    return end + 1;
  }

  /** Returns the index of the comma or bracket after the element, or the end of the chunk. */
  #findEnd(chunk: Uint8Array, start: number): number {
    let index = start;
    while (index < chunk.length && !this.#endsElement(chunk[index] as number)) index++;
    return index;
  }

  #endsElement(byte: number): boolean {
    if (this.#isInString) this.#stepInString(byte);
    else if (byte === quote) this.#isInString = true;
    else if (byte === openArray || byte === openObject) this.#depth++;
    else if (this.#depth === 0) return byte === comma || byte === closeArray;
    else if (byte === closeArray || byte === closeObject) this.#depth--;
    return false;
  }

  #stepInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  #endElement(sign: number, values: Uint8Array[]): void {
    if (sign === closeArray) this.#phase = "after";
    this.#count++;
    if (!this.#element.isEmpty) values.push(this.#element.take());
    // `[]` has no element. `[,` and `,]` miss one.
    else if (sign === comma || this.#count > 1) throw noArray("an element that is missing");
  }
}

function noArray(found: string): ConnectError {
  return new ConnectError(`the body: expected a JSON array, found ${found}`, Code.InvalidArgument);
}

function tooLarge(limitBytes: number): ConnectError {
  const text = `message size is larger than configured readMaxBytes ${limitBytes}`;
  return new ConnectError(text, Code.ResourceExhausted);
}

function tooBlank(limitBytes: number): ConnectError {
  const text = `body: more than ${limitBytes} bytes of white space without a message`;
  return new ConnectError(text, Code.ResourceExhausted);
}
