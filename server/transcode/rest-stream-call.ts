// A streaming method by a route: requests as a JSON array or lines, replies as a JSON array, lines or events, or the bytes
// of google.api.HttpBody in either direction.
import type { OutgoingHttpHeaders } from "node:http";
import { create, type Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { toCallError } from "../call/error.js";
import { toNodeHeaders } from "../call/headers.js";
import { invokeStream, type ReplyStream } from "../call/invoke.js";
import type { Exchange } from "../listen/exchange.js";
import type { EncodedBody } from "../rest/response.js";
import { header } from "../rpc/header.js";
import { ReplyBatch } from "../rpc/reply-batch.js";
import { RequestQueue } from "../rpc/request-queue.js";
import { chooseStreamForm, type StreamForm } from "./head.js";
import { createJsonSplitter, type JsonSplitter } from "./json-splitter.js";
import { RestCall, type RestMatch, type RestShape } from "./rest-call.js";
import { bodyBytes, withBodyType } from "./rest-unary-call.js";
import { createStreamWriter, keepAliveComment, type StreamWriter } from "./stream-form.js";

/** How often a connection without events is kept open, in milliseconds. */
const keepAliveMs = 15_000;

/** One such call. */
export class RestStreamCall extends RestCall {
  readonly #requests: RequestQueue<Uint8Array>;
  readonly #batch: ReplyBatch;
  readonly #streamForm: StreamForm;
  /** Undefined where the whole body is one request. */
  readonly #splitter: JsonSplitter | undefined;
  #writer: StreamWriter | undefined;
  #replies: AsyncIterator<unknown> | undefined;
  #isHeadSent = false;
  #isBroken = false;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(shape: RestShape, match: RestMatch, exchange: Exchange) {
    super(shape, match, exchange);
    this.#streamForm = this.#isBidi ? "lines" : chooseStreamForm(header(exchange.headers, "accept"));
    const isJson = shape.binding.requestBody.kind === "json";
    const { readMaxBytes } = shape.method.options;
    const form = this.#isBidi ? "lines" : (this.form ?? "json");
    this.#splitter = this.#hasManyRequests && isJson ? createJsonSplitter(form, readMaxBytes) : undefined;
    this.#requests = new RequestQueue({
      open: (body) => this.shape.decode({ ...this.match, contentType: this.contentType, body }),
      pause: () => exchange.pause(),
      read: () => exchange.read(),
    });
    this.#batch = new ReplyBatch((bytes) => this.write(() => this.#send(bytes)));
  }

  get #isBidi(): boolean {
    return this.method.spec.kind === "bidi_streaming";
  }

  get #hasManyRequests(): boolean {
    return this.method.spec.kind !== "server_streaming";
  }

  protected override receive(): void {
    super.receive();
    invokeStream(this.method, this.#requests, this.context)
      .then((replies) => this.#pump(replies))
      .catch((reason) => this.fail(reason));
  }

  override onData(chunk: Buffer): void {
    if (!this.#hasManyRequests) {
      super.onData(chunk);
      return;
    }
    if (this.isDone || this.#isBroken) return;
    try {
      const values = this.#splitter === undefined ? [Uint8Array.from(chunk)] : this.#splitter.push(chunk);
      if (values.length > 0) this.#requests.push(values, chunk.length);
    } catch (reason) {
      this.#isBroken = true;
      this.#requests.end(toCallError(reason));
    }
  }

  override onEnd(): void {
    if (!this.#hasManyRequests) {
      super.onEnd();
      return;
    }
    if (this.isDone || this.#isBroken) return;
    try {
      this.#requests.push(this.#splitter?.end() ?? [], 0);
      this.#requests.end();
    } catch (reason) {
      this.#requests.end(toCallError(reason));
    }
  }

  protected onBody(body: Uint8Array): void {
    this.#requests.push([body], body.length);
    this.#requests.end();
  }

  override onDrain(): void {
    this.#batch.drained();
  }

  async #pump({ messages, end }: ReplyStream): Promise<void> {
    this.isReading = false;
    const replies = messages[Symbol.asyncIterator]();
    this.#replies = replies;
    const { output } = this.method.spec.method;
    for (;;) {
      const next = await replies.next();
      if (this.isDone) return;
      if (next.done === true) break;
      this.#batch.add(this.#encode(create(output, next.value)));
      if (this.#batch.isFull) await this.#batch.room();
      if (this.isDone) return;
    }
    this.#replies = undefined;
    end();
    this.settle(undefined);
    this.write(() => this.#end(undefined));
  }

  #encode(message: Message): Buffer {
    const encoded = this.shape.encode(message);
    const writer = this.#openWriter(encoded);
    return Buffer.from(encoded.kind === "json" ? writer.reply(encoded.text) : bodyBytes(encoded));
  }

  /** The first reply says what the headers are. */
  #openWriter(first: EncodedBody | undefined): StreamWriter {
    if (this.#writer !== undefined) return this.#writer;
    if (first?.kind === "bytes") {
      const headers = withBodyType({}, first.contentType);
      this.#writer = { headers, reply: (text) => text, end: () => "" };
    } else {
      this.#writer = createStreamWriter(this.#streamForm);
      if (this.#streamForm === "events") this.#keepAlive = setInterval(() => this.#beat(), keepAliveMs);
    }
    return this.#writer;
  }

  #beat(): void {
    if (this.#isHeadSent && !this.isDone) this.write(() => this.exchange.write(Buffer.from(keepAliveComment)));
  }

  #send(bytes: Buffer): boolean {
    if (this.isClosed) return true;
    this.#sendHead(undefined);
    return this.exchange.write(bytes);
  }

  #sendHead(first: EncodedBody | undefined): void {
    if (this.#isHeadSent) return;
    this.#isHeadSent = true;
    const { responseHeader } = this.context;
    const own: OutgoingHttpHeaders = responseHeader.isTouched ? toNodeHeaders(responseHeader) : {};
    delete own["content-type"];
    this.exchange.sendHead(200, { ...own, ...this.#openWriter(first).headers });
  }

  #end(error: ConnectError | undefined): void {
    if (this.isClosed) return;
    const batch = this.#batch.take();
    this.#sendHead(undefined);
    const errorText = error === undefined ? undefined : JSON.stringify(this.shape.encodeError(error));
    const end = Buffer.from(this.#openWriter(undefined).end(errorText));
    const last = batch === undefined ? end : Buffer.concat([batch, end]);
    this.exchange.end(last.length > 0 ? last : undefined);
  }

  protected override settle(error: ConnectError | undefined, reason?: unknown): void {
    super.settle(error, reason);
    clearInterval(this.#keepAlive);
    this.#requests.stop(error);
    this.#batch.drained();
    // Lets the handler's `finally` blocks run. What they throw has nobody left to tell.
    this.#replies?.return?.().catch(() => {});
    this.#replies = undefined;
  }

  protected override sendError(error: ConnectError): void {
    // Before the first reply there is still a status to say it with.
    if (this.#writer === undefined) super.sendError(error);
    else this.#end(error);
  }
}
