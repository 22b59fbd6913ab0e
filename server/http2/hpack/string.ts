// String literals: RFC 7541, section 5.2. A character over 0xff becomes "?": its low byte could be a line break.
import type { ByteWriter } from "../../byte-writer.js";
import { encodeHuffman, huffmanLength, latin1At } from "./huffman.js";
import { writeInteger } from "./integer.js";

const huffmanFlag = 0x80;
/** Up to here a loop costs less than a call into the platform. */
const maxLoopLength = 64;

const encoder = new TextEncoder();

/** Appends a string, in the Huffman code if that is shorter. */
export function writeHuffmanString(text: string, into: ByteWriter): void {
  const length = huffmanLength(text);
  if (length >= text.length) {
    writeString(text, into);
    return;
  }
  writeInteger(into, length, 7, huffmanFlag);
  into.reserve(length);
  into.position = encodeHuffman(text, into.bytes, into.position);
}

/** Appends a string as it is. */
export function writeString(text: string, into: ByteWriter): void {
  writeInteger(into, text.length, 7, 0);
  into.reserve(text.length);
  if (text.length > maxLoopLength && writeAscii(text, into)) return;
  const { bytes, position } = into;
  for (let index = 0; index < text.length; index++) bytes[position + index] = latin1At(text, index);
  into.position = position + text.length;
}

/** Returns false if there are other characters: in UTF-8 they take more bytes, and the text does not fit. */
function writeAscii(text: string, into: ByteWriter): boolean {
  const { bytes, position } = into;
  const end = position + text.length;
  const { read } = encoder.encodeInto(text, bytes.subarray(position, end));
  if (read === text.length) into.position = end;
  return read === text.length;
}
