// Reads the parts of a header block: integers (RFC 7541, section 5.1) and strings (section 5.2).
import { HpackError } from "./hpack-error.js";
import { decodeHuffman, roomToDecode } from "./huffman.js";
import { maxContinuation, maxInteger } from "./integer.js";
import { latin1Slice } from "./latin1.js";

const initialScratchBytes = 4096;

/** Where Huffman codes are decoded to, before they become a string. One for all: nothing stays in it. */
let scratch = new Uint8Array(initialScratchBytes);

export class BlockReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** Length in bytes of the string that `readString` came to last, made or not. */
  stringLength = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Reads an integer that begins in the low bits of the next octet. */
  readInteger(prefixMask: number): number {
    const prefix = (this.bytes[this.position++] as number) & prefixMask;
    return prefix < prefixMask ? prefix : this.#readContinuation(prefix);
  }

  #readContinuation(prefix: number): number {
    const start = this.position - 1;
    let value = prefix;
    let factor = 1;
    for (let count = 0; count < maxContinuation; count++) {
      const octet = this.bytes[this.position++];
      if (octet === undefined)
        throw new HpackError(`byte ${start}: expected the rest of an integer, found the end of the block`);
      value += (octet & 0x7f) * factor;
      factor *= 0x80;
      if (octet > 0x7f) continue;
      if (value <= maxInteger) return value;
      break;
    }
    throw new HpackError(`byte ${start}: expected an integer up to ${maxInteger}, found a larger or longer one`);
  }

  /**
   * Reads a string literal. Makes no string of one that is longer than `maxLength`, but checks it all the same.
   *
   * @returns undefined if it is longer
   */
  readString(maxLength: number): string | undefined {
    const { bytes } = this;
    const at = this.position;
    const octet = bytes[at];
    if (octet === undefined) throw new HpackError(`byte ${at}: expected a string, found the end of the block`);
    const length = this.readInteger(0x7f);
    const start = this.position;
    const end = start + length;
    if (end > bytes.length) {
      throw new HpackError(`byte ${at}: expected a string of ${length} bytes, found ${bytes.length - start}`);
    }
    this.position = end;
    if (octet < 0x80) {
      this.stringLength = length;
      return length > maxLength ? undefined : latin1Slice(bytes, start, end);
    }
    const room = roomToDecode(length);
    if (room > scratch.length) scratch = new Uint8Array(room);
    const decoded = decodeHuffman(bytes, start, end, scratch);
    if (decoded < 0) throw new HpackError(`byte ${at}: invalid Huffman code or padding`);
    this.stringLength = decoded;
    return decoded > maxLength ? undefined : latin1Slice(scratch, 0, decoded);
  }
}
