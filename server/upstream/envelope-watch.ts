// Follows the envelopes of a body that passes through: flags and length of each are checked, and no message is collected.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md#requests "Length-Prefixed-Message"
import { Code, ConnectError } from "@connectrpc/connect";
import { tooLarge } from "../call/error.js";
import { readUint32 } from "../http2/frame/frame-reader.js";

const compressedFlag = 1;
const headBytes = 5;

/** What the envelopes of a body have to be. */
export interface EnvelopeRules {
  /** Maximum size of a message in bytes. */
  readonly limitBytes: number;
  /** The option that sets `limitBytes`. */
  readonly limitName: "readMaxBytes" | "writeMaxBytes";
  /** The code of an error in the framing. */
  readonly malformed: Code;
  /** Returns the error of a second message; undefined if there may be many. */
  readonly onlyOne: (() => ConnectError) | undefined;
}

export class EnvelopeWatch {
  /** Messages that have begun. */
  messages = 0;
  /** Whether the headers name a compression, so that messages may be compressed. */
  hasCompression = false;
  readonly #rules: EnvelopeRules;
  /** Bytes of flags and length that have come of the current envelope. */
  #headBytes = 0;
  #flags = 0;
  #length = 0;
  /** Bytes of the message that are still to come. */
  #restBytes = 0;

  constructor(rules: EnvelopeRules) {
    this.#rules = rules;
  }

  /** Messages that are complete. */
  get wholeMessages(): number {
    return this.isInside ? this.messages - 1 : this.messages;
  }

  /** Whether an envelope has begun and not ended. */
  get isInside(): boolean {
    return this.#headBytes > 0;
  }

  /** Follows the bytes from `start` to `end`. @throws ConnectError, after which it is of no use */
  follow(bytes: Uint8Array, start: number, end: number): void {
    let at = this.#headBytes === 0 ? this.#skipWhole(bytes, start, end) : start;
    while (at < end) {
      if (this.#restBytes > 0) {
        const count = Math.min(this.#restBytes, end - at);
        this.#restBytes -= count;
        at += count;
      } else this.#readHead(bytes[at++] as number);
      if (this.#restBytes === 0 && this.#headBytes === headBytes) this.#headBytes = 0;
    }
  }

  /** Skips envelopes that have come whole, up to the first one that has not, or that is not what it has to be. */
  #skipWhole(bytes: Uint8Array, start: number, end: number): number {
    const { limitBytes, onlyOne } = this.#rules;
    if (onlyOne !== undefined) return start;
    const maxFlags = this.hasCompression ? compressedFlag : 0;
    let at = start;
    let count = 0;
    while (at + headBytes <= end && (bytes[at] as number) <= maxFlags) {
      const length = readUint32(bytes, at + 1);
      const next = at + headBytes + length;
      if (length > limitBytes || next > end) break;
      at = next;
      count++;
    }
    this.messages += count;
    return at;
  }

  #readHead(byte: number): void {
    if (this.#headBytes === 0) this.#begin(byte);
    else this.#length = this.#length * 256 + byte;
    if (++this.#headBytes < headBytes) return;
    const { limitBytes, limitName } = this.#rules;
    if (this.#length > limitBytes) throw tooLarge(limitBytes, this.#length, limitName);
    if (this.#flags === compressedFlag && !this.hasCompression) throw unknownCompression();
    this.#restBytes = this.#length;
  }

  #begin(flags: number): void {
    const { onlyOne, malformed } = this.#rules;
    if (onlyOne !== undefined && this.messages === 1) throw onlyOne();
    if (flags > compressedFlag) throw unexpectedFlags(flags, malformed);
    this.messages++;
    this.#flags = flags;
    this.#length = 0;
  }
}

/** The error of a compressed message whose headers name no compression. */
export function unknownCompression(): ConnectError {
  return new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
}

/** The error of an envelope that is no message of gRPC. */
export function unexpectedFlags(flags: number, code: Code): ConnectError {
  return new ConnectError(`protocol error: unexpected envelope flags ${flags}`, code);
}
