// A call whose messages are in envelopes: every kind of method over gRPC and gRPC-Web, and streams over Connect.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Call, type CallShape, type ResponseMetadata } from "../call/call.js";
import { toConnectError } from "../call/error.js";
import { toNodeHeaders } from "../call/headers.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { Base64Decoder, encodeBase64 } from "./base64-stream.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { checkVersionHeader } from "./connect-version.js";
import { compressedFlag, type Envelope, EnvelopeReader, encodeEnvelope, headBytes, sealEnvelope } from "./envelope.js";
import type { Codec, Format } from "./format.js";
import type { Ending, EnvelopeWire } from "./wire.js";

/** What calls of one method over one protocol in envelopes share. */
export interface EnvelopeShape extends CallShape {
  readonly wire: EnvelopeWire;
  readonly codecs: Record<Codec, MessageCodec>;
  readonly negotiate: Negotiator;
  /** Response headers of calls without compression that no handler has touched. */
  readonly heads: Map<Format, OutgoingHttpHeaders>;
}

/** One such call. A subclass takes the envelopes that arrive. */
export abstract class EnvelopeCall extends Call<EnvelopeShape> {
  /** Envelopes that have arrived and wait to be taken. */
  protected arrived: Envelope[] = [];
  protected readonly codec: MessageCodec;
  readonly #format: Format;
  readonly #compression: Negotiated;
  readonly #head: OutgoingHttpHeaders;
  readonly #reader: EnvelopeReader;
  readonly #decoder: Base64Decoder | undefined;
  #isHeadSent = false;
  #fixedHead: OutgoingHttpHeaders | undefined;
  /** Whether what came was no row of envelopes, so that the rest of it means nothing. */
  #isBroken = false;

  constructor(shape: EnvelopeShape, format: Format, exchange: Exchange) {
    const { wire, method } = shape;
    const { headers } = exchange;
    const compression = shape.negotiate(
      header(headers, wire.encodingHeader),
      header(headers, wire.acceptEncodingHeader.toLowerCase()),
    );
    const timeout = readTimeout(wire.protocol, headers, method.options.maxTimeoutMs);
    const version = wire.protocol === "connect" ? checkVersionHeader(headers, method.options) : undefined;
    const responseHeader = initialHead(shape, format, compression);
    super(shape, exchange, {
      protocol: wire.protocol,
      timeout,
      problem: version ?? compression.error ?? timeout.error,
      responseHeader,
      responseTrailer: wire.initialTrailer,
    });
    this.codec = shape.codecs[format.codec];
    this.#format = format;
    this.#compression = compression;
    this.#head = responseHeader;
    this.#reader = new EnvelopeReader(method.options.readMaxBytes, wire.skippedFlag);
    this.#decoder = format.isText ? new Base64Decoder() : undefined;
  }

  protected receive(): void {
    this.exchange.read();
  }

  protected override get hasPartOfMessage(): boolean {
    return this.#reader.hasRest;
  }

  onData(chunk: Buffer): void {
    if (this.isDone || this.#isBroken) return;
    try {
      this.#reader.push(this.#decoder === undefined ? chunk : this.#decoder.decode(chunk), this.arrived);
    } catch (reason) {
      this.#isBroken = true;
      this.#finishReading(toConnectError(reason));
      return;
    }
    if (this.arrived.length > 0) this.onArrival(chunk.length);
  }

  onEnd(): void {
    if (!this.isDone && !this.#isBroken) this.#finishReading(this.#findRest());
  }

  /** Why what has come is not whole, if it is not. */
  #findRest(): ConnectError | undefined {
    try {
      this.#decoder?.end();
    } catch (reason) {
      return toConnectError(reason);
    }
    return this.#reader.hasRest ? incompleteEnvelope() : undefined;
  }

  #finishReading(problem: ConnectError | undefined): void {
    try {
      this.onArrivalEnd(problem);
    } catch (reason) {
      this.fail(reason);
    }
  }

  protected takeArrived(): Envelope[] {
    const { arrived } = this;
    this.arrived = [];
    return arrived;
  }

  /** There is something in `arrived`, out of a chunk of so many bytes. */
  protected abstract onArrival(chunkBytes: number): void;

  /** There will be no more: the body has ended, or `problem` says why it is not read on. May throw. */
  protected abstract onArrivalEnd(problem: ConnectError | undefined): void;

  /** The data of an envelope, decompressed where its flags say so. */
  protected open({ flags, data }: Envelope): Uint8Array | Promise<Uint8Array> {
    if ((flags & compressedFlag) === 0) return data;
    if (this.#compression.request === null) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    return this.#compression.request.decompress(data, this.method.options.readMaxBytes);
  }

  /** Puts a message in an envelope: compressed where that was settled and is worth it. */
  protected seal(message: Message): Buffer | Promise<Buffer> {
    const envelope = this.codec.serialize(message, headBytes);
    return this.#compress(envelope, 0) ?? sealEnvelope(0, envelope);
  }

  /** The envelope with its data compressed; undefined where that is not accepted, or not worth it. */
  #compress(envelope: Buffer, flags: number): Promise<Buffer> | undefined {
    const compression = this.#compression.response;
    const bytes = envelope.length - headBytes;
    if (compression === null || bytes < this.method.options.compressMinBytes) return undefined;
    return compression
      .compress(envelope.subarray(headBytes))
      .then((data) => encodeEnvelope(flags | compressedFlag, data));
  }

  /** Writes envelopes, the headers before them. Returns false if the client reads more slowly than we write. */
  protected send(envelopes: Buffer): boolean {
    if (this.isClosed) return true;
    return this.write(() => {
      this.#sendHead(this.context);
      return this.exchange.write(this.#format.isText ? encodeBase64(envelopes) : envelopes);
    });
  }

  /** Ends a call that went well. `takeRest` returns the envelopes that are still to be written. */
  protected finish(takeRest: () => Buffer | undefined): void {
    this.whenReady(
      () => this.#compressEnding(this.shape.wire.end(this.context, undefined, this.method.options)),
      (ending) => this.complete(() => this.#end(this.context, ending, takeRest())),
    );
  }

  protected sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    const ending = this.shape.wire.end(metadata, error, this.method.options);
    const compressed = this.#compressEnding(ending);
    if (compressed === ending) {
      this.#endFailed(metadata, ending);
      return undefined;
    }
    // An error that cannot be compressed is sent as it is.
    return Promise.resolve(compressed)
      .catch((reason: Error) => {
        this.warn(`error not compressed: ${reason.message}`);
        return ending;
      })
      .then((ready) => this.#endFailed(metadata, ready));
  }

  #compressEnding(ending: Ending): Ending | Promise<Ending> {
    const { envelope } = ending;
    const compressed = envelope && this.#compress(envelope, envelope[0] as number);
    return compressed?.then((bytes) => ({ ...ending, envelope: bytes })) ?? ending;
  }

  /** The envelopes of replies that were not sent before the call failed. The same each time. */
  protected unsentReplies(): Buffer | undefined {
    return undefined;
  }

  #endFailed(metadata: ResponseMetadata, ending: Ending): void {
    if (this.isClosed) return;
    const { envelope, trailers } = ending;
    const rest = this.unsentReplies();
    if (envelope === undefined && rest === undefined && this.#canBeTrailersOnly(metadata)) {
      this.exchange.sendHeadOnly(200, { ...this.#head, ...trailers });
    } else {
      this.#end(metadata, ending, rest);
    }
  }

  #end(metadata: ResponseMetadata, { envelope, trailers }: Ending, rest: Buffer | undefined): void {
    if (this.isClosed) return;
    const whole = envelope === undefined || rest === undefined ? (envelope ?? rest) : Buffer.concat([rest, envelope]);
    const bytes = whole !== undefined && this.#format.isText ? encodeBase64(whole) : whole;
    this.#sendHead(metadata, bytes?.length);
    this.exchange.end(bytes, trailers);
  }

  /**
   * Whether status and trailers may take the place of the headers, which gRPC has for calls that fail at once: a client
   * with a retry policy takes headers for the beginning of a response. Headers that a handler has set stay headers.
   */
  #canBeTrailersOnly(metadata: ResponseMetadata): boolean {
    if (this.#isHeadSent) return false;
    return metadata !== this.context || (this.#fixedHead === undefined && !metadata.responseHeader.isTouched);
  }

  /** Headers are final with the first reply: what a handler sets later is not sent, whether they have left or not. */
  protected fixHead(): void {
    this.#fixedHead ??= this.#currentHead();
  }

  #currentHead(): OutgoingHttpHeaders {
    const { responseHeader } = this.context;
    return responseHeader.isTouched ? toNodeHeaders(responseHeader) : this.#head;
  }

  /**
   * @param metadata that of the context, or any other for headers as they were before the handler
   * @param bodyBytes the length of the body, where all of it is there already
   */
  #sendHead(metadata: ResponseMetadata, bodyBytes?: number): void {
    if (this.#isHeadSent) return;
    const { hasTrailers } = this.shape.wire;
    const head = metadata === this.context ? (this.#fixedHead ?? this.#currentHead()) : this.#head;
    // A body with trailers is sent in chunks on HTTP/1.1; any other is cheaper with its length.
    const isSized = bodyBytes !== undefined && !hasTrailers;
    this.exchange.sendHead(200, isSized ? { ...head, "content-length": bodyBytes } : head, hasTrailers);
    this.#isHeadSent = true;
  }
}

function initialHead(shape: EnvelopeShape, format: Format, { response }: Negotiated): OutgoingHttpHeaders {
  const known = response === null ? shape.heads.get(format) : undefined;
  if (known !== undefined) return known;
  const head: OutgoingHttpHeaders = { "content-type": format.contentType };
  if (response === null) shape.heads.set(format, head);
  else head[shape.wire.encodingHeader] = response.name;
  return head;
}

function incompleteEnvelope(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}
