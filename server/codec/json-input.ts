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

const initialBytes = 16 * 1024;
/** More than this is not kept for the next message. */
const maxKeptBytes = 1024 * 1024;
/** What follows the JSON: zeros, which end every loop. No JSON has one. */
const endBytes = 8;

/** A copy of the JSON, in memory that all messages share. */
let bytes = new Uint8Array(initialBytes);
let view = new DataView(bytes.buffer);
let end = 0;
let pos = 0;

/** Begins to read, after a byte order mark if there is one. */
export function openJson(source: Uint8Array): void {
  end = source.length;
  if (end + endBytes > bytes.length) allocate(Math.max(end + endBytes, Math.min(bytes.length * 2, maxKeptBytes)));
  bytes.set(source);
  bytes.fill(0, end, end + endBytes);
  pos = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Releases the bytes, and what has been made of them. */
export function closeJson(): void {
  closeWindow();
  if (bytes.length > maxKeptBytes) allocate(initialBytes);
}

function allocate(length: number): void {
  bytes = new Uint8Array(length);
  view = new DataView(bytes.buffer);
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

/** Whether nothing but white space is left. */
export function isAtEnd(): boolean {
  peek();
  return pos === end;
}

/** Returns the next byte without taking it; 0 at the end. */
export function peek(): number {
  const byte = bytes[pos] as number;
  return byte > 0x20 ? byte : skipSpace();
}

function skipSpace(): number {
  for (;;) {
    const byte = bytes[pos] as number;
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

/** Text of ASCII that is compared with the next bytes, four at a time. */
export interface Word {
  readonly words: Int32Array;
  /** The last four bytes. */
  readonly last: number;
  readonly length: number;
}

/** Returns the name of a member as it mostly stands in JSON: with quotes and a colon. */
export function encodeName(name: string): Word {
  const encoded = utf8.encode(`${JSON.stringify(name)}:`);
  const { length, buffer, byteOffset } = encoded;
  const source = new DataView(buffer, byteOffset, length);
  return {
    words: Int32Array.from({ length: Math.floor(length / 4) }, (_, index) => source.getInt32(index * 4)),
    last: source.getInt32(length - 4),
    length,
  };
}

/** Trying more names would take longer than looking one up. */
const maxTried = 8;

/**
 * Takes the next name with its colon, if it is one of these. Members mostly come in the order of their type, so those that may
 * be next are tried.
 *
 * @param first the index of the first name that is tried
 * @returns the index of the name, or -1
 */
export function takeName(names: readonly Word[], first: number): number {
  peek();
  const start = view.getInt32(pos);
  const stop = Math.min(first + maxTried, names.length);
  for (let index = first; index < stop; index++) {
    const name = names[index] as Word;
    if (name.words[0] === start && isNext(name)) {
      pos += name.length;
      return index;
    }
  }
  return -1;
}

function isNext({ words, last, length }: Word): boolean {
  for (let index = 1; index < words.length; index++) {
    if (view.getInt32(pos + index * 4) !== words[index]) return false;
  }
  return view.getInt32(pos + length - 4) === last;
}

/** Reads a string. */
export function readText(): string {
  const start = openText();
  if (!scanAscii()) return readOtherText(start);
  return asciiTo(pos++, start);
}

/** Reads a string as `readText` does. Equal short strings are the same. */
export function readSharedText(): string {
  const start = openText();
  if (!scanAscii()) return readOtherText(start);
  return sharedTextOf(bytes, start, pos++) as string;
}

/** Goes to the end of a string. Returns false at a byte that is not plain ASCII: it may be an escape sequence, or invalid. */
function scanAscii(): boolean {
  let at = pos;
  // Four bytes at a time: of each, the sign says whether it may be a special one.
  for (; ; at += 4) {
    const word = view.getInt32(at);
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    const special = (word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101) | word;
    if ((special & 0x80808080) !== 0) break;
  }
  let byte = bytes[at] as number;
  while (byte !== signs.quote && byte !== backslash && byte >= 0x20 && byte < 0x80) byte = bytes[++at] as number;
  pos = at;
  return byte === signs.quote;
}

/** A string that is not plain ASCII. */
function readOtherText(start: number): string {
  let byte = bytes[pos] as number;
  while (byte !== signs.quote && byte !== backslash && byte >= 0x20) byte = bytes[++pos] as number;
  if (byte === signs.quote) return textOf(bytes, start, pos++) ?? failText(start);
  while (byte !== signs.quote && byte >= 0x20) {
    if (byte === backslash) pos++;
    byte = bytes[++pos] as number;
  }
  if (byte !== signs.quote) return failText(start);
  pos++;
  const text = parseText(textOf(bytes, start - 1, pos)) ?? failText(start);
  if (!text.isWellFormed()) throw new Fault("expected Unicode text, found a lone surrogate");
  return text;
}

/**
 * A part of the JSON as text. A slice of it takes a fifth of the time that making a string of bytes takes. A slice may keep
 * all of the window in memory, so the window is small, and long strings are made of bytes.
 */
let window = "";
let windowStart = 0;
const windowBytes = 1024;
const maxSlice = 128;

function closeWindow(): void {
  window = "";
  windowStart = 0;
}

/** The text from one position to another, which is ASCII. */
function asciiTo(stop: number, start: number): string {
  if (stop - start > maxSlice) return asciiOf(bytes, start, stop);
  if (stop > windowStart + window.length || start < windowStart) {
    window = asciiOf(bytes, start, Math.min(start + windowBytes, end));
    windowStart = start;
  }
  return window.slice(start - windowStart, stop - windowStart);
}

/** Takes the quotation mark before a string. Returns where the string begins. */
function openText(): number {
  if (!take(signs.quote)) throw syntaxFault("a string");
  return pos;
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

/** Passes over a string without making one. Returns whether it has escape sequences. */
export function skipText(): boolean {
  if (!take(signs.quote)) throw syntaxFault("a string");
  const start = pos;
  let isAscii = true;
  let hasEscapes = false;
  for (let byte = bytes[pos] as number; byte !== signs.quote; byte = bytes[pos] as number) {
    if (byte < 0x20) throw syntaxFault("the rest of a string");
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
  const byte = bytes[pos] as number;
  if (byte === letterU) {
    for (let count = 0; count < 4; count++)
      if (!isHexDigit(bytes[++pos] as number)) throw syntaxFault("a hexadecimal digit");
  } else if (!escapes.has(byte)) throw syntaxFault("an escape sequence");
  pos++;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
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
  const value = passDigits(0);
  const digits = pos - start;
  const digit = bytes[pos] as number;
  if (isShortNumber(start, digits) && digit !== dot && (digit | 0x20) !== letterE) return isNegative ? -value : value;
  pos = first;
  return Number.NaN;
}

/** Reads a number of at most 15 digits without an exponent. Returns NaN, with nothing taken, for any other value. */
export function readShortNumber(): number {
  peek();
  const first = pos;
  const isNegative = bytes[first] === minus;
  if (isNegative) pos++;
  const start = pos;
  let value = passDigits(0);
  let digits = pos - start;
  const isShort = isShortNumber(start, digits);
  if (isShort && bytes[pos] === dot) {
    const fraction = ++pos;
    const whole = digits;
    value = passDigits(value);
    digits += pos - fraction;
    // A quotient of integers is the number that its digits are read as, as long as both are exact.
    value = digits > whole && digits <= maxDigits ? value / (powersOfTen[digits - whole] as number) : Number.NaN;
  }
  if (isShort && ((bytes[pos] as number) | 0x20) !== letterE && !Number.isNaN(value))
    return isNegative ? -value : value;
  pos = first;
  return Number.NaN;
}

const powersOfTen = Array.from({ length: maxDigits + 1 }, (_, exponent) => 10 ** exponent);

/** Takes digits, and adds them to the end of a number. */
function passDigits(before: number): number {
  let value = before;
  let digit = bytes[pos] as number;
  while (digit >= zero && digit <= nine) {
    value = value * 10 + digit - zero;
    digit = bytes[++pos] as number;
  }
  return value;
}

/** Whether so many digits are a JSON number that is exact. */
function isShortNumber(start: number, digits: number): boolean {
  return digits > 0 && digits <= maxDigits && (digits === 1 || bytes[start] !== zero);
}

/** Returns the byte that so many come before, from the next one. */
export function byteAt(offset: number): number {
  return bytes[pos + offset] as number;
}

/** Returns the number that some of the following bytes are as digits; NaN if they are not. */
export function digitsAt(offset: number, count: number): number {
  let value = 0;
  for (let index = pos + offset; index < pos + offset + count; index++) {
    const digit = (bytes[index] as number) - zero;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Takes so many bytes. */
export function skip(count: number): void {
  pos += count;
}

/** Reads a number as text. */
export function readNumberText(): string {
  const start = mark();
  skipNumber();
  return asciiTo(pos, start);
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
  if (((bytes[pos] as number) | 0x20) !== letterE) return;
  pos++;
  if (bytes[pos] === minus || bytes[pos] === 0x2b) pos++;
  skipDigits();
}

function skipDigits(): void {
  if (!isDigit(bytes[pos] as number)) throw syntaxFault("a digit");
  while (isDigit(bytes[pos] as number)) pos++;
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
  if (pos >= end) return "the end";
  const [character = ""] = new TextDecoder().decode(bytes.subarray(pos, Math.min(pos + 4, end)));
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
