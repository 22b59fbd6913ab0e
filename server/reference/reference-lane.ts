// Serves calls with Connect's own handlers, and guards them where a request could harm the server or another call: a
// deadline that a handler ignores, one that is longer than a timer, a body that never ends, invalid base64.
import type { IncomingHttpHeaders } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { guardListeners } from "../call/abort-listeners.js";
import type { ActiveCall } from "../call/active.js";
import type { Admission } from "../call/admission.js";
import { ByteBuffer } from "../call/byte-buffer.js";
import type { CallEnvironment } from "../call/call.js";
import { CallValues } from "../call/context-values.js";
import { closeReason, deadlineExceeded, toConnectError, toError, toUnsendable } from "../call/error.js";
import { deleteUnsent, toNodeHeaders } from "../call/headers.js";
import { leave } from "../call/invoke.js";
import { hasOneRequest, type Method, type RpcProtocol } from "../call/method.js";
import { ObservedCall } from "../call/observer.js";
import { RequestQueue } from "../call/request-queue.js";
import { compressesResponses } from "../call/response-compression.js";
import { toSendableError } from "../call/sendable-error.js";
import { readTimeout, timeoutHeaders } from "../call/timeout.js";
import { CountedExchange } from "../http/counted-exchange.js";
import { type Exchange, type ExchangeOwner, requestUrl } from "../http/exchange.js";
import { checkHeaderSize, header, toWebHeaders } from "../http/header.js";
import { Base64Decoder, encodeBase64 } from "../rpc/base64-stream.js";
import { createNegotiator } from "../rpc/compression.js";
import { checkVersionHeader, connectStream, connectUnary } from "../rpc/connect.js";
import { readQueryMessage } from "../rpc/connect-unary.js";
import type { Format } from "../rpc/format.js";
import { grpc } from "../rpc/grpc.js";
import { encodeMessage, shortenEncoded } from "../rpc/grpc-status.js";
import { grpcWeb } from "../rpc/grpc-web.js";
import type { Lane } from "../rpc/handler.js";
import { sendCallError } from "../rpc/refuse.js";
import type { EnvelopeWire } from "../rpc/wire.js";
import { toUniversalHandler } from "./universal-handler.js";

const callKey = createContextKey<ReferenceCall | undefined>(undefined, { description: "manywire call" });

/** Prepares Connect's handler for the method. */
export function createReferenceLane(method: Method, environment: CallEnvironment): Lane {
  const handler = toUniversalHandler(method, [guard]);
  const findProblem = createHeadCheck(method);
  return (format, exchange, query) => {
    const call = new ReferenceCall(method, environment, format, exchange);
    call.problem = findProblem(format, exchange) ?? call.problem;
    call.start();
    try {
      if (query !== undefined) readQueryMessage(query);
    } catch (reason) {
      call.refuse(toConnectError(reason));
      return;
    }
    const refusal = call.problem === undefined ? call.admit() : undefined;
    if (refusal !== undefined) {
      call.refuse(refusal);
      return;
    }
    call
      .run(() => handler(call.toUniversalRequest()).then((answer) => call.answer(answer)))
      .catch((reason) => call.refuse(reason));
  };
}

/** The outermost interceptor: adds cancellation, and makes every error safe for the client. */
const guard: Interceptor = (next) => async (request) => {
  const call = request.contextValues.get(callKey);
  if (call === undefined) return next(request);
  call.restoreHeaders(request.header);
  guardListeners(request.signal, (reason) => call.reportListener(reason));
  try {
    if (call.problem !== undefined) throw call.problem;
    const response = await call.orCancelled(next(call.countRequests(request)));
    if (response.stream) return { ...response, message: call.guardReplies(response.message) };
    call.messagesSent++;
    return response;
  } catch (reason) {
    throw call.noteError(reason);
  }
};

/** Finds what is wrong with the head of a stream. Connect looks for it only when the handler asks for the first request. */
function createHeadCheck({ spec, options }: Method): (format: Format, exchange: Exchange) => ConnectError | undefined {
  if (spec.kind === "unary") return () => undefined;
  const check = ({ protocol, encodingHeader, acceptEncodingHeader }: EnvelopeWire) => {
    const negotiate = createNegotiator(options.acceptCompression, acceptEncodingHeader);
    return (headers: IncomingHttpHeaders) =>
      (protocol === "connect" ? checkVersionHeader(headers, options) : undefined) ??
      negotiate(header(headers, encodingHeader), undefined).error ??
      readTimeout(protocol, headers, options.maxTimeoutMs).error;
  };
  const checks: Record<RpcProtocol, ReturnType<typeof check>> = {
    grpc: check(grpc),
    "grpc-web": check(grpcWeb),
    connect: check(connectStream),
  };
  return ({ protocol }, { headers }) => checks[protocol](headers);
}

/** Bytes after which timers and other connections get a turn, even if a handler never waits. */
const turnBytes = 32 * 1024;

/** Most bodies arrive in fewer chunks than this. */
const manyArrivals = 64;

class ReferenceCall implements ActiveCall, ExchangeOwner {
  readonly method: Method;
  /** Connect splits streams into messages, so incomplete messages are not known here. */
  readonly owesRest: boolean;
  place = -1;
  /** The error that the call ends with before its handler is called. */
  problem: ConnectError | undefined;
  readonly #environment: CallEnvironment;
  readonly #format: Format;
  readonly #exchange: Exchange;
  readonly #counted: CountedExchange;
  readonly #values: ContextValues;
  #observed: ObservedCall | undefined;
  /** What observers learn. */
  messagesSent = 0;
  #messagesReceived = 0;
  #bytesReceived = 0;
  /** Headers as the client sent them. Connect's handler gets corrected ones. */
  readonly #sent: Record<string, string>;
  readonly #mended: Record<string, string>;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #cancelled: Promise<never>;
  /** What has arrived, and whether it waits in `#chunks`, all of it as one chunk. */
  readonly #arrived = new ByteBuffer();
  readonly #chunks: RequestQueue<ByteBuffer, Buffer>;
  #arrivals = 0;
  /** Aborted when the response has been closed. */
  readonly #closed = new AbortController();
  #reject: (error: ConnectError) => void = () => {};
  #resume: () => void = () => {};
  #leaveHandler: () => void = () => {};
  #error: ConnectError | undefined;
  #answer: UniversalServerResponse | undefined;
  #lastChunk: Uint8Array | undefined;
  #warnings: readonly string[] = [];
  /** What counts the call, until it ends. */
  #admission: Admission | undefined;
  /** Whether an error was sent instead of the response of Connect's handler. */
  #isRefused = false;

  constructor(method: Method, environment: CallEnvironment, format: Format, exchange: Exchange) {
    this.method = method;
    this.owesRest = hasOneRequest(method);
    this.#environment = environment;
    this.#format = format;
    this.#counted = new CountedExchange(exchange);
    this.#exchange = this.#counted;
    this.#values = this.#makeValues();
    this.#chunks = new RequestQueue({
      open: (arrived) => arrived.take(),
      pause: () => exchange.pause(),
      read: () => exchange.read(),
    });
    this.#cancelled = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.#cancelled.catch(() => {});
    const name = timeoutHeaders[format.protocol];
    const { timeoutMs, error } = readTimeout(format.protocol, exchange.headers, method.options.maxTimeoutMs);
    const isCompressed = compressesResponses(method.options, format.protocol);
    const acceptEncoding = acceptEncodingHeader(format).toLowerCase();
    this.#sent = pick(exchange, ["content-type", name, acceptEncoding]);
    this.#mended = {
      "content-type": format.contentType.replace("-text", ""),
      ...(!isCompressed && { [acceptEncoding]: "identity" }),
      ...(timeoutMs !== undefined && mendedTimeout(name, timeoutMs)),
    };
    this.#timer = timeoutMs === undefined ? undefined : setTimeout(() => this.cancel(deadlineExceeded()), timeoutMs);
    if (timeoutMs !== undefined && error !== undefined) this.cancel(error);
  }

  /** Is called once, before Connect's handler. */
  start(): void {
    const { active, observers } = this.#environment;
    const start = { method: this.method, protocol: this.#format.protocol, contextValues: this.#values };
    this.#observed = observers && new ObservedCall(observers, this.#exchange, start);
    active.add(this);
    this.#exchange.attach(this);
  }

  /** Counts the call, or returns the error that refuses it. */
  admit(): ConnectError | undefined {
    const { admission } = this.#environment;
    const refusal = admission?.begin(this.method);
    if (refusal === undefined) this.#admission = admission;
    return refusal;
  }

  /** Does the work that calls Connect's handler, as observers want it to be done. */
  run<Result>(work: () => Result): Result {
    return this.#observed === undefined ? work() : this.#observed.run(work);
  }

  cancel(error: ConnectError): void {
    this.#error ??= error;
    this.#reject(error);
  }

  /** The request as Connect's handler takes it. */
  toUniversalRequest(): UniversalServerRequest {
    const { method, headers, httpVersion } = this.#exchange;
    const header = toWebHeaders(headers);
    for (const name in this.#mended) header.set(name, this.#mended[name] as string);
    if (this.problem !== undefined) header.delete(timeoutHeaders[this.#format.protocol]);
    // Connect would name a length over the limit first. A deadline that has passed already comes before it.
    if (this.#error !== undefined) header.delete("content-length");
    return {
      httpVersion: httpVersion === 2 ? "2.0" : "1.1",
      method,
      url: requestUrl(this.#exchange),
      header,
      body: this.#requestBody(),
      signal: this.#closed.signal,
      contextValues: this.#values,
    };
  }

  #makeValues(): ContextValues {
    try {
      const values = this.#environment.contextValues?.(this.#exchange) ?? new CallValues(this.#exchange);
      return values.set(callKey, this);
    } catch (reason) {
      this.problem = toConnectError(reason);
      return new CallValues(this.#exchange).set(callKey, this);
    }
  }

  reportListener(reason: unknown): void {
    this.#environment.report(toError(reason), "abort listener");
  }

  restoreHeaders(target: Headers): void {
    for (const name in this.#mended) target.delete(name);
    for (const name in this.#sent) target.set(name, this.#sent[name] as string);
  }

  /** Settles as the promise does, or with the error that cancels the call: whichever comes first, the error where both have. */
  orCancelled<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#cancelled, promise]);
  }

  noteError(reason: unknown): ConnectError {
    if (this.#error === undefined) {
      const { error, warnings } = toSendableError(toConnectError(reason));
      this.#error = error;
      this.#warnings = warnings;
    }
    return this.#error;
  }

  countRequests<Request extends UnaryRequest | StreamRequest>(request: Request): Request {
    if (request.stream) return { ...request, message: this.#countEach(request.message) };
    this.#messagesReceived++;
    return request;
  }

  async *#countEach<T>(requests: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const request of requests) {
      this.#messagesReceived++;
      yield request;
    }
  }

  async *guardReplies<T>(replies: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = replies[Symbol.asyncIterator]();
    this.#leaveHandler = () => leave(iterator);
    try {
      for (;;) {
        const next = await this.orCancelled(iterator.next());
        if (next.done === true) return;
        this.messagesSent++;
        yield next.value;
      }
    } catch (reason) {
      throw this.noteError(reason);
    } finally {
      this.#leaveHandler();
    }
  }

  /** Writes the response of Connect's handler. @throws ConnectError or Error if its headers cannot be sent */
  answer(answer: UniversalServerResponse): void {
    this.#answer = answer;
    if (this.#exchange.isClosed) return;
    deleteUnsent(answer.header);
    checkHeaderSize(this.#exchange, toNodeHeaders(new Headers(answer.header)), "headers");
    if (this.#isTrailersOnly(answer)) {
      this.#chunks.stop();
      this.#fitTrailer(answer.trailer);
      this.#exchange.sendHeadOnly(200, {
        ...toNodeHeaders(answer.header as Headers),
        ...toNodeHeaders(answer.trailer as Headers),
      });
      return;
    }
    if (this.#format.isText) answer.header?.set("content-type", this.#format.contentType);
    this.#write(answer).catch(() => this.#exchange.cut());
  }

  /** Writes head, body and trailers. Rejects if the handler fails or a header cannot be sent. */
  async #write({ status, header: responseHeader, body, trailer }: UniversalServerResponse): Promise<void> {
    const hasTrailers = trailer !== undefined;
    const chunks = body === undefined ? undefined : this.#responseBody(body);
    try {
      let next = await chunks?.next();
      // After the first chunk: until then the handler may set headers.
      if (this.#exchange.isClosed) return;
      this.#exchange.sendHead(status, toNodeHeaders(new Headers(responseHeader)), hasTrailers);
      for (; next !== undefined && next.done !== true; next = await chunks?.next()) {
        if (this.#exchange.isClosed) return;
        if (!this.#exchange.write(next.value)) await this.#room();
      }
      if (!this.#exchange.isClosed) this.#exchange.end(undefined, trailer && toNodeHeaders(new Headers(trailer)));
    } finally {
      chunks?.return(undefined).catch(() => {});
    }
  }

  /** Resolves when more of the response can be written, or the client has disconnected. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** Sends an error instead of a response that cannot be sent: without details and metadata. */
  refuse(reason: unknown): void {
    if (this.#exchange.isClosed) return;
    this.#isRefused = true;
    const { rawMessage, code } = this.noteError(toUnsendable(reason));
    this.#chunks.stop();
    if (this.#exchange.isHeadSent) this.#exchange.cut();
    else sendCallError(this.#exchange, this.#format, new ConnectError(rawMessage, code));
  }

  /** Shortens the message of gRPC's status, and drops all other trailers if they are too large. */
  #fitTrailer(trailer: Headers | undefined): void {
    if (trailer === undefined) return;
    const message = trailer.get("grpc-message") ?? "";
    const short = shortenEncoded(message);
    if (short !== message) {
      trailer.set("grpc-message", short);
      // It repeats the message.
      trailer.delete("grpc-status-details-bin");
    }
    try {
      checkHeaderSize(this.#exchange, toNodeHeaders(trailer), "trailers");
    } catch (reason) {
      const error = this.noteError(toUnsendable(reason));
      const kept = new Set(["grpc-status", "grpc-message"]);
      for (const name of [...trailer.keys()]) if (!kept.has(name)) trailer.delete(name);
      trailer.set("grpc-status", String(error.code));
      trailer.set("grpc-message", encodeMessage(error.rawMessage));
    }
  }

  /** Reads the body. Connect's own reading stops at an error while the client waits. */
  async *#requestBody(): AsyncGenerator<Uint8Array> {
    const decoder = this.#format.isText ? new Base64Decoder() : undefined;
    this.#exchange.read();
    for (;;) {
      const next = await this.orCancelled(this.#chunks.next());
      if (next.done === true) break;
      yield decoder === undefined ? next.value : decoder.decode(next.value);
    }
    decoder?.end();
  }

  /** Whether to send a trailers-only response, as in the fast lane. */
  #isTrailersOnly({ header: responseHeader, trailer }: UniversalServerResponse): boolean {
    const status = trailer?.get("grpc-status") ?? "0";
    const names = [...(responseHeader?.keys() ?? [])];
    return status !== "0" && names.every((name) => name === "content-type" || name === "grpc-encoding");
  }

  async *#responseBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of body) {
      this.#lastChunk = chunk;
      yield this.#format.isText ? encodeBase64(chunk) : chunk;
      bytes += chunk.length;
      if (bytes < turnBytes) continue;
      bytes = 0;
      await nextTurn();
    }
    deleteUnsent(this.#answer?.trailer);
    if (this.#format.protocol === "grpc") this.#fitTrailer(this.#answer?.trailer);
    this.#chunks.stop();
  }

  onData(chunk: Buffer): void {
    const isFirst = this.#arrived.length === 0;
    this.#bytesReceived += chunk.length;
    this.#arrived.push(chunk);
    // Many small chunks are passed on together, because Connect copies all that it has with every chunk.
    const isNow = isFirst && ++this.#arrivals <= manyArrivals;
    this.#chunks.push(isNow ? [this.#arrived] : [], chunk.length);
    if (isFirst && !isNow) setImmediate(() => this.#handOn());
  }

  #handOn(): void {
    if (this.#arrived.length > 0) this.#chunks.push([this.#arrived], 0);
  }

  onEnd(): void {
    if (this.#arrivals > manyArrivals) this.#handOn();
    this.#chunks.end();
  }

  onDrain(): void {
    this.#resume();
  }

  onClose(): void {
    clearTimeout(this.#timer);
    const isWhole = this.#exchange.isFinished;
    // First, so that the handler sees the error and not the end of the requests.
    if (!isWhole) this.cancel(closeReason(this.#exchange));
    this.#closed.abort(isWhole ? undefined : closeReason(this.#exchange));
    this.#resume();
    this.#chunks.stop();
    // The handler may wait to be asked for the next reply.
    this.#leaveHandler();
    const code = isWhole && !this.#isRefused ? this.#sentCode() : (this.#error?.code ?? Code.Canceled);
    const { active, onError } = this.#environment;
    active.delete(this);
    this.#admission?.end(this.method);
    if (this.#error !== undefined) onError?.(this.method.path, this.#error);
    this.#observed?.end({
      code,
      error: this.#error,
      warnings: this.#warnings,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#counted.bytesSent,
      messagesReceived: this.#messagesReceived,
      messagesSent: this.messagesSent,
    });
  }

  /** Reads the code of the response, wherever its protocol puts it. */
  #sentCode(): Code | undefined {
    const end = Buffer.from(this.#lastChunk ?? []).toString("latin1");
    if (this.#format.protocol === "connect") {
      const isError = this.#format.isEnveloped || this.#answer?.status !== 200;
      return isError ? codeFromString(/"code":"(\w+)"/.exec(end)?.[1] ?? "") : undefined;
    }
    const status = this.#answer?.trailer?.get("grpc-status") ?? /grpc-status: (\d+)/.exec(end)?.[1];
    // Trailers that are a part of the body may be compressed.
    if (status === undefined) return this.#error?.code;
    return status === "0" ? undefined : Number(status);
  }
}

function pick({ headers }: Exchange, names: string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = header(headers, name);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** The request header that lists what the client accepts. */
function acceptEncodingHeader({ protocol, isEnveloped }: Format): string {
  if (!isEnveloped) return connectUnary.acceptEncodingHeader;
  return { grpc, "grpc-web": grpcWeb, connect: connectStream }[protocol].acceptEncodingHeader;
}

/** grpc-timeout has at most eight digits, so the longest timer is written in seconds. */
function mendedTimeout(name: string, timeoutMs: number): Record<string, string> {
  if (name === "connect-timeout-ms") return { [name]: String(Math.ceil(timeoutMs)) };
  return { [name]: timeoutMs < 99_999_999 ? `${Math.ceil(timeoutMs)}m` : `${Math.floor(timeoutMs / 1000)}S` };
}
