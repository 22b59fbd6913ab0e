// Keeps bytes that arrive in pieces until they are wanted in one piece.

/** A shorter piece costs more as an object than as bytes, and is copied. */
const smallBytes = 1024;
const blockBytes = 8 * 1024;

/** Bytes that have arrived. However small their pieces, they take little more memory than their length. */
export class ByteBuffer {
  #pieces: Buffer[] = [];
  #length = 0;
  /** Memory that small pieces are copied into, and how much of it is used. */
  #block: Buffer | undefined;
  #blockUsed = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    this.#length += piece.length;
    // What is alone is often all there will be, and stays; others are joined soon.
    if (this.#length === piece.length) this.#pieces.push(ownBytes(piece, 2));
    else if (piece.length >= smallBytes) this.#add(ownBytes(piece, 8));
    else this.#copy(piece);
  }

  /** All bytes in one piece, which stay. */
  join(): Buffer {
    this.#closeBlock();
    const [first] = this.#pieces;
    if (first !== undefined && this.#pieces.length === 1) return first;
    const joined = Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [joined];
    return joined;
  }

  /** All bytes in one piece, which go. */
  take(): Buffer {
    const bytes = this.join();
    this.#pieces = [];
    this.#length = 0;
    return bytes;
  }

  #add(piece: Buffer): void {
    this.#closeBlock();
    this.#pieces.push(piece);
  }

  #copy(piece: Buffer): void {
    if (this.#block === undefined || this.#blockUsed + piece.length > blockBytes) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
    }
    this.#block.set(piece, this.#blockUsed);
    this.#blockUsed += piece.length;
  }

  #closeBlock(): void {
    if (this.#block !== undefined) this.#pieces.push(this.#block.subarray(0, this.#blockUsed));
    this.#block = undefined;
    this.#blockUsed = 0;
  }
}

/** The piece, or a copy of it, if it keeps so many times as much memory alive. */
function ownBytes(piece: Buffer, times: number): Buffer {
  return piece.length * times < piece.buffer.byteLength ? Buffer.from(piece) : piece;
}

/** A part of a chunk as plain bytes, in the same memory. */
export function takeBytes(chunk: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start);
}
