// Integers with a prefix: RFC 7541, section 5.1.
import type { ByteWriter } from "../../byte-writer.js";

/** Of a larger integer nothing that HPACK counts makes sense. */
export const maxInteger: number = 2 ** 32 - 1;
/** Octets after the prefix of an integer up to `maxInteger`. */
export const maxContinuation = 5;

/**
 * Appends an integer up to `maxInteger`.
 *
 * @param prefixBits how many bits of the first octet it begins in, from 1 to 8
 * @param flags the bits of the first octet before the prefix
 */
export function writeInteger(into: ByteWriter, value: number, prefixBits: number, flags: number): void {
  into.reserve(1 + maxContinuation);
  const { bytes } = into;
  const prefixMask = (1 << prefixBits) - 1;
  if (value < prefixMask) {
    bytes[into.position++] = flags | value;
    return;
  }
  bytes[into.position++] = flags | prefixMask;
  let rest = value - prefixMask;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes[into.position++] = 0x80 | (rest & 0x7f);
  bytes[into.position++] = rest;
}
