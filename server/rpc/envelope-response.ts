// The response of a call in envelopes: head, messages, and the end with status and trailers.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Call, ResponseMetadata } from "../call/call.js";
import { toNodeHeaders } from "../call/headers.js";
import type { MethodOptions } from "../call/method.js";
import type { ReplyBatch } from "../call/reply-batch.js";
import { chosenCompression } from "../call/response-compression.js";
import type { PreparedHead } from "../http/prepared-head.js";
import { encodeBase64 } from "./base64-stream.js";
import type { MessageCodec } from "./codec.js";
import { compressedFlag, encodeEnvelope, headBytes, sealEnvelope, writeEnvelopeHead } from "./envelope.js";
import { type EnvelopeHead, type EnvelopeSetup, prepareResponse } from "./envelope-request.js";
import type { Format } from "./format.js";
import type { Ending, EnvelopeWire } from "./wire.js";

/** What is sent of one call. */
export class EnvelopeResponse {
  readonly #call: Call;
  readonly #wire: EnvelopeWire;
  readonly #options: MethodOptions;
  readonly #codec: MessageCodec;
  readonly #isText: boolean;
  readonly #setup: EnvelopeSetup;
  readonly #format: Format;
  /** What the client accepts. */
  readonly #accepted: Compression | null;
  /** As it was before the handler, and once settled, as the handler has chosen. */
  #compression: Compression | null;
  #isSettled = false;
  /** Whether the handler has chosen another compression than its method has. */
  #isChosen = false;
  /** The head with that compression and without what a handler has set. */
  #plainHead: PreparedHead;
  #fixedHeaders: Readonly<OutgoingHttpHeaders> | undefined;
  #isHeadSent = false;

  constructor(setup: EnvelopeSetup, format: Format, head: EnvelopeHead, call: Call) {
    this.#call = call;
    this.#wire = setup.wire;
    this.#options = setup.method.options;
    this.#codec = setup.codecs[format.codec];
    this.#isText = format.isText;
    this.#setup = setup;
    this.#format = format;
    this.#accepted = head.compression.response;
    this.#compression = head.initialCompression;
    this.#plainHead = head.response;
  }

  /** Puts a message in an envelope: compressed if the client takes it and it is worth it. Throws or rejects if it cannot. */
  seal(message: Message): Buffer | Promise<Buffer> {
    const envelope = this.#codec.serialize(message, headBytes);
    return this.#compress(envelope, 0) ?? sealEnvelope(0, envelope);
  }

  /** Adds a message in an envelope to the replies. Returns a promise if it is compressed first. Throws as `seal` does. */
  add(message: Message, batch: ReplyBatch): Promise<void> | undefined {
    if (this.#compression !== null) return this.#addSealed(message, batch);
    const replies = batch.open();
    const start = replies.position;
    this.#codec.append(message, headBytes, replies);
    writeEnvelopeHead(replies.bytes, start, 0, replies.position - start - headBytes);
    this.#call.messagesSent++;
    return undefined;
  }

  async #addSealed(message: Message, batch: ReplyBatch): Promise<void> {
    batch.add(await this.seal(message));
    this.#call.messagesSent++;
  }

  /** The envelope with its data compressed; undefined where that is not accepted, or not worth it. */
  #compress(envelope: Buffer, flags: number): Promise<Buffer> | undefined {
    const bytes = envelope.length - headBytes;
    this.#settleCompression();
    if (this.#compression === null || bytes < this.#options.compressMinBytes) return undefined;
    return this.#compression
      .compress(envelope.subarray(headBytes))
      .then((data) => encodeEnvelope(flags | compressedFlag, data));
  }

  /** Takes the choice of the handler. A later one has no effect: headers and messages say the same. */
  #settleCompression(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (this.#accepted === null) return;
    const choice = chosenCompression(this.#call.context);
    if (choice === undefined || choice === (this.#compression !== null)) return;
    this.#isChosen = true;
    this.#compression = choice ? this.#accepted : null;
    this.#plainHead = prepareResponse(this.#setup, this.#format, this.#compression);
  }

  /** Headers are final with the first reply: what a handler sets later is not sent, whether they have left or not. */
  fixHeaders(): void {
    this.#fixedHeaders ??= this.#currentHeaders();
  }

  /** Writes envelopes, the headers before them. Returns false if the client reads more slowly than we write. */
  write(envelopes: Uint8Array): boolean {
    const { exchange, context } = this.#call;
    if (this.#call.isClosed) return true;
    return this.#call.write(() => {
      this.#sendHead(context);
      return exchange.write(this.#isText ? encodeBase64(envelopes) : envelopes);
    });
  }

  /** Ends a call that went well. `takeRest` returns the envelopes that are still to be written. */
  finish(takeRest: () => Uint8Array | undefined): void {
    const { context } = this.#call;
    this.#call.whenReady(
      () => this.#compressEnding(this.#wire.end(context, undefined, this.#options)),
      (ending) => this.#call.complete(() => this.#end(context, ending, takeRest())),
    );
  }

  /**
   * Ends a call that failed. Throws or rejects if headers or trailers cannot be sent.
   *
   * @param rest the envelopes of replies that were not sent before
   */
  sendError(error: ConnectError, metadata: ResponseMetadata, rest?: Uint8Array): Promise<void> | undefined {
    const ending = this.#wire.end(metadata, error, this.#options);
    const compressed = this.#compressEnding(ending);
    if (compressed === ending) {
      this.#endFailed(metadata, ending, rest);
      return undefined;
    }
    // An error that cannot be compressed is sent as it is.
    return Promise.resolve(compressed)
      .catch((reason: Error) => {
        this.#call.warn(`error not compressed: ${reason.message}`);
        return ending;
      })
      .then((ready) => this.#endFailed(metadata, ready, rest));
  }

  #compressEnding(ending: Ending): Ending | Promise<Ending> {
    const { envelope } = ending;
    const compressed = envelope && this.#compress(envelope, envelope[0] as number);
    return compressed?.then((bytes) => ({ ...ending, envelope: bytes })) ?? ending;
  }

  #endFailed(metadata: ResponseMetadata, ending: Ending, rest: Uint8Array | undefined): void {
    if (this.#call.isClosed) return;
    const { envelope, trailers } = ending;
    if (envelope === undefined && rest === undefined && this.#canBeTrailersOnly(metadata)) {
      this.#call.exchange.sendHeadOnly(200, { ...this.#plainHead.headers, ...trailers });
    } else {
      this.#end(metadata, ending, rest);
    }
  }

  #end(metadata: ResponseMetadata, { envelope, trailers }: Ending, rest: Uint8Array | undefined): void {
    if (this.#call.isClosed) return;
    const whole = envelope === undefined || rest === undefined ? (envelope ?? rest) : Buffer.concat([rest, envelope]);
    const bytes = whole !== undefined && this.#isText ? encodeBase64(whole) : whole;
    this.#sendHead(metadata, bytes?.length);
    this.#call.exchange.end(bytes, trailers);
  }

  /**
   * Whether status and trailers may take the place of the headers, which gRPC has for calls that fail at once: a client
   * with a retry policy takes headers for the beginning of a response. Headers that a handler has set stay headers.
   */
  #canBeTrailersOnly(metadata: ResponseMetadata): boolean {
    if (this.#isHeadSent) return false;
    return metadata !== this.#call.context || (this.#fixedHeaders === undefined && !metadata.responseHeader.isTouched);
  }

  #currentHeaders(): Readonly<OutgoingHttpHeaders> {
    this.#settleCompression();
    const { responseHeader } = this.#call.context;
    if (!responseHeader.isTouched) return this.#plainHead.headers;
    const headers = toNodeHeaders(responseHeader);
    if (this.#isChosen && this.#compression === null) delete headers[this.#wire.encodingHeader];
    else if (this.#isChosen) headers[this.#wire.encodingHeader] = this.#compression?.name;
    return headers;
  }

  /**
   * @param metadata that of the context, or any other for headers as they were before the handler
   * @param bodyBytes the length of the body, where all of it is there already
   */
  #sendHead(metadata: ResponseMetadata, bodyBytes?: number): void {
    if (this.#isHeadSent) return;
    const { hasTrailers } = this.#wire;
    const isOwn = metadata === this.#call.context;
    const headers = isOwn ? (this.#fixedHeaders ?? this.#currentHeaders()) : this.#plainHead.headers;
    const { exchange } = this.#call;
    // A body with trailers is sent in chunks on HTTP/1.1; any other is cheaper with its length.
    if (bodyBytes !== undefined && !hasTrailers) exchange.sendHead(200, { ...headers, "content-length": bodyBytes });
    else if (headers === this.#plainHead.headers) exchange.sendPreparedHead(this.#plainHead, hasTrailers);
    else exchange.sendHead(200, headers, hasTrailers);
    this.#isHeadSent = true;
  }
}
