// Field lines of heads and trailers (RFC 9112 section 5).
import { isFieldValue, isToken } from "../http/header.js";
import { RequestError } from "./errors.js";

/** Name and value, without the white space around it. */
export type FieldLine = readonly [name: string, value: string];

/** Reads a line without its end. @throws RequestError */
export function readFieldLine(line: string): FieldLine {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  // White space before the colon, or at the front of a line that goes on with the one before, is none of a name.
  if (!isToken(name)) throw new RequestError(400, "field line: expected a name and a colon");
  const value = trim(line, colon + 1);
  if (!isFieldValue(value)) throw new RequestError(400, `${name}: invalid character`);
  return [name, value];
}

/** Takes spaces and tabs away from both ends. */
function trim(line: string, from: number): string {
  let [start, end] = [from, line.length];
  while (start < end && isSpace(line.charCodeAt(start))) start++;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
