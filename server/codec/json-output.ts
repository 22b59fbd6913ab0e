// The JSON that is being written, as bytes in memory that all messages share. Only where there is `Buffer`: its methods make
// strings of bytes, and bytes of strings, in a tenth of the time that joining strings takes.
import { type ValueWriter, writeString } from "./json-write-scalar.js";

/** Whether the runtime has what this needs. Browsers do not. */
export const hasJsonOutput: boolean = typeof Buffer !== "undefined";

const initialBytes = 16 * 1024;
/** More than this is not kept for the next message. */
const maxKeptBytes = 1024 * 1024;

/** Up to here a loop over characters is cheaper than a call into the platform. */
const maxLoopLength = 48;

let bytes = new Uint8Array() as Buffer;
let pos = 0;
let isAscii = true;

/** Begins a message. */
export function openText(): void {
  pos = 0;
  isAscii = !hasWideNames;
  if (bytes.length > maxKeptBytes) bytes = Buffer.allocUnsafeSlow(initialBytes);
}

/** The position of the next byte. */
export function textPosition(): number {
  return pos;
}

/** Whether any type has a name that is not ASCII: only a `json_name` of its own can be. */
let hasWideNames = false;

const utf8 = new TextEncoder();

/** Returns the name of a member as `putName` writes it. */
export function encodeName(prefix: string): Uint8Array {
  const name = utf8.encode(`,${prefix}`);
  hasWideNames ||= name.length !== prefix.length + 1;
  return name;
}

/** Takes what has been written from a position on. */
export function takeText(start: number): string {
  const end = pos;
  pos = start;
  return bytes.toString(isAscii ? "latin1" : "utf8", start, end);
}

function makeRoom(needed: number): void {
  if (pos + needed <= bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, pos + needed, initialBytes));
  larger.set(bytes.subarray(0, pos));
  bytes = larger;
}

/** Writes an ASCII character. */
export function putCharacter(code: number): void {
  makeRoom(1);
  bytes[pos++] = code;
}

/** Writes the name of a member, which begins with a comma, but without the comma where the first name would stand. */
export function putName(first: number, name: Uint8Array): void {
  const { length } = name;
  makeRoom(length);
  let at = pos;
  for (let index = pos === first ? 1 : 0; index < length; index++) bytes[at++] = name[index] as number;
  pos = at;
}

/** Writes text as it is. */
export function putText(text: string): void {
  const { length } = text;
  makeRoom(length * 3);
  if (length <= maxLoopLength && putAscii(text)) return;
  const written = bytes.write(text, pos);
  isAscii &&= written === length;
  pos += written;
}

/** Returns false, with nothing written, if there are other characters. */
function putAscii(text: string): boolean {
  let at = pos;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return false;
    bytes[at++] = unit;
  }
  pos = at;
  return true;
}

const quote = 0x22;
const backslash = 0x5c;

/** Writes a string: in one pass, if it is short and has nothing to be escaped. @throws JsonWriteError as `writeString` does */
export function putString(value: unknown): void {
  if (typeof value !== "string" || value.length > maxLoopLength) {
    putText(writeString(value));
    return;
  }
  const { length } = value;
  makeRoom(length + 2);
  let at = pos;
  bytes[at++] = quote;
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x20 || unit >= 0x80 || unit === quote || unit === backslash) {
      putText(writeString(value));
      return;
    }
    bytes[at++] = unit;
  }
  bytes[at++] = quote;
  pos = at;
}

/** Returns what writes a message as a string of its own, by a function that puts it here. */
export function textWriter(put: (message: unknown) => void): ValueWriter {
  return (message) => {
    const start = pos;
    put(message);
    return takeText(start);
  };
}
