// Splits a body into the messages of gRPC: a byte of flags, four of the length, and the message.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#requests
import { Code, ConnectError } from "@connectrpc/connect";

export const envelopeHeadBytes = 5;
const compressedFlag = 1;
/** A longer message gets its memory as its bytes come: what a server only announces takes none. */
const firstBytes = 64 * 1024;

/** One message as it came. */
export interface Envelope {
  readonly isCompressed: boolean;
  /** A part of the chunk that the message came in, or a copy if it came in several. */
  readonly data: Uint8Array;
}

export class EnvelopeReader {
  readonly #readMaxBytes: number;
  readonly #head = new Uint8Array(envelopeHeadBytes);
  #headBytes = 0;
  /** A message of which a part has come. */
  #data: Uint8Array | undefined;
  #dataBytes = 0;
  /** The length that it is going to have. */
  #length = 0;
  #chunk: Uint8Array = this.#head;
  #position = 0;
  #end = 0;

  constructor(readMaxBytes: number) {
    this.#readMaxBytes = readMaxBytes;
  }

  /** Where the next message begins in the chunk. */
  get position(): number {
    return this.#position;
  }

  /** Whether a message has begun and not ended. */
  get isCut(): boolean {
    return this.#headBytes > 0;
  }

  /** Takes a chunk. The one before must have been read to its end. */
  feed(chunk: Uint8Array, start: number, end: number): void {
    this.#chunk = chunk;
    this.#position = start;
    this.#end = end;
  }

  /** Returns the next message, or undefined if it has not come whole. @throws ConnectError if it is too large, or not gRPC's */
  next(): Envelope | undefined {
    if (this.#data !== undefined) return this.#continue(this.#data);
    while (this.#headBytes < envelopeHeadBytes) {
      if (this.#position === this.#end) return undefined;
      this.#head[this.#headBytes++] = this.#chunk[this.#position++] as number;
    }
    this.#checkFlags();
    const length = this.#readLength();
    const end = this.#position + length;
    if (end <= this.#end) {
      const data = this.#chunk.subarray(this.#position, end);
      this.#position = end;
      return this.#take(data);
    }
    this.#data = new Uint8Array(Math.min(length, firstBytes));
    this.#dataBytes = 0;
    this.#length = length;
    return this.#continue(this.#data);
  }

  /** Other flags would mean something in the protocol of a caller: the end of the response. */
  #checkFlags(): void {
    const [flags = 0] = this.#head;
    if (flags <= compressedFlag) return;
    throw new ConnectError(`protocol error: unexpected envelope flags ${flags}`, Code.Internal);
  }

  #readLength(): number {
    const [, a = 0, b = 0, c = 0, d = 0] = this.#head;
    const length = a * 2 ** 24 + ((b << 16) | (c << 8) | d);
    if (length <= this.#readMaxBytes) return length;
    const message = `message size ${length} is larger than configured readMaxBytes ${this.#readMaxBytes}`;
    throw new ConnectError(message, Code.ResourceExhausted);
  }

  #continue(held: Uint8Array): Envelope | undefined {
    const end = Math.min(this.#end, this.#position + this.#length - this.#dataBytes);
    const bytes = this.#dataBytes + end - this.#position;
    const data = bytes > held.length ? this.#grow(held, bytes) : held;
    data.set(this.#chunk.subarray(this.#position, end), this.#dataBytes);
    this.#data = data;
    this.#dataBytes = bytes;
    this.#position = end;
    if (bytes < this.#length) return undefined;
    this.#data = undefined;
    return this.#take(data);
  }

  #grow(held: Uint8Array, bytes: number): Uint8Array {
    const data = new Uint8Array(Math.min(this.#length, Math.max(bytes, 2 * held.length)));
    data.set(held.subarray(0, this.#dataBytes));
    return data;
  }

  #take(data: Uint8Array): Envelope {
    this.#headBytes = 0;
    return { isCompressed: this.#head[0] === compressedFlag, data };
  }
}

/** Writes the head of an envelope into the first five bytes of a buffer that holds a message after them. */
export function writeEnvelopeHead(buffer: Uint8Array, isCompressed: boolean): void {
  const length = buffer.length - envelopeHeadBytes;
  buffer[0] = isCompressed ? compressedFlag : 0;
  buffer[1] = length >>> 24;
  buffer[2] = length >>> 16;
  buffer[3] = length >>> 8;
  buffer[4] = length;
}
