// The bytes that are being read, and where. One input for all: reading is never interrupted.
// https://protobuf.dev/programming-guides/encoding/
import { unusual } from "./unusual.js";
import { textOf } from "./utf8.js";

const float32 = new Float32Array(1);
const float32Bytes = new Uint8Array(float32.buffer);
const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);

let bytes: Uint8Array = new Uint8Array();

export const input: { pos: number; open(source: Uint8Array): void; close(): void } = {
  pos: 0,
  /** Begins to read. */
  open(source: Uint8Array): void {
    bytes = source;
    input.pos = 0;
  },
  /** Lets go of what has been read. */
  close(): void {
    bytes = empty;
  },
};

const empty = new Uint8Array();

/** A varint of at most 32 bits, as an unsigned number. Longer ones are unusual, but for negative `int32`. */
export function readUint32(): number {
  let byte = bytes[input.pos++];
  if (byte === undefined) throw unusual;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[input.pos++];
    if (byte === undefined) throw unusual;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  byte = bytes[input.pos++];
  if (byte === undefined || byte > 0x0f) throw unusual;
  return (value | (byte << 28)) >>> 0;
}

/** A varint of up to 64 bits: the low 32 of it, and the high 32 in `highBits`. */
let highBits = 0;
function readVarint64(): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[input.pos++];
    if (byte === undefined) throw unusual;
    const part = byte & 0x7f;
    if (shift < 28) low |= part << shift;
    else if (shift === 28) {
      low |= part << 28;
      high = part >>> 4;
    } else if (shift < 63) high |= part << (shift - 32);
    else if (byte > 1) throw unusual;
    else high |= part << 31;
    if (byte < 0x80) {
      highBits = high >>> 0;
      return low >>> 0;
    }
  }
  throw unusual;
}

export function readInt32(): number {
  return readVarint64() | 0;
}

export function readSint32(): number {
  const value = readUint32();
  return (value >>> 1) ^ -(value & 1);
}

export function readUint64(): bigint {
  const low = readVarint64();
  return highBits === 0 ? BigInt(low) : (BigInt(highBits) << 32n) | BigInt(low);
}

export function readInt64(): bigint {
  return BigInt.asIntN(64, readUint64());
}

export function readBool(): boolean {
  const byte = bytes[input.pos++];
  if (byte === undefined || byte > 1) throw unusual;
  return byte === 1;
}

export function readFloat(): number {
  copyTo(float32Bytes);
  return float32[0] as number;
}

export function readDouble(): number {
  copyTo(float64Bytes);
  return float64[0] as number;
}

function copyTo(target: Uint8Array): void {
  const start = input.pos;
  input.pos += target.length;
  if (input.pos > bytes.length) throw unusual;
  for (let index = 0; index < target.length; index++) target[index] = bytes[start + index] as number;
}

/** The end of what has a length before it. */
export function readEnd(): number {
  const length = readUint32();
  const end = input.pos + length;
  if (end > bytes.length) throw unusual;
  return end;
}

export function readBytes(): Uint8Array {
  const end = readEnd();
  const start = input.pos;
  input.pos = end;
  return bytes.subarray(start, end);
}

export function readString(): string {
  const end = readEnd();
  const start = input.pos;
  input.pos = end;
  return textOf(bytes, start, end);
}
