// Reads base64 straight from JSON, without a string.
import { byteAt, peek, signs, skip } from "./json-input.js";

const noSextet = 0xff;
/** The values of the digits of base64, by their codes. */
const sextets = new Uint8Array(256).fill(noSextet);
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (const [value, digit] of [...digits].entries()) sextets[digit.charCodeAt(0)] = value;

const padding = 0x3d;
/** From here on the platform decodes base64 in less time than a loop. */
const maxDigits = 512;

/** Reads a short string with the usual alphabet and padding. Returns undefined, with nothing taken, for any other value. */
export function readShortBase64(): Uint8Array | undefined {
  if (peek() !== signs.quote) return undefined;
  let digits = 0;
  while (sextets[byteAt(1 + digits)] !== noSextet) digits++;
  let length = digits;
  while (byteAt(1 + length) === padding && length < digits + 2) length++;
  if (byteAt(1 + length) !== signs.quote || length % 4 !== 0 || digits > maxDigits) return undefined;
  const decoded = decode((digits * 3) >> 2);
  skip(length + 2);
  return decoded;
}

function decode(length: number): Uint8Array {
  const decoded = new Uint8Array(length);
  for (let index = 0, at = 1; index < length; index += 3, at += 4) {
    const four = (sextet(at) << 18) | (sextet(at + 1) << 12) | (sextet(at + 2) << 6) | sextet(at + 3);
    decoded[index] = four >> 16;
    if (index + 1 < length) decoded[index + 1] = four >> 8;
    if (index + 2 < length) decoded[index + 2] = four;
  }
  return decoded;
}

/** The value of a digit. What padding has instead is not kept. */
function sextet(offset: number): number {
  return (sextets[byteAt(offset)] as number) & 0x3f;
}
