// The JSON that is being written, as bytes in memory that all messages share until they are whole. Each member of an object and
// each item of a list begins with a comma; `closeObject` and `closeList` put the bracket where the first of them stands.

/** Methods of `Buffer`, which take 50 to 100 ns. Browsers have `TextEncoder` and `TextDecoder` alone, which take longer. */
interface Slices {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  utf8Write(this: Uint8Array, text: string, start: number, length: number): number;
}

const slices = (typeof Buffer === "undefined" ? undefined : Buffer.prototype) as Slices | undefined;

const initialBytes = 16 * 1024;
/** More than this is not kept for the next message. */
const maxKeptBytes = 1024 * 1024;

/** Up to here a loop over characters is cheaper than a call into the platform, which takes 45 to 90 ns. */
const maxLoopLength = 20;

let bytes = new Uint8Array(initialBytes);
let view = new DataView(bytes.buffer);
let pos = 0;
let isAscii = true;

/** Begins a message. */
export function openOutput(): void {
  pos = 0;
  isAscii = !hasWideNames;
  if (bytes.length > maxKeptBytes) allocate(initialBytes);
}

function allocate(length: number): void {
  bytes = new Uint8Array(length);
  view = new DataView(bytes.buffer);
}

/** The position of the next byte. */
export function outputPosition(): number {
  return pos;
}

/** Drops what has been written from a position on. */
export function rewindOutput(position: number): void {
  pos = position;
}

const decoder = new TextDecoder();

/** Takes what has been written from a position on, as text. */
export function takeText(start: number): string {
  const end = pos;
  pos = start;
  if (slices === undefined) return decoder.decode(bytes.subarray(start, end));
  return isAscii ? slices.latin1Slice.call(bytes, start, end) : slices.utf8Slice.call(bytes, start, end);
}

/** Takes the message as bytes, after so many bytes for whatever is to stand before it. */
export function takeBytes(reserve: number): Buffer {
  const message = Buffer.allocUnsafe(reserve + pos);
  message.set(pos === bytes.length ? bytes : bytes.subarray(0, pos), reserve);
  return message;
}

function makeRoom(needed: number): void {
  if (pos + needed > bytes.length) grow(needed);
}

function grow(needed: number): void {
  const written = bytes.subarray(0, pos);
  allocate(Math.max(bytes.length * 2, pos + needed));
  bytes.set(written);
}

const comma = 0x2c;
const colon = 0x3a;
const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;

/** Writes an ASCII character. */
export function putCharacter(code: number): void {
  makeRoom(1);
  bytes[pos++] = code;
}

/** Begins an item of a list, or an entry of a map. */
export function putComma(): void {
  putCharacter(comma);
}

/** Writes what stands between key and value. */
export function putColon(): void {
  putCharacter(colon);
}

/** Ends the object whose members have been written from a position on. */
export function closeObject(start: number): void {
  close(start, 0x7b, 0x7d);
}

/** Ends the list whose items have been written from a position on. */
export function closeList(start: number): void {
  close(start, 0x5b, 0x5d);
}

function close(start: number, open: number, end: number): void {
  makeRoom(2);
  if (pos === start) pos++;
  bytes[start] = open;
  bytes[pos++] = end;
}

/** Takes the end of an object off, so that a member can be written, without its comma. */
export function reopenObject(start: number): void {
  pos--;
  if (pos - start > 1) putComma();
}

/** The name of a member as it is written: with a comma, quotes and a colon. */
export interface Name {
  /** Four bytes each. The last one is filled up. */
  readonly words: Int32Array;
  readonly length: number;
}

/** Whether any type has a name that is not ASCII: only a `json_name` of its own can be. */
let hasWideNames = false;

const utf8 = new TextEncoder();

/** Returns the name of a member as `putName` writes it. */
export function encodeName(name: string): Name {
  const text = `,${JSON.stringify(name)}:`;
  const encoded = utf8.encode(text);
  hasWideNames ||= encoded.length !== text.length;
  const filled = new Uint8Array(Math.ceil(encoded.length / 4) * 4);
  filled.set(encoded);
  const words = new DataView(filled.buffer);
  return {
    words: Int32Array.from({ length: filled.length / 4 }, (_, index) => words.getInt32(index * 4)),
    length: encoded.length,
  };
}

/** The name of a value that is no member. */
export const noName: Name = { words: new Int32Array(), length: 0 };

/** Begins a member. */
export function putName({ words, length }: Name): void {
  makeRoom(length + 3);
  for (let index = 0; index < words.length; index++) view.setInt32(pos + index * 4, words[index] as number);
  pos += length;
}

/** Writes ASCII text as it is. */
export function putAscii(text: string): void {
  const { length } = text;
  if (length > maxLoopLength) {
    putLong(text);
    return;
  }
  makeRoom(length);
  for (let index = 0; index < length; index++) bytes[pos + index] = text.charCodeAt(index);
  pos += length;
}

/** Whether exactly this ASCII text has been written from a position on. */
export function isWritten(start: number, text: string): boolean {
  if (pos - start !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** Writes any text as it is, and returns the number of its bytes. */
function putLong(text: string): number {
  makeRoom(text.length * 3);
  const written = slices?.utf8Write.call(bytes, text, pos, text.length * 3) ?? encodeInto(text);
  if (written !== text.length) isAscii = false;
  pos += written;
  return written;
}

function encodeInto(text: string): number {
  return utf8.encodeInto(text, bytes.subarray(pos)).written;
}

/**
 * Writes a string with its quotes.
 *
 * @returns false, with nothing written, for a string with a lone surrogate, which has no UTF-8
 */
export function putString(value: string): boolean {
  const { length } = value;
  if (length > maxLoopLength) return putLongString(value);
  makeRoom(length + 2);
  const start = pos + 1;
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x20 || unit >= 0x80 || unit === quote || unit === backslash) return putLongString(value);
    bytes[start + index] = unit;
  }
  bytes[pos] = quote;
  bytes[start + length] = quote;
  pos = start + length + 1;
  return true;
}

/** Writes a string as if it had nothing to be escaped, and looks at its bytes then. */
function putLongString(value: string): boolean {
  const start = pos;
  putCharacter(quote);
  const written = putLong(value);
  if (written !== value.length && !value.isWellFormed()) {
    pos = start;
    return false;
  }
  if (hasEscapes(start + 1, pos)) {
    pos = start;
    putLong(JSON.stringify(value));
  } else putCharacter(quote);
  return true;
}

/** Whether some bytes have any that must be escaped. Four bytes at a time: of each, the sign says whether it is one. */
function hasEscapes(start: number, end: number): boolean {
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word = view.getInt32(at);
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    const found = (word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101);
    // A byte from 0x80 on may say so, too, and may make the one before it say so: those are looked at one by one.
    if ((found & 0x80808080) !== 0 && hasEscapedByte(at, at + 4)) return true;
  }
  return hasEscapedByte(at, end);
}

function hasEscapedByte(start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte === quote || byte === backslash) return true;
  }
  return false;
}

/** Writes an integer of at most 53 bits. */
export function putInteger(value: number): void {
  makeRoom(17);
  if (value < 0) bytes[pos++] = minus;
  const size = Math.abs(value);
  if (size < billion) {
    putDigits(size, countDigits(size));
    return;
  }
  const high = Math.floor(size / billion);
  putDigits(high, countDigits(high));
  putDigits(size - high * billion, 9);
}

const billion = 1_000_000_000;

/** Writes an integer of at most 53 bits with quotes. */
export function putQuotedInteger(value: number): void {
  putCharacter(quote);
  putInteger(value);
  putCharacter(quote);
}

function countDigits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}

/** Writes the last digits of an integer of at most 31 bits. */
function putDigits(value: number, count: number): void {
  let rest = value | 0;
  for (let at = pos + count - 1; at >= pos; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = zero + rest - tenth * 10;
    rest = tenth;
  }
  pos += count;
}

/** Writes an integer of at most 31 bits with leading zeros. */
export function putPadded(value: number, count: number): void {
  makeRoom(count);
  putDigits(value, count);
}

/** Writes a number that is neither infinite nor NaN. -0 keeps its sign. */
export function putNumber(value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) putInteger(value);
  else if (!putDecimal(value)) putAscii(Object.is(value, -0) ? "-0" : String(value));
}

/** Numbers up to here times 1000 are integers of at most 31 bits. */
const maxDecimal = 2_000_000;

/**
 * Writes a number that has at most three decimals, which takes a fifth of the time of `String`. No other number has so few
 * digits and is read as this one. Returns false, with nothing written, for other numbers.
 */
function putDecimal(value: number): boolean {
  const size = Math.abs(value);
  if (!(size < maxDecimal && size >= 0.001)) return false;
  let scale = 10;
  for (let decimals = 1; decimals <= 3; decimals++, scale *= 10) {
    const scaled = Math.round(size * scale);
    if (scaled / scale !== size) continue;
    const whole = Math.floor(size);
    if (value < 0) putCharacter(minus);
    putInteger(whole);
    putCharacter(dot);
    putPadded(scaled - whole * scale, decimals);
    return true;
  }
  return false;
}

/** Up to here a loop over bytes is cheaper than a call into the platform. */
const maxLoopBytes = 96;

const alphabet = utf8.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const padding = 0x3d;

/** Writes bytes as base64 with quotes. @param toBase64 does it for many bytes */
export function putBase64(value: Uint8Array, toBase64: (value: Uint8Array) => string): void {
  putCharacter(quote);
  if (value.length > maxLoopBytes) putLong(toBase64(value));
  else putShortBase64(value);
  putCharacter(quote);
}

function putShortBase64(value: Uint8Array): void {
  const { length } = value;
  makeRoom(Math.ceil(length / 3) * 4);
  for (let index = 0; index < length; index += 3) {
    const three =
      ((value[index] as number) << 16) |
      ((index + 1 < length ? (value[index + 1] as number) : 0) << 8) |
      (index + 2 < length ? (value[index + 2] as number) : 0);
    bytes[pos] = alphabet[three >> 18] as number;
    bytes[pos + 1] = alphabet[(three >> 12) & 0x3f] as number;
    bytes[pos + 2] = index + 1 < length ? (alphabet[(three >> 6) & 0x3f] as number) : padding;
    bytes[pos + 3] = index + 2 < length ? (alphabet[three & 0x3f] as number) : padding;
    pos += 4;
  }
}
