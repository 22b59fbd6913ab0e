// A streaming call by a route, in the order of a call: requests are a JSON array or lines, replies are a JSON
// array, lines or events, or the bytes of google.api.HttpBody in either direction.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Call, type CallWire, type ResponseMetadata } from "../call/call.js";
import { toConnectError } from "../call/error.js";
import { invokeStream } from "../call/invoke.js";
import type { StreamMethod } from "../call/method.js";
import { ReplyBatch } from "../call/reply-batch.js";
import { ReplyPump } from "../call/reply-pump.js";
import { type Exchange, noSniff } from "../http/exchange.js";
import { checkHeaderSize, header } from "../http/header.js";
import { createJsonSplitter, type JsonSplitter } from "../rest/read/json-splitter.js";
import type { EncodedBody } from "../rest/response.js";
import {
  chooseStreamForm,
  type RestHead,
  type RestMatch,
  type RestSetup,
  readRestHead,
  type StreamForm,
} from "./head.js";
import { RequestReader } from "./request-reader.js";
import { RestRequest } from "./rest-request.js";
import { RestResponse } from "./rest-response.js";
import { type BodySink, createBodySink, streamCoding } from "./stream-coding.js";
import { createStreamWriter, isAfterEnd, keepAliveComment, type StreamWriter } from "./stream-form.js";

/** Serves one call. */
export function serveStream(setup: RestSetup<StreamMethod>, match: RestMatch, exchange: Exchange): void {
  const form = chooseForm(setup, exchange);
  if (isAfterEnd(form, exchange.headers)) exchange.sendHeadOnly(204, noSniff);
  else new StreamWire(setup, match, exchange, form).call.start();
}

function chooseForm({ method, binding }: RestSetup<StreamMethod>, { headers }: Exchange): StreamForm {
  if (binding.responseBody.kind === "bytes") return "bytes";
  // A client stream has one reply, which is the whole response.
  if (method.kind === "client_streaming") return "array";
  return method.kind === "bidi_streaming" ? "lines" : chooseStreamForm(header(headers, "accept"));
}

class StreamWire implements CallWire {
  readonly call: Call;
  readonly #setup: RestSetup<StreamMethod>;
  readonly #request: RestRequest;
  readonly #reader: RequestReader;
  readonly #response: RestResponse;
  readonly #batch: ReplyBatch;
  readonly #pump: ReplyPump;
  readonly #writer: StreamWriter;
  /** The response body, once the head has been sent. */
  #sink: BodySink | undefined;
  /** The content type of bytes, from the first reply. */
  #first: EncodedBody | undefined;
  /** The only reply of a client stream, which is the whole response. */
  #only: Message | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(setup: RestSetup<StreamMethod>, match: RestMatch, exchange: Exchange, form: StreamForm) {
    const head = readRestHead(setup, exchange);
    this.call = new Call(setup, exchange, head, this);
    this.#setup = setup;
    this.#response = new RestResponse(setup, head, this.call);
    this.#request = new RestRequest(setup, match, head, this.call, this.#response);
    this.#reader = this.#createReader(head);
    this.#writer = createStreamWriter(form);
    this.#batch = new ReplyBatch((bytes) => this.#write(bytes));
    this.#pump = new ReplyPump(this.call, this.#batch);
  }

  get #isBidi(): boolean {
    return this.#setup.method.kind === "bidi_streaming";
  }

  /** Without a body there is one request, out of path and query. */
  get #hasManyRequests(): boolean {
    return this.#setup.method.kind !== "server_streaming" && this.#setup.binding.requestBody.kind !== "none";
  }

  #createReader(head: RestHead): RequestReader {
    const limitBytes = this.#setup.method.options.readMaxBytes;
    const coding = this.#hasManyRequests ? this.#request.contentCoding : undefined;
    let splitter: JsonSplitter | undefined;
    if (this.#setup.binding.requestBody.kind === "json") {
      splitter = createJsonSplitter(this.#isBidi ? "lines" : (head.form ?? "json"), limitBytes);
    }
    return new RequestReader(
      {
        splitter,
        decompressor: streamCoding(coding)?.decompress(),
        limitBytes,
        decode: (value) => this.#request.decode(value),
        onProblem: (reason) => this.#request.refuseSize(toConnectError(reason)),
      },
      this.call.exchange,
    );
  }

  receive(): void {
    if (this.#hasManyRequests) this.#request.checkMany();
    else this.#request.checkOne();
    this.call.exchange.read();
    if (this.#writer.isKeptAlive && !this.#response.isHeadOnly) {
      this.#keepAlive = setInterval(() => this.#beat(), this.#setup.keepAliveMs);
    }
    this.call.run(() => this.#serve()).catch((reason) => this.call.fail(reason));
  }

  async #serve(): Promise<void> {
    const replies = await invokeStream(this.#setup.method, this.#reader.requests, this.call.context);
    const isWhole = await this.#pump.run(replies, (reply) => this.#add(reply));
    if (!isWhole) return;
    if (this.#only !== undefined) this.#response.send(this.#only);
    else this.call.complete(() => this.#end(undefined, this.call.context));
  }

  get hasPartOfMessage(): boolean {
    return this.#reader.hasPartOfMessage;
  }

  onData(chunk: Buffer): void {
    if (!this.#hasManyRequests) {
      this.#request.push(chunk);
      return;
    }
    try {
      this.#request.checkTyped(chunk.length);
      this.#reader.push(chunk);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  onEnd(): void {
    if (this.#hasManyRequests) {
      this.#reader.end();
      return;
    }
    this.#request.end((body) => {
      this.#reader.requests.push([body], body.length);
      this.#reader.requests.end();
    });
  }

  /** Adds a reply to the batch. Returns whether the handler is to yield more. */
  #add(reply: Message): boolean {
    if (this.#setup.method.kind === "client_streaming") {
      this.#only = reply;
      return false;
    }
    const encoded = this.#setup.encode(reply);
    this.#response.fixHeaders();
    this.#first ??= encoded;
    this.#batch.add(Buffer.from(encoded.kind === "json" ? this.#writer.reply(encoded.text) : encoded.data));
    this.call.messagesSent++;
    // A HEAD request gets headers only, and the first reply settles them.
    return !this.#response.isHeadOnly;
  }

  #beat(): void {
    // Skip keep-alives while the client is still behind.
    if (!this.#batch.isFull) this.#write(Buffer.from(keepAliveComment));
  }

  /** Writes bytes, the headers before them. Returns false if the client reads more slowly than we write. */
  #write(bytes: Uint8Array): boolean {
    if (this.call.isClosed || this.#response.isHeadOnly) return true;
    return this.call.write(() => this.#openSink().write(bytes));
  }

  #openSink(): BodySink {
    if (this.#sink !== undefined) return this.#sink;
    this.#response.fixHeaders();
    const headers = { ...this.#response.headers(this.#first), ...this.#writer.headers };
    delete headers["content-length"];
    const name = this.#response.chooseCompression(headers)?.name;
    const coding = streamCoding(name);
    if (coding !== undefined) headers["content-encoding"] = name;
    this.call.exchange.sendHead(this.#response.status, headers, this.#response.takesTrailers);
    this.#sink = createBodySink(this.call.exchange, coding, () => this.#batch.drained());
    return this.#sink;
  }

  onDrain(): void {
    this.#sink?.drained();
  }

  #end(error: ConnectError | undefined, metadata: ResponseMetadata): void {
    const { exchange, isClosed } = this.call;
    if (isClosed) return;
    const trailers = this.#response.trailers(metadata) ?? {};
    checkHeaderSize(exchange, trailers, "trailers");
    if (error !== undefined && this.#writer.end === undefined) {
      // A body of raw bytes cannot carry an error. Abort it, so that it does not look complete.
      exchange.cut();
      return;
    }
    if (this.#response.isWithoutBody) {
      this.#response.sendWithoutBody();
      return;
    }
    const sink = this.#openSink();
    const batch = this.#batch.take() ?? Buffer.alloc(0);
    const end = this.#writer.end?.(error && this.#setup.encodeError(error)) ?? "";
    const last = Buffer.concat([batch, Buffer.from(end)]);
    if (this.#response.isHeadOnly) exchange.end();
    else sink.end(last.length > 0 ? last : undefined, this.#response.takesTrailers ? trailers : undefined);
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    // Before the first reply the status is still unsent, also if sending the headers has failed.
    const isFirst = this.#first === undefined || metadata !== this.call.context;
    if (this.#sink === undefined && isFirst) return this.#response.sendError(error, metadata);
    this.#end(error, metadata);
    return undefined;
  }

  sendRefusal(error: ConnectError): void {
    this.#response.sendShared(error);
  }

  onSettled(error: ConnectError | undefined): void {
    clearInterval(this.#keepAlive);
    this.#reader.stop(error);
    this.#pump.stop();
  }

  onClose(): void {
    this.#sink?.close();
  }
}
