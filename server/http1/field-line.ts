// Field lines of heads and trailers (RFC 9112 section 5).
import { isFieldValue, isToken } from "../http/header.js";
import { RequestError } from "./errors.js";

/** A well-formed field line. The same object may come again in the next head. */
export class FieldLine {
  /** As it was sent, without its end. */
  readonly text: string;
  /** As it was sent. */
  readonly rawName: string;
  /** In lower case. */
  readonly name: string;
  /** Without the white space around it. */
  readonly value: string;

  constructor(text: string, rawName: string, value: string) {
    this.text = text;
    this.rawName = rawName;
    this.name = rawName.toLowerCase();
    this.value = value;
  }
}

/** Reads a line without its end. @throws RequestError */
export function readFieldLine(text: string): FieldLine {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon));
  // White space before the colon, or at the front of a line that goes on with the one before, is none of a name.
  if (!isToken(name)) throw new RequestError(400, "field line: expected a name and a colon");
  const value = trim(text, colon + 1);
  if (!isFieldValue(value)) throw new RequestError(400, `${name}: invalid character`);
  return new FieldLine(text, name, value);
}

/** Takes spaces and tabs away from both ends. */
function trim(text: string, from: number): string {
  let [start, end] = [from, text.length];
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
