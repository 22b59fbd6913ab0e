// Passes over JSON values that nothing is made of, and says what a value is.
import { quote, shorten } from "../quote.js";
import {
  expect,
  expectClose,
  isNumberNext,
  mark,
  peek,
  readNumberText,
  readText,
  rewind,
  signs,
  skipNumber,
  skipText,
  syntaxFault,
  take,
  takeAll,
  takeBool,
  takeNull,
} from "./json-input.js";
import { Fault } from "./json-read-error.js";

/** The name of the member that has the type of an Any. */
export const typeName = "@type";
const typeMember = new TextEncoder().encode(`"${typeName}"`);

/**
 * Passes over one value of any depth.
 *
 * @param typeUrls gets the `@type` of each object within the value that has one as text, by the position of the object
 */
export function skipValue(typeUrls?: Map<number, string>): void {
  /** The open objects and lists, as their positions. Those of lists are negative. */
  const open: number[] = [];
  do {
    const start = mark();
    if (take(signs.openObject)) {
      if (!take(signs.closeObject)) {
        open.push(start);
        skipName(start, typeUrls);
        continue;
      }
    } else if (take(signs.openList)) {
      if (!take(signs.closeList)) {
        open.push(-1 - start);
        continue;
      }
    } else skipScalar();
    skipClosing(open, typeUrls);
  } while (open.length > 0);
}

/** Passes over what stands between one value and the next. */
function skipClosing(open: number[], typeUrls: Map<number, string> | undefined): void {
  for (let start = open.at(-1); start !== undefined; start = open.at(-1)) {
    if (take(signs.comma)) {
      if (start >= 0) skipName(start, typeUrls);
      return;
    }
    expectClose(start >= 0 ? signs.closeObject : signs.closeList);
    open.pop();
  }
}

function skipName(start: number, typeUrls: Map<number, string> | undefined): void {
  if (typeUrls === undefined) {
    skipText();
    expect(signs.colon);
    return;
  }
  const isType = takeTypeName();
  expect(signs.colon);
  if (!isType || peek() !== signs.quote || typeUrls.has(start)) return;
  const value = mark();
  typeUrls.set(start, readText());
  rewind(value);
}

/** Passes over a name. Returns whether it is `@type`, which may be written with escape sequences. */
export function takeTypeName(): boolean {
  if (takeAll(typeMember)) return true;
  const start = mark();
  if (!skipText()) return false;
  rewind(start);
  return readText() === typeName;
}

function skipScalar(): void {
  if (peek() === signs.quote) skipText();
  else if (isNumberNext()) skipNumber();
  else if (!takeNull() && takeBool() === undefined) throw syntaxFault("a value");
}

/** Rejects the next value, which is not what the field has. */
export function rejectValue(expected: string): never {
  throw new Fault(`expected ${expected}, found ${describeValue()}`);
}

/** Rejects a text that is not what the field has. */
export function rejectText(expected: string, text: string): never {
  throw new Fault(`expected ${expected}, found ${quote(text)}`);
}

/** Rejects a number that is not what the field has. */
export function rejectNumber(expected: string, number: number | string): never {
  throw new Fault(`expected ${expected}, found ${shorten(String(number))}`);
}

function describeValue(): string {
  if (peek() === signs.openObject) return "an object";
  if (peek() === signs.openList) return "an array";
  if (peek() === signs.quote) return quote(readText());
  if (isNumberNext()) return shorten(readNumberText());
  if (takeNull()) return "null";
  const bool = takeBool();
  if (bool === undefined) throw syntaxFault("a value");
  return String(bool);
}
