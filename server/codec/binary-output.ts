// The bytes that are being written, in memory that all messages share until they are whole.
import type { ByteWriter } from "../byte-writer.js";

const initialBytes = 16 * 1024;
/** Longer messages leave with their memory: to copy a MiB takes 0.1 ms, and makes the garbage collector run more often. */
const maxCopiedBytes = 256 * 1024;
/** More than this is not kept for the next message. */
const maxKeptBytes = 1024 * 1024;

/** Up to here copying byte by byte is cheaper than a call into the platform. */
const maxLoopBytes = 64;

let bytes = Buffer.allocUnsafeSlow(initialBytes);
let pos = 0;

/** Thrown for a value that its type does not have. Made once, and never visible to callers: protobuf-es says what is wrong. */
const unfit: Error = new Error("value does not fit its type");

/** Stops writing. */
export function rejectValue(): never {
  throw unfit;
}

/** Begins a message, after so many bytes for whatever is to stand before it. */
export function openOutput(reserve: number): void {
  pos = reserve;
}

/** Takes the message, with the bytes before it. */
export function takeOutput(): Buffer {
  if (pos > maxCopiedBytes && pos * 2 > bytes.length) {
    const message = bytes.subarray(0, pos);
    bytes = Buffer.allocUnsafeSlow(initialBytes);
    return message;
  }
  const message = Buffer.allocUnsafe(pos);
  copyOutput(message, 0);
  return message;
}

/** Appends the message, with the bytes before it, to others. */
export function appendOutput(target: ByteWriter): void {
  target.reserve(pos);
  copyOutput(target.bytes, target.position);
  target.position += pos;
}

function copyOutput(target: Uint8Array, at: number): void {
  const from = bytes;
  const length = pos;
  if (length > maxLoopBytes) target.set(from.subarray(0, length), at);
  else for (let index = 0; index < length; index++) target[at + index] = from[index] as number;
  if (bytes.length > maxKeptBytes) bytes = Buffer.allocUnsafeSlow(initialBytes);
}

function makeRoom(needed: number): void {
  if (pos + needed > bytes.length) grow(needed);
}

function grow(needed: number): void {
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, pos + needed));
  bytes.copy(larger, 0, 0, pos);
  bytes = larger;
}

/** Writes a tag or a length: an unsigned integer of at most 32 bits. */
export function writeVarint(value: number): void {
  makeRoom(5);
  let rest = value;
  while (rest > 0x7f) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[pos++] = rest;
}

/** Writes 64 bits. */
function writeVarint64(low: number, high: number): void {
  makeRoom(10);
  let rest = low >>> 0;
  let more = high >>> 0;
  while (more > 0) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest = ((rest >>> 7) | (more << 25)) >>> 0;
    more >>>= 7;
  }
  writeVarint(rest);
}

function isInt32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

export function writeInt32(value: unknown): void {
  if (!isInt32(value)) rejectValue();
  if (value >= 0) writeVarint(value);
  else writeVarint64(value, -1);
}

export function writeUint32(value: unknown): void {
  if (typeof value !== "number" || value >>> 0 !== value) rejectValue();
  writeVarint(value);
}

export function writeSint32(value: unknown): void {
  if (!isInt32(value)) rejectValue();
  writeVarint(((value << 1) ^ (value >> 31)) >>> 0);
}

// The same eight bytes as every kind of 64-bit integer, and as two halves, the lower one first.
const eight = new Uint8Array(8);
const halves = new Int32Array(eight.buffer);
const int64s = new BigInt64Array(eight.buffer);
const uint64s = new BigUint64Array(eight.buffer);

/** Splits an integer into halves, which takes a tenth of the time of arithmetic with `bigint`. */
function splitInt64(value: unknown): void {
  if (typeof value !== "bigint") rejectValue();
  int64s[0] = value;
  if (int64s[0] !== value) rejectValue();
}

function splitUint64(value: unknown): void {
  if (typeof value !== "bigint") rejectValue();
  uint64s[0] = value;
  if (uint64s[0] !== value) rejectValue();
}

export function writeInt64(value: unknown): void {
  splitInt64(value);
  writeVarint64(halves[0] as number, halves[1] as number);
}

export function writeUint64(value: unknown): void {
  splitUint64(value);
  writeVarint64(halves[0] as number, halves[1] as number);
}

export function writeSint64(value: unknown): void {
  splitInt64(value);
  const low = halves[0] as number;
  const high = halves[1] as number;
  const sign = high >> 31;
  writeVarint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
}

export function writeFixed64(value: unknown): void {
  splitUint64(value);
  copyEight(8);
}

export function writeSfixed64(value: unknown): void {
  splitInt64(value);
  copyEight(8);
}

export function writeFixed32(value: unknown): void {
  if (typeof value !== "number" || value >>> 0 !== value) rejectValue();
  halves[0] = value;
  copyEight(4);
}

export function writeSfixed32(value: unknown): void {
  if (!isInt32(value)) rejectValue();
  halves[0] = value;
  copyEight(4);
}

function copyEight(length: number): void {
  makeRoom(length);
  for (let index = 0; index < length; index++) bytes[pos++] = eight[index] as number;
}

const float32s = new Float32Array(eight.buffer);
const float64s = new Float64Array(eight.buffer);

/** The greatest number that protobuf-es takes for a float. */
const maxFloat = 3.4028234663852886e38;

export function writeFloat(value: unknown): void {
  if (typeof value !== "number" || (Number.isFinite(value) && Math.abs(value) > maxFloat)) rejectValue();
  float32s[0] = value;
  copyEight(4);
}

export function writeDouble(value: unknown): void {
  if (typeof value !== "number") rejectValue();
  float64s[0] = value;
  copyEight(8);
}

export function writeBool(value: unknown): void {
  if (typeof value !== "boolean") rejectValue();
  makeRoom(1);
  bytes[pos++] = value ? 1 : 0;
}

export function writeBytes(value: unknown): void {
  if (!(value instanceof Uint8Array)) rejectValue();
  writeVarint(value.length);
  writeRaw(value);
}

/** Writes bytes without their length. */
export function writeRaw(value: Uint8Array): void {
  const { length } = value;
  makeRoom(length);
  if (length > maxLoopBytes) bytes.set(value, pos);
  else for (let index = 0; index < length; index++) bytes[pos + index] = value[index] as number;
  pos += length;
}

export function writeString(value: unknown): void {
  if (typeof value !== "string") rejectValue();
  const { length } = value;
  // In UTF-8 a UTF-16 unit takes three bytes at the most.
  makeRoom(length * 3 + 5);
  if (length <= maxLoopBytes && writeAscii(value)) return;
  const start = pos;
  const shift = varintLength(length);
  const actual = bytes.write(value, start + shift, "utf8");
  const needed = varintLength(actual);
  if (needed !== shift) bytes.copyWithin(start + needed, start + shift, start + shift + actual);
  writeVarint(actual);
  pos = start + needed + actual;
}

/** Returns false, with nothing written, if there are other characters. */
function writeAscii(value: string): boolean {
  const into = bytes;
  let at = pos;
  into[at++] = value.length;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit >= 0x80) return false;
    into[at++] = unit;
  }
  pos = at;
  return true;
}

/**
 * Leaves room for the length of what is written next.
 *
 * @param lengthBytes how many bytes the length is expected to take
 * @returns where the next byte goes
 */
export function openSized(lengthBytes: number): number {
  makeRoom(lengthBytes);
  pos += lengthBytes;
  return pos;
}

/**
 * Writes the length of what has been written since `openSized`.
 *
 * @param start what `openSized` has returned
 * @param lengthBytes what `openSized` was given
 * @returns how many bytes the length takes: a good guess for the next value of the kind
 */
export function closeSized(start: number, lengthBytes: number): number {
  const length = pos - start;
  const needed = varintLength(length);
  if (needed !== lengthBytes) moveTo(start, needed - lengthBytes);
  const end = pos;
  pos = start - lengthBytes;
  writeVarint(length);
  pos = end;
  return needed;
}

/** Moves what stands from a position on. */
function moveTo(start: number, shift: number): void {
  makeRoom(Math.max(shift, 0));
  bytes.copyWithin(start + shift, start, pos);
  pos += shift;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
