// A streaming method by a route: requests as a JSON array or lines, replies as a JSON array, lines or events, or the bytes
// of google.api.HttpBody in either direction.
import { create } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { ResponseMetadata } from "../call/call.js";
import { toConnectError } from "../call/error.js";
import { invokeStream, leave, type ReplyStream } from "../call/invoke.js";
import { ReplyBatch } from "../call/reply-batch.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { checkHeaderSize } from "../http/header-size.js";
import { createJsonSplitter } from "../rest/read/json-splitter.js";
import type { EncodedBody } from "../rest/response.js";
import { chooseStreamForm } from "./head.js";
import { RequestReader } from "./request-reader.js";
import { RestCall, type RestMatch, type RestShape } from "./rest-call.js";
import { type BodySink, createBodySink, streamCoding } from "./stream-coding.js";
import { createStreamWriter, keepAliveComment, type StreamWriter } from "./stream-form.js";

/** One such call. */
export class RestStreamCall extends RestCall {
  readonly #reader: RequestReader;
  readonly #batch: ReplyBatch;
  readonly #writer: StreamWriter;
  /** Where the replies go, once the head has been sent. */
  #sink: BodySink | undefined;
  /** The first reply says what the type of bytes is. */
  #first: EncodedBody | undefined;
  #replies: AsyncIterator<unknown> | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(shape: RestShape, match: RestMatch, exchange: Exchange) {
    super(shape, match, exchange);
    const form = this.#isBidi ? "lines" : chooseStreamForm(header(exchange.headers, "accept"));
    this.#writer = createStreamWriter(shape.binding.responseBody.kind === "bytes" ? "bytes" : form);
    this.#reader = new RequestReader(
      {
        splitter: this.#createSplitter(),
        decompressor: this.#hasManyRequests ? streamCoding(this.contentCoding())?.decompress() : undefined,
        limitBytes: this.method.options.readMaxBytes,
        decode: (value) => this.decode(value),
        onProblem: (reason) => this.refuseSize(toConnectError(reason)),
      },
      exchange,
    );
    this.#batch = new ReplyBatch((bytes) => this.write(() => this.#send(bytes)));
  }

  get #isBidi(): boolean {
    return this.method.spec.kind === "bidi_streaming";
  }

  /** Without a body there is one request, out of path and query. */
  get #hasManyRequests(): boolean {
    return this.method.spec.kind !== "server_streaming" && this.shape.binding.requestBody.kind !== "none";
  }

  #createSplitter() {
    if (this.shape.binding.requestBody.kind !== "json") return undefined;
    return createJsonSplitter(this.#isBidi ? "lines" : (this.form ?? "json"), this.method.options.readMaxBytes);
  }

  protected override get hasPartOfMessage(): boolean {
    return this.#reader.hasPartOfMessage;
  }

  protected override checkHead(): void {
    if (!this.#hasManyRequests) {
      super.checkHead();
      return;
    }
    if (this.shape.binding.requestBody.kind === "json" && this.form === undefined) throw this.refuseType();
    const coding = this.contentCoding();
    const isKnown = this.method.options.acceptCompression.some(({ name }) => name === coding);
    if (coding !== undefined && !(isKnown && streamCoding(coding) !== undefined)) throw this.refuseCoding(coding);
  }

  protected override receive(): void {
    super.receive();
    if (this.#writer.isKeptAlive && !this.isHead) {
      this.#keepAlive = setInterval(() => this.#beat(), this.shape.keepAliveMs);
    }
    invokeStream(this.method, this.#reader.requests, this.context)
      .then((replies) => this.#pump(replies))
      .catch((reason) => this.fail(reason));
  }

  override onData(chunk: Buffer): void {
    if (!this.#hasManyRequests) {
      super.onData(chunk);
      return;
    }
    if (this.isDone) return;
    try {
      this.checkTyped(chunk.length);
      this.#reader.push(chunk);
    } catch (reason) {
      this.fail(reason);
    }
  }

  override onEnd(): void {
    if (!this.#hasManyRequests) super.onEnd();
    else if (!this.isDone) this.#reader.end();
  }

  protected onBody(body: Uint8Array): void {
    this.#reader.requests.push([body], body.length);
    this.#reader.requests.end();
  }

  override onDrain(): void {
    this.#sink?.drained();
  }

  override onClose(): void {
    super.onClose();
    this.#sink?.close();
  }

  async #pump(stream: ReplyStream): Promise<void> {
    const replies = stream.messages[Symbol.asyncIterator]();
    this.#replies = replies;
    const { kind, method } = this.method.spec;
    for (;;) {
      const next = await replies.next();
      if (this.isDone) return;
      if (next.done === true) {
        this.#replies = undefined;
        break;
      }
      const reply = create(method.output, next.value);
      if (kind === "client_streaming") {
        stream.end();
        this.sendReply(reply);
        return;
      }
      this.#add(this.shape.encode(reply));
      // The head is all that is asked for.
      if (this.isHead) break;
      if (this.#batch.isFull) await this.#batch.room();
      if (this.isDone) return;
    }
    stream.end();
    this.complete(() => this.#end(undefined, this.context));
  }

  #add(encoded: EncodedBody): void {
    this.fixHeaders();
    this.#first ??= encoded;
    this.#batch.add(Buffer.from(encoded.kind === "json" ? this.#writer.reply(encoded.text) : encoded.data));
  }

  #beat(): void {
    // A reader that has not even read what came before is not in need of more.
    if (this.#batch.isFull) return;
    this.write(() => this.#send(Buffer.from(keepAliveComment)));
  }

  #send(bytes: Buffer): boolean {
    return this.isClosed || this.isHead || this.#openSink().write(bytes);
  }

  #openSink(): BodySink {
    if (this.#sink !== undefined) return this.#sink;
    const headers = { ...this.replyHeaders(this.#first), ...this.#writer.headers };
    delete headers["content-length"];
    const coding = this.varyByEncoding(headers) ? streamCoding(this.compression?.name) : undefined;
    if (coding !== undefined) headers["content-encoding"] = this.compression?.name;
    this.exchange.sendHead(200, headers, this.takesTrailers);
    this.#sink = createBodySink(this.exchange, coding, () => this.#batch.drained());
    return this.#sink;
  }

  #end(error: ConnectError | undefined, metadata: ResponseMetadata): void {
    if (this.isClosed) return;
    const trailers = this.trailers(metadata) ?? {};
    checkHeaderSize(this.exchange, trailers, "trailers");
    if (error !== undefined && this.#writer.end === undefined) {
      // Among bytes there is no place for an error. They must not look whole.
      this.exchange.cut();
      return;
    }
    const sink = this.#openSink();
    const batch = this.#batch.take() ?? Buffer.alloc(0);
    const end = this.#writer.end?.(error && this.shape.encodeError(error)) ?? "";
    const last = Buffer.concat([batch, Buffer.from(end)]);
    if (this.isHead) this.exchange.end();
    else sink.end(last.length > 0 ? last : undefined, this.takesTrailers ? trailers : undefined);
  }

  protected override settle(error: ConnectError | undefined, reason?: unknown): void {
    super.settle(error, reason);
    clearInterval(this.#keepAlive);
    this.#reader.stop(error);
    this.#batch.drained();
    leave(this.#replies);
    this.#replies = undefined;
  }

  protected override sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    // Before the first reply there is still a status to say it with. So there is if the headers could not be sent.
    const isFirst = this.#first === undefined || metadata !== this.context;
    if (this.#sink === undefined && isFirst) return super.sendError(error, metadata);
    this.#end(error, metadata);
    return undefined;
  }
}
