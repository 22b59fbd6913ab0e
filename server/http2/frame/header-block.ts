// The parts of a header block that comes in several frames: HEADERS and CONTINUATION (RFC 9113 §6.10).
import { ConnectionError, ErrorCode } from "../errors.js";
import type { ConnectionLimits } from "../limits.js";

const none = new Uint8Array(0);

export class HeaderBlock {
  readonly #limits: ConnectionLimits;
  /** The stream whose block is not complete, or 0. */
  streamId = 0;
  /** Flags of the HEADERS frame. */
  flags = 0;
  #bytes: Uint8Array = none;
  #length = 0;
  #frames = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Begins a block with the payload of its HEADERS frame. */
  begin(streamId: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    this.streamId = streamId;
    this.flags = flags;
    this.#length = 0;
    this.#frames = 0;
    this.#append(bytes, start, end);
  }

  /**
   * Appends the payload of a CONTINUATION frame.
   *
   * @throws ConnectionError if the block is longer, or has more frames, than the limits allow
   */
  continue(bytes: Uint8Array, start: number, end: number): void {
    this.#frames++;
    if (this.#frames > this.#limits.continuationFrames) {
      const allowed = this.#limits.continuationFrames;
      throw new ConnectionError(ErrorCode.enhanceYourCalm, `header block: more than ${allowed} CONTINUATION frames`);
    }
    this.#append(bytes, start, end);
  }

  /** Returns the whole block, and forgets it. */
  take(): Uint8Array {
    const block = this.#bytes.subarray(0, this.#length);
    this.streamId = 0;
    this.#bytes = none;
    this.#length = 0;
    return block;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#limits.headerBlockBytes) {
      const allowed = this.#limits.headerBlockBytes;
      throw new ConnectionError(ErrorCode.enhanceYourCalm, `header block: more than ${allowed} bytes`);
    }
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = length;
  }
}
