// Reads the parts of a header block: integers (RFC 7541, section 5.1) and strings (section 5.2).
import { hashBytes } from "./bytes.js";
import { decodeHuffman, roomToDecode } from "./huffman.js";
import { maxContinuation, maxInteger } from "./integer.js";
import { latin1Slice } from "./latin1.js";
import { maxCachedBytes, StringCache } from "./string-cache.js";

/** A header block that is not HPACK. The decoder is out of step with its peer: COMPRESSION_ERROR for the connection. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}

const initialScratchBytes = 4096;
const maxScratchBytes = 64 * 1024;

/** Where Huffman codes are decoded to, before they become a string. One for all: nothing stays in it. */
let scratch = new Uint8Array(initialScratchBytes);
/** One for all connections, because they begin alike. */
const cache = new StringCache();

export class BlockReader {
  readonly bytes: Uint8Array;
  readonly #start: number;
  readonly end: number;
  position: number;
  /** Length in bytes of the string that `readString` came to last, made or not. */
  stringLength = 0;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.#start = start;
    this.position = start;
    this.end = end;
  }

  /** Reads an integer that begins in the low bits of the next octet, which there must be. */
  readInteger(prefixMask: number): number {
    const prefix = (this.bytes[this.position++] as number) & prefixMask;
    return prefix < prefixMask ? prefix : this.#readContinuation(prefix);
  }

  #readContinuation(prefix: number): number {
    const at = this.position - 1;
    let value = prefix;
    let factor = 1;
    for (let count = 0; count < maxContinuation; count++) {
      if (this.position >= this.end) throw this.error(at, "the rest of an integer", "the end of the block");
      const octet = this.bytes[this.position++] as number;
      value += (octet & 0x7f) * factor;
      factor *= 0x80;
      if (octet > 0x7f) continue;
      if (value <= maxInteger) return value;
      break;
    }
    throw this.error(at, `an integer up to ${maxInteger}`, "a larger or longer one");
  }

  /**
   * Reads a string literal. Makes no string of one that is longer than `maxLength`, but checks it all the same.
   *
   * @param isSecret whether it must not stay in memory that connections share
   * @returns undefined if it is longer
   */
  readString(maxLength: number, isSecret: boolean): string | undefined {
    const at = this.position;
    if (at >= this.end) throw this.error(at, "a string", "the end of the block");
    const isHuffman = (this.bytes[at] as number) > 0x7f;
    const length = this.readInteger(0x7f);
    const start = this.position;
    if (length > this.end - start) {
      throw this.error(at, `a string of ${length} bytes`, `${this.end - start} up to the end of the block`);
    }
    this.position = start + length;
    if (isSecret || length > maxCachedBytes) return this.#makeString(start, isHuffman, maxLength);
    return this.#findString(start, isHuffman, maxLength);
  }

  #findString(start: number, isHuffman: boolean, maxLength: number): string | undefined {
    const { bytes, position } = this;
    const hash = hashBytes(bytes, start, position);
    const found = cache.find(bytes, start, position, isHuffman, hash);
    if (found !== undefined) {
      this.stringLength = found.length;
      return found.length > maxLength ? undefined : found;
    }
    const made = this.#makeString(start, isHuffman, maxLength);
    if (made !== undefined) cache.offer(bytes, start, position, isHuffman, hash, made);
    return made;
  }

  /** Makes a string of the bytes from `start` to the position. */
  #makeString(start: number, isHuffman: boolean, maxLength: number): string | undefined {
    const { bytes, position } = this;
    if (!isHuffman) {
      this.stringLength = position - start;
      return this.stringLength > maxLength ? undefined : latin1Slice(bytes, start, position);
    }
    const into = scratchOf(roomToDecode(position - start));
    const length = decodeHuffman(bytes, start, position, into);
    if (length < 0) throw this.error(start, "a Huffman code padded with less than 8 ones", "another one");
    this.stringLength = length;
    return length > maxLength ? undefined : latin1Slice(into, 0, length);
  }

  /** @param at a position in `bytes` */
  error(at: number, expected: string, found: string): HpackError {
    return new HpackError(`header block, byte ${at - this.#start}: expected ${expected}, found ${found}`);
  }
}

/** Returns room for so many bytes. What one huge string took is not kept. */
function scratchOf(room: number): Uint8Array {
  if (room <= scratch.length) return scratch;
  const larger = new Uint8Array(room);
  if (room <= maxScratchBytes) scratch = larger;
  return larger;
}
