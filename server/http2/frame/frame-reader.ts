// Bytes, cut anywhere, to frames (RFC 9113 §4.1). Frames are read in place; only a frame that is cut is copied.
import { ConnectionError, ErrorCode } from "../errors.js";
import { Flag, frameHeadBytes, maxFrameBytes } from "./frame-types.js";

const none = new Uint8Array(0);

export class FrameReader {
  type = 0;
  flags = 0;
  streamId = 0;
  /** The payload is `bytes` from `start` to `end`, until the next call. */
  bytes: Uint8Array = none;
  start = 0;
  end = 0;

  #chunk: Uint8Array = none;
  #position = 0;
  /** The first `#cutBytes` bytes of a frame that is cut, with its head. */
  #cut: Uint8Array = none;
  #cutBytes = 0;

  /** Gives it the next bytes. Those before must have been read up: `next` has returned false. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
  }

  /**
   * Reads the next frame into the fields of this reader. Returns false if it needs more bytes.
   *
   * @throws ConnectionError if a frame is too long
   */
  next(): boolean {
    if (this.#cutBytes > 0) return this.#nextCut();
    const chunk = this.#chunk;
    const position = this.#position;
    const left = chunk.length - position;
    if (left >= frameHeadBytes) {
      this.#readHead(chunk, position);
      if (this.end <= chunk.length) {
        this.#position = this.end;
        return true;
      }
    }
    this.#keepRest(left);
    return false;
  }

  /**
   * Leaves out the padding of DATA and HEADERS (RFC 9113 §6.1), if the frame has any. Returns how many bytes that were.
   *
   * @throws ConnectionError if it is longer than the frame
   */
  dropPadding(): number {
    if ((this.flags & Flag.padded) === 0) return 0;
    const length = this.start < this.end ? (this.bytes[this.start] as number) : 0;
    if (this.start + 1 + length > this.end) {
      throw new ConnectionError(ErrorCode.protocolError, "frame: the padding is longer than the payload");
    }
    this.start += 1;
    this.end -= length;
    return length + 1;
  }

  /** Returns 32 bits of the payload. */
  readUint32(at: number): number {
    return readUint32(this.bytes, this.start + at);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Lets go of all bytes. */
  clear(): void {
    this.#chunk = none;
    this.#cut = none;
    this.bytes = none;
    this.#position = 0;
    this.#cutBytes = 0;
  }

  #readHead(bytes: Uint8Array, at: number): void {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (length > maxFrameBytes) {
      throw new ConnectionError(
        ErrorCode.frameSizeError,
        `frame: expected at most ${maxFrameBytes} bytes, found ${length}`,
      );
    }
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.streamId = readUint32(bytes, at + 5) & 0x7fff_ffff;
    this.bytes = bytes;
    this.start = at + frameHeadBytes;
    this.end = this.start + length;
  }

  /** Reads on in a frame that is cut. */
  #nextCut(): boolean {
    if (this.#cutBytes < frameHeadBytes && !this.#fillCut(frameHeadBytes)) return false;
    this.#readHead(this.#cut, 0);
    if (this.#cut.length < this.end) {
      const whole = new Uint8Array(this.end);
      whole.set(this.#cut.subarray(0, this.#cutBytes));
      this.#cut = whole;
      this.bytes = whole;
    }
    if (!this.#fillCut(this.end)) return false;
    this.#cut = none;
    this.#cutBytes = 0;
    return true;
  }

  /** Copies bytes to the frame that is cut until it has so many. Returns whether it has. */
  #fillCut(wanted: number): boolean {
    const count = Math.min(wanted - this.#cutBytes, this.#chunk.length - this.#position);
    this.#cut.set(this.#chunk.subarray(this.#position, this.#position + count), this.#cutBytes);
    this.#position += count;
    this.#cutBytes += count;
    if (this.#cutBytes === wanted) return true;
    this.#chunk = none;
    this.#position = 0;
    return false;
  }

  #keepRest(left: number): void {
    const chunk = this.#chunk;
    if (left > 0) {
      this.#cut = new Uint8Array(left >= frameHeadBytes ? this.end - this.#position : frameHeadBytes);
      this.#cut.set(chunk.subarray(this.#position));
      this.#cutBytes = left;
    }
    this.#chunk = none;
    this.#position = 0;
    this.bytes = none;
  }
}

/** Reads four bytes, the highest first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  const low = ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return (bytes[at] as number) * 0x100_0000 + low;
}
