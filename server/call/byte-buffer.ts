// Collects the chunks of a body, and joins them on demand.
import type { IncomingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import { tooLarge } from "./error.js";

/** Shorter chunks are copied: as objects they take more memory than their bytes. */
const smallBytes = 1024;
const blockBytes = 8 * 1024;

/** The bytes that have arrived. They take little more memory than their length, even in chunks of one byte. */
export class ByteBuffer {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Memory that small chunks are copied into, and how much of it is used. */
  #block: Buffer | undefined;
  #blockUsed = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    // The first chunk is often the only one, and is kept as it is.
    if (this.#length === chunk.length) this.#chunks.push(ownBytes(chunk, 2));
    else if (chunk.length >= smallBytes) this.#add(ownBytes(chunk, 8));
    else this.#copy(chunk);
  }

  /** Returns all bytes in one buffer, and keeps them. */
  join(): Buffer {
    this.#closeBlock();
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [joined];
    return joined;
  }

  /** Returns all bytes in one buffer, and removes them. */
  take(): Buffer {
    const bytes = this.join();
    this.#chunks = [];
    this.#length = 0;
    return bytes;
  }

  #add(chunk: Buffer): void {
    this.#closeBlock();
    this.#chunks.push(chunk);
  }

  #copy(chunk: Buffer): void {
    if (this.#block === undefined || this.#blockUsed + chunk.length > blockBytes) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
    }
    this.#block.set(chunk, this.#blockUsed);
    this.#blockUsed += chunk.length;
  }

  #closeBlock(): void {
    if (this.#block !== undefined) this.#chunks.push(this.#block.subarray(0, this.#blockUsed));
    this.#block = undefined;
    this.#blockUsed = 0;
  }
}

/** Returns the chunk, or a copy if its ArrayBuffer is more than `times` as large. */
function ownBytes(chunk: Buffer, times: number): Buffer {
  return chunk.length * times < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk;
}

/** A part of a chunk as plain bytes, in the same memory. */
export function takeBytes(chunk: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start);
}

/** A body that is read completely before it is used, up to a limit in bytes. */
export class CollectedBody {
  readonly #limitBytes: number;
  readonly #bytes = new ByteBuffer();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Returns an error if Content-Length is over the limit. */
  checkLength(headers: IncomingHttpHeaders): ConnectError | undefined {
    const announced = Number.parseInt(headers["content-length"] ?? "", 10);
    return announced > this.#limitBytes ? tooLarge(this.#limitBytes, announced) : undefined;
  }

  /** Adds a chunk. Returns an error, and does not keep the chunk, if the body is over the limit with it. */
  push(chunk: Buffer): ConnectError | undefined {
    if (this.#bytes.length + chunk.length > this.#limitBytes) return tooLarge(this.#limitBytes);
    this.#bytes.push(chunk);
    return undefined;
  }

  /** Returns the whole body, and removes it. */
  take(): Uint8Array {
    const bytes = this.#bytes.take();
    return takeBytes(bytes, 0, bytes.length);
  }
}
