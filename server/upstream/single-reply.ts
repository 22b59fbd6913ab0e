// The only message of a response, as it comes from an upstream.
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag, type Envelope, EnvelopeReader } from "../rpc/envelope.js";
import { unexpectedFlags, unknownCompression } from "./envelope-watch.js";
import { extraOutput, missingOutput } from "./response.js";

export class SingleReply {
  readonly #reader: EnvelopeReader;
  readonly #envelopes: Envelope[] = [];
  /** The compression that the headers name; undefined without one. */
  encoding: string | undefined;

  /** @param limitBytes the most that the message may have */
  constructor(limitBytes: number) {
    this.#reader = new EnvelopeReader(limitBytes);
  }

  /** Takes a part of the body. @throws ConnectError if it is too large, or has a second message */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#reader.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start), this.#envelopes);
    if (this.#envelopes.length > 1) throw extraOutput("unary");
  }

  /** Returns the message, and its compression. @throws ConnectError if the body was not one message */
  take(): { readonly data: Uint8Array; readonly encoding: string | undefined } {
    const [reply] = this.#envelopes;
    if (this.#reader.hasRest) throw new ConnectError("protocol error: incomplete envelope", Code.Internal);
    if (reply === undefined) throw missingOutput("unary");
    return { data: reply.data, encoding: this.#encodingOf(reply.flags) };
  }

  #encodingOf(flags: number): string | undefined {
    if (flags === 0) return undefined;
    if (flags !== compressedFlag) throw unexpectedFlags(flags, Code.Internal);
    if (this.encoding === undefined) throw unknownCompression();
    return this.encoding;
  }
}
