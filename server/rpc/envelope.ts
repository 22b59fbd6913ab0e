// Cuts a body into length-prefixed messages and back: one byte of flags, four of length, the data.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md#requests "Length-Prefixed-Message"
import { ByteBuffer, takeBytes } from "../call/byte-buffer.js";
import { tooLarge } from "../call/error.js";

/** Set in the flags of a message that is compressed, in every protocol. */
export const compressedFlag = 1;

/** Length of flags and length. */
export const headBytes = 5;

/** One message as it was on the wire. */
export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** Takes chunks of a body as they come and gives the envelopes they complete. */
export class EnvelopeReader {
  readonly #limitBytes: number;
  readonly #skippedFlag: number;
  readonly #buffer = new ByteBuffer();
  /** How many bytes the envelope at the front needs, head included, or just the head while that is not here. */
  #neededBytes = headBytes;

  /**
   * @param limitBytes the most that the data of one envelope may have
   * @param skippedFlag envelopes with this flag carry no message and are passed over; 0 for none
   */
  constructor(limitBytes: number, skippedFlag = 0) {
    this.#limitBytes = limitBytes;
    this.#skippedFlag = skippedFlag;
  }

  /** Whether there is the beginning of an envelope that has not been completed. */
  get hasRest(): boolean {
    return this.#buffer.length > 0;
  }

  /**
   * Adds a chunk, and appends the envelopes that it completes to `target`.
   *
   * @throws ConnectError `resource_exhausted` as soon as the head of an envelope announces more than the limit. The
   * reader is of no use afterwards.
   */
  push(chunk: Buffer, target: Envelope[]): void {
    this.#buffer.push(chunk);
    if (this.#buffer.length < this.#neededBytes) return;
    const bytes = this.#buffer.take();
    let start = 0;
    while (bytes.length - start >= headBytes) {
      const end = start + headBytes + this.#dataLength(bytes, start);
      if (end > bytes.length) break;
      const flags = bytes[start] as number;
      if ((flags & this.#skippedFlag) === 0) target.push({ flags, data: takeBytes(bytes, start + headBytes, end) });
      start = end;
    }
    this.#neededBytes = headBytes;
    if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  /** Keeps the beginning of an envelope for the chunks that follow. */
  #keep(rest: Buffer): void {
    if (rest.length >= headBytes) this.#neededBytes += this.#dataLength(rest, 0);
    this.#buffer.push(rest);
  }

  #dataLength(bytes: Buffer, start: number): number {
    const length = bytes.readUInt32BE(start + 1);
    if (length > this.#limitBytes) throw tooLarge(this.#limitBytes, length);
    return length;
  }
}

/** Puts flags and length before the data. */
export function encodeEnvelope(flags: number, data: Uint8Array): Buffer {
  const envelope = Buffer.allocUnsafe(headBytes + data.length);
  envelope.set(data, headBytes);
  return sealEnvelope(flags, envelope);
}

/** Puts flags and length into the free bytes before the data. */
export function sealEnvelope(flags: number, envelope: Buffer): Buffer {
  writeEnvelopeHead(envelope, 0, flags, envelope.length - headBytes);
  return envelope;
}

/** Writes flags and length at a position. */
export function writeEnvelopeHead(into: Uint8Array, at: number, flags: number, length: number): void {
  into[at] = flags;
  into[at + 1] = length >>> 24;
  into[at + 2] = length >>> 16;
  into[at + 3] = length >>> 8;
  into[at + 4] = length;
}
