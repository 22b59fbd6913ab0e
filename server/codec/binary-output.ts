// The bytes that are being written, in memory that all messages share until they are whole.

const initialBytes = 16 * 1024;
/** More than this is not kept for the next message. */
const maxKeptBytes = 1024 * 1024;

/** Up to here copying byte by byte is cheaper than a call into the platform. */
const maxLoopBytes = 64;

let bytes = Buffer.allocUnsafeSlow(initialBytes);
let pos = 0;

/** Begins a message. */
export function openOutput(): void {
  pos = 0;
}

/** Takes the message, after so many bytes for whatever is to stand before it. */
export function takeOutput(reserve: number): Buffer {
  const message = Buffer.allocUnsafe(reserve + pos);
  if (pos > maxLoopBytes) bytes.copy(message, reserve, 0, pos);
  else for (let index = 0; index < pos; index++) message[reserve + index] = bytes[index] as number;
  if (bytes.length > maxKeptBytes) bytes = Buffer.allocUnsafeSlow(initialBytes);
  return message;
}

function makeRoom(needed: number): void {
  if (pos + needed <= bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, pos + needed));
  bytes.copy(larger, 0, 0, pos);
  bytes = larger;
}

/** @param value an unsigned integer of at most 32 bits */
export function writeUint32(value: number): void {
  makeRoom(5);
  let rest = value;
  while (rest > 0x7f) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[pos++] = rest;
}

export function writeInt32(value: number): void {
  if (value >= 0) writeUint32(value);
  else writeUint64(BigInt.asUintN(64, BigInt(value)));
}

export function writeUint64(value: bigint): void {
  makeRoom(10);
  let low = Number(BigInt.asUintN(32, value));
  let high = Number(value >> 32n);
  while (high > 0) {
    bytes[pos++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  writeUint32(low);
}

export function writeBool(value: boolean): void {
  makeRoom(1);
  bytes[pos++] = value ? 1 : 0;
}

export function writeFloat(value: number): void {
  makeRoom(4);
  pos = bytes.writeFloatLE(value, pos);
}

export function writeDouble(value: number): void {
  makeRoom(8);
  pos = bytes.writeDoubleLE(value, pos);
}

export function writeBytes(value: Uint8Array): void {
  writeUint32(value.length);
  makeRoom(value.length);
  bytes.set(value, pos);
  pos += value.length;
}

/** Up to here a loop over characters is cheaper than a call into the platform. */
const maxAsciiLength = 32;

export function writeString(value: string): void {
  // In UTF-8 a UTF-16 unit takes three bytes at the most.
  makeRoom(value.length * 3 + 5);
  if (value.length <= maxAsciiLength && writeAscii(value)) return;
  const start = pos;
  const shift = varintLength(value.length);
  const length = bytes.write(value, start + shift, "utf8");
  const actual = varintLength(length);
  if (actual !== shift) bytes.copyWithin(start + actual, start + shift, start + shift + length);
  writeUint32(length);
  pos = start + actual + length;
}

/** Returns false, with nothing written, if there are other characters. */
function writeAscii(value: string): boolean {
  const start = pos;
  bytes[pos++] = value.length;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit >= 0x80) {
      pos = start;
      return false;
    }
    bytes[pos++] = unit;
  }
  return true;
}

/** Writes something with its length before it. */
export function writeSized(write: () => void): void {
  makeRoom(1);
  const start = pos++;
  write();
  const length = pos - start - 1;
  const surplus = varintLength(length) - 1;
  if (surplus > 0) {
    makeRoom(surplus);
    bytes.copyWithin(start + 1 + surplus, start + 1, pos);
  }
  const end = pos + surplus;
  pos = start;
  writeUint32(length);
  pos = end;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
