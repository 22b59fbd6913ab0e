// Reads a request body of envelopes, which gRPC-Web's text variant encodes in base64.
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { toConnectError } from "../call/error.js";
import { Base64Decoder } from "./base64-stream.js";
import type { MessageCodec } from "./codec.js";
import { compressedFlag, type Envelope, EnvelopeReader } from "./envelope.js";
import type { EnvelopeHead, EnvelopeSetup } from "./envelope-setup.js";
import type { Format } from "./format.js";

/** The messages that arrive. */
export class EnvelopeRequest {
  /** Envelopes that have arrived and wait to be taken. */
  arrived: Envelope[] = [];
  /** True after a framing error. The rest of the body is ignored. */
  isBroken = false;
  readonly #codec: MessageCodec;
  readonly #compression: Compression | null;
  readonly #limitBytes: number;
  readonly #reader: EnvelopeReader;
  readonly #decoder: Base64Decoder | undefined;

  constructor({ wire, method, codecs }: EnvelopeSetup, format: Format, { compression }: EnvelopeHead) {
    this.#codec = codecs[format.codec];
    this.#compression = compression.request;
    this.#limitBytes = method.options.readMaxBytes;
    this.#reader = new EnvelopeReader(this.#limitBytes, wire.skippedFlag);
    this.#decoder = format.isText ? new Base64Decoder() : undefined;
  }

  /** Whether a part of an envelope has come. */
  get hasPart(): boolean {
    return this.#reader.hasRest;
  }

  /** Adds a chunk to what has arrived. Returns an error if the body cannot be read further. */
  push(chunk: Buffer): ConnectError | undefined {
    try {
      this.#reader.push(this.#decoder === undefined ? chunk : this.#decoder.decode(chunk), this.arrived);
      return undefined;
    } catch (reason) {
      this.isBroken = true;
      return toConnectError(reason);
    }
  }

  /** Ends the body. Returns an error if it is incomplete. */
  end(): ConnectError | undefined {
    try {
      this.#decoder?.end();
    } catch (reason) {
      return toConnectError(reason);
    }
    return this.#reader.hasRest
      ? new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument)
      : undefined;
  }

  /** Takes the envelopes that have arrived. */
  take(): Envelope[] {
    const { arrived } = this;
    this.arrived = [];
    return arrived;
  }

  /** Reads the message of an envelope, and decompresses it where its flags say so. Throws or rejects if it cannot be read. */
  open({ flags, data }: Envelope): Message | Promise<Message> {
    if ((flags & compressedFlag) === 0) return this.#codec.parse(data);
    if (this.#compression === null) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    return this.#compression.decompress(data, this.#limitBytes).then((bytes) => this.#codec.parse(bytes));
  }
}
