// The JSON that is being read, as bytes, and where (https://www.rfc-editor.org/rfc/rfc8259). One input for all: reading is
// never interrupted. Every function begins with the next byte that is no white space.
import { unusual } from "./unusual.js";
import { textOf } from "./utf8.js";

/** What a value begins with, and what holds values together. */
export const signs = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

const backslash = 0x5c;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;

const empty = new Uint8Array();
let bytes: Uint8Array = empty;
let pos = 0;

/** Begins to read. */
export function openJson(source: Uint8Array): void {
  bytes = source;
  pos = 0;
}

/** Lets go of what has been read. */
export function closeJson(): void {
  bytes = empty;
}

/** The next byte, which is left where it is; undefined at the end. */
export function peek(): number | undefined {
  for (;;) {
    const byte = bytes[pos];
    if (byte === undefined || byte > 0x20) return byte;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) throw unusual;
    pos++;
  }
}

/** Takes the next byte, if it is this one. */
export function take(sign: number): boolean {
  if (peek() !== sign) return false;
  pos++;
  return true;
}

/** Takes the next byte, which has to be this one. */
export function expect(sign: number): void {
  if (!take(sign)) throw unusual;
}

/** Takes the next bytes, if they are these. */
export function takeAll(expected: Uint8Array): boolean {
  peek();
  for (let index = 0; index < expected.length; index++) {
    if (bytes[pos + index] !== expected[index]) return false;
  }
  pos += expected.length;
  return true;
}

/** Up to here a loop over bytes is cheaper than calls into the platform. */
const maxLoopBytes = 64;

export function readText(): string {
  expect(signs.quote);
  const start = pos;
  const end = start + maxLoopBytes;
  while (pos < end) {
    const byte = bytes[pos];
    if (byte === signs.quote) return usualText(bytes, start, pos++);
    if (byte === backslash) break;
    if (byte === undefined || byte < 0x20) throw unusual;
    pos++;
  }
  return readLongText(start);
}

/** Text that is long, or has escape sequences. */
function readLongText(start: number): string {
  do {
    pos = bytes.indexOf(signs.quote, pos) + 1;
    if (pos === 0) throw unusual;
  } while (isEscaped(pos - 1, start));
  const text: string = JSON.parse(usualText(bytes, start - 1, pos));
  if (!text.isWellFormed()) throw unusual;
  return text;
}

/** Whether an odd number of backslashes stands before a byte. */
function isEscaped(at: number, start: number): boolean {
  let first = at;
  while (first > start && bytes[first - 1] === backslash) first--;
  return (at - first) % 2 === 1;
}

/** More digits may be more than a number can hold. */
const maxDigits = 15;

export function readNumber(): number {
  const isNegative = take(minus);
  const start = pos;
  let value = 0;
  let digit = bytes[pos] as number;
  while (digit >= zero && digit <= nine) {
    value = value * 10 + digit - zero;
    digit = bytes[++pos] as number;
  }
  const digits = pos - start;
  const isSimple = digits > 0 && digits <= maxDigits && !isOfNumber(digit) && (digits === 1 || bytes[start] !== zero);
  if (!isSimple) return readOtherNumber(isNegative ? start - 1 : start);
  return isNegative ? -value : value;
}

/** A number with a fraction, an exponent or many digits, or none. */
function readOtherNumber(start: number): number {
  while (isOfNumber(bytes[pos] ?? 0)) pos++;
  return JSON.parse(usualText(bytes, start, pos));
}

/** Whether it is a digit, or one of `+-.eE`. */
function isOfNumber(byte: number): boolean {
  return (byte >= zero && byte <= nine) || byte === minus || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}

function usualText(source: Uint8Array, start: number, end: number): string {
  const text = textOf(source, start, end);
  if (text === undefined) throw unusual;
  return text;
}
