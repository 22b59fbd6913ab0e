// The bytes of a message that is being decoded, and the position in them. One input for all: decoding is never interrupted.
// https://protobuf.dev/programming-guides/encoding/
import { sharedTextOf, textOf } from "./utf8.js";
import { wire } from "./values.js";

/** Thrown for bytes that are no message of the type. The message names the field, as in `books[2].title: invalid UTF-8`. */
export class BinaryError extends Error {
  override readonly name = "BinaryError";
  readonly #problem: string;
  #path = "";

  constructor(problem: string) {
    super(problem);
    this.#problem = problem;
  }

  get hasPath(): boolean {
    return this.#path !== "";
  }

  /** Adds the field, `[index]` or `["key"]` that the path so far is in. */
  within(part: string): this {
    this.#path = this.#path === "" || this.#path.startsWith("[") ? part + this.#path : `${part}.${this.#path}`;
    this.message = `${this.#path}: ${this.#problem}`;
    return this;
  }
}

const empty = new Uint8Array();
let bytes: Uint8Array = empty;

// The same eight bytes as every kind of number, least significant byte first, as on the wire.
const eight = new Uint8Array(8);
const uint32s = new Uint32Array(eight.buffer);
const int32s = new Int32Array(eight.buffer);
const float32s = new Float32Array(eight.buffer);
const float64s = new Float64Array(eight.buffer);
const int64s = new BigInt64Array(eight.buffer);
const uint64s = new BigUint64Array(eight.buffer);

let pos = 0;

/** Begins to read. */
export function openInput(source: Uint8Array): void {
  bytes = source;
  pos = 0;
}

/** Releases the bytes. */
export function closeInput(): void {
  bytes = empty;
}

/** The position of the next byte. */
export function position(): number {
  return pos;
}

/** The length of all of the bytes. */
export function inputLength(): number {
  return bytes.length;
}

/** Whether more has been read than up to a position. */
export function isPast(end: number): boolean {
  return pos > end;
}

/** Whether there is more to read up to a position. */
export function isBefore(end: number): boolean {
  return pos < end;
}

/** Reads a byte. */
function next(): number {
  const byte = bytes[pos++];
  if (byte === undefined) throw new BinaryError("unexpected end of the message");
  return byte;
}

/** Reads a tag: a varint of at most 32 bits. Never 0. */
export function readTag(): number {
  const byte = next();
  if (byte < 0x80) return byte > 7 ? byte : rejectNumber0();
  return readLongTag(byte);
}

/** Reads a tag, or returns 0 if there is no more up to a position. */
export function nextTag(end: number): number {
  return pos < end ? readTag() : 0;
}

function readLongTag(first: number): number {
  const start = pos - 1;
  let tag = first & 0x7f;
  let shift = 7;
  let byte = next();
  for (; shift < 28 && byte >= 0x80; shift += 7) {
    tag |= (byte & 0x7f) << shift;
    byte = next();
  }
  if (shift === 28 && byte > 0x0f) throw new BinaryError(`invalid tag at byte ${start}`);
  const whole = (tag | (byte << shift)) >>> 0;
  return whole > 7 ? whole : rejectNumber0();
}

function rejectNumber0(): never {
  throw new BinaryError(`invalid field number 0 before byte ${pos}`);
}

/** The upper 32 bits of the last varint. */
let high = 0;

/** Reads a varint. Returns its lower 32 bits, signed, and leaves the upper ones in `high`. Bits above the 64th are ignored. */
function readVarint(): number {
  let byte = next();
  high = 0;
  if (byte < 0x80) return byte;
  let low = byte & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    byte = next();
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return low;
  }
  byte = next();
  low |= byte << 28;
  high = (byte >>> 4) & 0x07;
  if (byte < 0x80) return low;
  for (let shift = 3; shift < 32; shift += 7) {
    byte = next();
    high |= (byte & 0x7f) << shift;
    if (byte < 0x80) return low;
  }
  throw new BinaryError("invalid varint: more than 10 bytes");
}

export const readInt32: () => number = readVarint;

export function readUint32(): number {
  return readVarint() >>> 0;
}

export function readSint32(): number {
  const value = readVarint();
  return (value >>> 1) ^ -(value & 1);
}

export function readBool(): boolean {
  return readVarint() !== 0 || high !== 0;
}

/** The integers of one byte, so that millions of them take no memory of their own. */
const small = Array.from({ length: 192 }, (_, index) => BigInt(index - 64));

const isSmall = (low: number, high: number) => high === low >> 31 && low >= -64 && low < 128;

/** Makes an integer of two halves, which takes a third of the time of `BigInt()`. */
function toInt64(low: number, top: number): bigint {
  if (isSmall(low, top)) return small[low + 64] as bigint;
  int32s[0] = low;
  int32s[1] = top;
  return int64s[0] as bigint;
}

export function readInt64(): bigint {
  const low = readVarint();
  return toInt64(low, high);
}

export function readUint64(): bigint {
  const low = readVarint();
  if (high === 0 && low >= 0 && low < 128) return small[low + 64] as bigint;
  int32s[0] = low;
  int32s[1] = high;
  return uint64s[0] as bigint;
}

export function readSint64(): bigint {
  const low = readVarint();
  const sign = -(low & 1);
  return toInt64(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign);
}

export function readFixed32(): number {
  fill(4);
  return uint32s[0] as number;
}

export function readSfixed32(): number {
  fill(4);
  return int32s[0] as number;
}

export function readFloat(): number {
  fill(4);
  return float32s[0] as number;
}

export function readFixed64(): bigint {
  fill(8);
  return uint64s[0] as bigint;
}

export function readSfixed64(): bigint {
  fill(8);
  return int64s[0] as bigint;
}

export function readDouble(): number {
  fill(8);
  return float64s[0] as number;
}

function fill(length: number): void {
  const start = take(length);
  for (let index = 0; index < length; index++) eight[index] = bytes[start + index] as number;
}

/** Moves over some bytes. Returns where they start. */
function take(length: number): number {
  const start = pos;
  const left = bytes.length - start;
  if (length > left) throw new BinaryError(`expected ${length} bytes, found ${left}`);
  pos = start + length;
  return start;
}

/** Reads the length of what follows. Returns where that ends. */
export function readEnd(): number {
  const length = readVarint() >>> 0;
  const left = bytes.length - pos;
  if (high !== 0 || length > left) {
    throw new BinaryError(`expected ${high * 2 ** 32 + length} bytes, found ${left}`);
  }
  return pos + length;
}

/** Reads bytes, without copying. */
export function readBytes(): Uint8Array {
  const end = readEnd();
  const start = pos;
  pos = end;
  return bytes.subarray(start, end);
}

/** Returns the bytes from a position to the next one, without copying. */
export function keepFrom(start: number): Uint8Array {
  return bytes.subarray(start, pos);
}

export function readString(): string {
  const end = readEnd();
  const start = pos;
  pos = end;
  return textOf(bytes, start, end) ?? rejectText();
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a string whose type does not ask for UTF-8. Invalid bytes become U+FFFD. */
export function readLenientString(): string {
  const end = readEnd();
  const start = pos;
  pos = end;
  return textOf(bytes, start, end) ?? lenient.decode(bytes.subarray(start, end));
}

/** Reads a string as `readString` does. Equal short strings are the same. */
export function readSharedString(): string {
  const end = readEnd();
  const start = pos;
  pos = end;
  return sharedTextOf(bytes, start, end) ?? rejectText();
}

function rejectText(): never {
  throw new BinaryError("invalid UTF-8");
}

/** Moves over a value. Groups may be nested as deep as `depthLeft`. */
export function skip(tag: number, depthLeft: number): void {
  switch (tag & 7) {
    case wire.varint:
      while (next() >= 0x80);
      return;
    case wire.fixed64:
      take(8);
      return;
    case wire.fixed32:
      take(4);
      return;
    case wire.sized:
      pos = readEnd();
      return;
    case wire.group:
      skipGroup(tag, depthLeft);
      return;
    default:
      throw new BinaryError(`unexpected wire type ${tag & 7} before byte ${pos}`);
  }
}

function skipGroup(tag: number, depthLeft: number): void {
  if (depthLeft <= 0) throw new BinaryError("nested too deep");
  for (;;) {
    const inner = readTag();
    if ((inner & 7) === wire.groupEnd) {
      if (inner >>> 3 === tag >>> 3) return;
      throw new BinaryError(`end of another group before byte ${pos}`);
    }
    skip(inner, depthLeft - 1);
  }
}
