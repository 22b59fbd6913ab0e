// The JSON that is being read, as bytes, and the position in it (https://www.rfc-editor.org/rfc/rfc8259). One input for all:
// reading is never interrupted. Every function begins with the next byte that is no white space.
import { quote } from "../quote.js";
import { Fault } from "./json-read-error.js";
import { asciiOf, decodeUtf8, sharedTextOf, textOf } from "./utf8.js";

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
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const letterE = 0x65;
const letterN = 0x6e;
const letterU = 0x75;

const empty = new Uint8Array();
let bytes: Uint8Array = empty;
let pos = 0;

/** Begins to read, after a byte order mark if there is one. */
export function openJson(source: Uint8Array): void {
  bytes = source;
  pos = source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf ? 3 : 0;
}

/** Releases the bytes. */
export function closeJson(): void {
  bytes = empty;
}

/** Returns the position of the next byte. */
export function mark(): number {
  peek();
  return pos;
}

/** Goes back to a position. */
export function rewind(position: number): void {
  pos = position;
}

/** Returns the next byte without taking it; undefined at the end. */
export function peek(): number | undefined {
  for (;;) {
    const byte = bytes[pos];
    if (byte === undefined || byte > 0x20) return byte;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    pos++;
  }
}

/** Takes the next byte, if it is this one. */
export function take(sign: number): boolean {
  if (peek() !== sign) return false;
  pos++;
  return true;
}

/** Takes the next byte, which must be this one. */
export function expect(sign: number): void {
  if (!take(sign)) throw syntaxFault(JSON.stringify(String.fromCharCode(sign)));
}

/** Ends a list or an object. */
export function expectClose(sign: number): void {
  if (!take(sign)) throw syntaxFault(`"," or ${JSON.stringify(String.fromCharCode(sign))}`);
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

const utf8 = new TextEncoder();
const nullWord = utf8.encode("null");
const trueWord = utf8.encode("true");
const falseWord = utf8.encode("false");

/** Whether the next value begins as null does. */
export function isNullNext(): boolean {
  return peek() === letterN;
}

/** Takes the next value, if it is null. */
export function takeNull(): boolean {
  return isNullNext() && takeAll(nullWord);
}

/** Takes the next value, if it is true or false. */
export function takeBool(): boolean | undefined {
  if (takeAll(trueWord)) return true;
  return takeAll(falseWord) ? false : undefined;
}

/** Up to here a loop over bytes is cheaper than calls into the platform. */
const maxLoopBytes = 64;

/** Reads a string. */
export function readText(): string {
  const start = openText();
  let all = 0;
  for (const end = start + maxLoopBytes; pos < end; pos++) {
    const byte = bytes[pos] as number;
    if (byte === signs.quote) {
      const text = all < 0x80 ? asciiOf(bytes, start, pos) : (textOf(bytes, start, pos) ?? failText(start));
      pos++;
      return text;
    }
    if (byte === backslash) break;
    // Also at the end, where there is no byte.
    if (!(byte >= 0x20)) return failText(start);
    all |= byte;
  }
  return readLongText(start);
}

/** Reads a string as `readText` does. Equal short strings are the same. */
export function readSharedText(): string {
  const start = openText();
  for (const end = start + maxLoopBytes; pos < end; pos++) {
    const byte = bytes[pos] as number;
    if (byte === signs.quote) return sharedTextOf(bytes, start, pos++) ?? failText(start);
    if (byte === backslash) break;
    if (!(byte >= 0x20)) return failText(start);
  }
  return readLongText(start);
}

/** Takes the quotation mark before a string. Returns where the string begins. */
function openText(): number {
  if (!take(signs.quote)) throw syntaxFault("a string");
  return pos;
}

/** The text from one position to another. */
function textTo(end: number, start: number): string {
  return textOf(bytes, start, end) ?? failText(start);
}

/** A string that is long, or has escape sequences. */
function readLongText(start: number): string {
  do {
    pos = bytes.indexOf(signs.quote, pos) + 1;
    if (pos === 0) return failText(start);
  } while (isEscaped(pos - 1, start));
  const end = pos;
  const text = parseText(decodeUtf8(bytes, start - 1, end)) ?? failText(start);
  if (!text.isWellFormed()) throw new Fault("expected Unicode text, found a lone surrogate");
  return text;
}

function parseText(json: string | undefined): string | undefined {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Says what is wrong with a string, which begins after its quotation mark. */
function failText(start: number): never {
  pos = start - 1;
  skipText();
  throw syntaxFault("a string");
}

/** Whether an odd number of backslashes stands before a byte. */
function isEscaped(at: number, start: number): boolean {
  let first = at;
  while (first > start && bytes[first - 1] === backslash) first--;
  return (at - first) % 2 === 1;
}

/** Passes over a string without making one. Returns whether it has escape sequences. */
export function skipText(): boolean {
  if (!take(signs.quote)) throw syntaxFault("a string");
  const start = pos;
  let isAscii = true;
  let hasEscapes = false;
  for (let byte = bytes[pos]; byte !== signs.quote; byte = bytes[pos]) {
    if (byte === undefined || byte < 0x20) throw syntaxFault("the rest of a string");
    if (byte === backslash) {
      hasEscapes = true;
      skipEscape();
    } else {
      if (byte >= 0x80) isAscii = false;
      pos++;
    }
  }
  if (!isAscii && decodeUtf8(bytes, start, pos) === undefined) {
    pos = start - 1;
    throw new Fault("a string is not valid UTF-8", position());
  }
  pos++;
  return hasEscapes;
}

const escapes: ReadonlySet<number> = new Set(utf8.encode('"\\/bfnrt'));

function skipEscape(): void {
  pos++;
  const byte = bytes[pos];
  if (byte === letterU) {
    for (let count = 0; count < 4; count++) if (!isHexDigit(bytes[++pos])) throw syntaxFault("a hexadecimal digit");
  } else if (byte === undefined || !escapes.has(byte)) throw syntaxFault("an escape sequence");
  pos++;
}

function isHexDigit(byte = 0): boolean {
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** More digits may be more than a number can hold. */
const maxDigits = 15;

/** Reads an integer of at most 15 digits. Returns NaN, with nothing taken, for any other value. */
export function readShortInteger(): number {
  peek();
  return readDigits();
}

/** Reads an integer of at most 15 digits that is a string. Returns NaN, with nothing taken, for any other value. */
export function readQuotedInteger(): number {
  const start = mark();
  if (bytes[pos++] === signs.quote) {
    const value = readDigits();
    if (!Number.isNaN(value) && bytes[pos++] === signs.quote) return value;
  }
  pos = start;
  return Number.NaN;
}

function readDigits(): number {
  const first = pos;
  const isNegative = bytes[first] === minus;
  if (isNegative) pos++;
  const start = pos;
  let value = 0;
  let digit = bytes[pos] as number;
  while (digit >= zero && digit <= nine) {
    value = value * 10 + digit - zero;
    digit = bytes[++pos] as number;
  }
  const digits = pos - start;
  const isSimple =
    digits > 0 &&
    digits <= maxDigits &&
    digit !== dot &&
    (digit | 0x20) !== letterE &&
    (digits === 1 || bytes[start] !== zero);
  if (isSimple) return isNegative ? -value : value;
  pos = first;
  return Number.NaN;
}

/** Reads a number as text. */
export function readNumberText(): string {
  const start = mark();
  skipNumber();
  return textTo(pos, start);
}

/** Passes over a number. */
export function skipNumber(): void {
  take(minus);
  if (bytes[pos] === zero) pos++;
  else skipDigits();
  if (bytes[pos] === dot) {
    pos++;
    skipDigits();
  }
  if (((bytes[pos] ?? 0) | 0x20) !== letterE) return;
  pos++;
  if (bytes[pos] === minus || bytes[pos] === 0x2b) pos++;
  skipDigits();
}

function skipDigits(): void {
  if (!isDigit(bytes[pos])) throw syntaxFault("a digit");
  while (isDigit(bytes[pos])) pos++;
}

/** Whether the next value is a number. */
export function isNumberNext(): boolean {
  const byte = peek();
  return byte === minus || isDigit(byte);
}

/** What is wrong at the next byte. */
export function syntaxFault(expected: string): Fault {
  return new Fault(`expected ${expected}, found ${describeByte()}`, position());
}

function describeByte(): string {
  if (pos >= bytes.length) return "the end";
  const [character = ""] = new TextDecoder().decode(bytes.subarray(pos, pos + 4));
  return quote(character);
}

/** The line and the column of the next byte, in characters, from 1. */
function position(): string {
  let line = 1;
  let column = 1;
  for (let index = 0; index < pos; index++) {
    const byte = bytes[index] as number;
    if (byte === 0x0a) {
      line++;
      column = 1;
    } else if ((byte & 0xc0) !== 0x80) column++;
  }
  return `JSON line ${line}, column ${column}`;
}
