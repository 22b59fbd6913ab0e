// Makes strings of UTF-8.
import { unusual } from "./unusual.js";

/** About here a call into the platform becomes cheaper than joining characters. */
const maxJoined = 16;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of some of the bytes. @throws unusual, or TypeError where they are no UTF-8 */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > maxJoined) return decode(bytes, start, end);
  let text = "";
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte >= 0x80) return decode(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  const text = decoder.decode(bytes.subarray(start, end));
  // Others take a byte order mark away.
  if (text.startsWith("\ufeff")) throw unusual;
  return text;
}
