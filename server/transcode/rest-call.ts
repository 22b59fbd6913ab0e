// A call by a route of google.api.http. What unary calls and streams have in common: how a body is read that is one
// request, how a reply is sent that is the whole answer, and how an error looks.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { ByteBuffer } from "../call/byte-buffer.js";
import { Call, type CallShape, type ResponseMetadata } from "../call/call.js";
import { toConnectError } from "../call/error.js";
import { type Body, type Exchange, noSniff } from "../http/exchange.js";
import { header } from "../http/header.js";
import { quote, shorten } from "../quote.js";
import type { ErrorEncoder } from "../rest/error/errors.js";
import { codeToStatus } from "../rest/error/status.js";
import type { BodyForm } from "../rest/read/json-splitter.js";
import type { RequestDecoder } from "../rest/read/request.js";
import type { BodyEncoder, EncodedBody } from "../rest/response.js";
import type { Binding } from "../rest/route/binding.js";
import { type BodyResponse, compressBody, sendBody, sendErrorBody } from "../rpc/body-response.js";
import { takeBytes, tooLarge } from "../rpc/envelope.js";
import { isCrossSite } from "./cross-site.js";
import { chooseCompression, readBodyForm, readRestTimeout } from "./head.js";
import { requestMetadata, responseHeaders, responseTrailers } from "./metadata.js";

/** What calls of one binding share. */
export interface RestShape extends CallShape {
  readonly binding: Binding;
  readonly decode: RequestDecoder;
  readonly encode: BodyEncoder;
  readonly encodeError: ErrorEncoder;
  /** How often a stream of events without events is kept open, in milliseconds. */
  readonly keepAliveMs: number;
}

/** What a route and its request say of a call. */
export interface RestMatch {
  /** Raw values of the path's variables. */
  readonly captures: readonly string[];
  /** The raw query. */
  readonly query: string;
}

/** One such call. */
export abstract class RestCall extends Call<RestShape> {
  protected readonly form: BodyForm | undefined;
  /** What Accept-Encoding and the server have in common. */
  protected readonly compression: Compression | undefined;
  readonly #match: RestMatch;
  readonly #contentType: string | undefined;
  readonly #body = new ByteBuffer();
  #fixedHeaders: OutgoingHttpHeaders | undefined;
  /** An error that HTTP has a status of its own for, which says more than its code does. */
  #refusal: { readonly error: ConnectError; readonly status: number } | undefined;

  constructor(shape: RestShape, match: RestMatch, exchange: Exchange) {
    const { headers } = exchange;
    const { maxTimeoutMs, acceptCompression } = shape.method.options;
    const timeout = readRestTimeout(headers, maxTimeoutMs);
    super(shape, exchange, {
      protocol: "rest",
      timeout,
      problem: timeout.error,
      requestHeader: () => requestMetadata(headers),
      responseHeader: { "content-type": "application/json" },
      responseTrailer: {},
    });
    this.#match = match;
    this.#contentType = headers["content-type"];
    this.form = readBodyForm(this.#contentType);
    this.compression = chooseCompression(acceptCompression, header(headers, "accept-encoding"));
  }

  protected receive(): void {
    if (isCrossSite(this.exchange)) throw refuseCrossSite(this.#contentType);
    this.checkHead();
    this.exchange.read();
  }

  /** Refuses a body that is to be one request, and is said to be of another type, or too large. */
  protected checkHead(): void {
    if (this.shape.binding.requestBody.kind === "json" && this.form !== "json") throw this.refuseType();
    const announced = Number.parseInt(this.exchange.headers["content-length"] ?? "", 10);
    const limitBytes = this.method.options.readMaxBytes;
    if (announced > limitBytes) throw this.refuseSize(tooLarge(limitBytes, announced));
  }

  onData(chunk: Buffer): void {
    if (this.isDone || this.shape.binding.requestBody.kind === "none") return;
    const limitBytes = this.method.options.readMaxBytes;
    if (this.#body.length + chunk.length > limitBytes) this.fail(this.refuseSize(tooLarge(limitBytes)));
    else this.#body.push(chunk);
  }

  onEnd(): void {
    if (this.isDone) return;
    const body = this.#body.take();
    this.#decompress(takeBytes(body, 0, body.length));
  }

  #decompress(body: Uint8Array): void {
    const name = body.length === 0 ? undefined : this.contentCoding();
    if (name === undefined) {
      this.#take(body);
      return;
    }
    const { acceptCompression, readMaxBytes } = this.method.options;
    const compression = acceptCompression.find((one) => one.name === name);
    if (compression === undefined) {
      this.fail(this.refuseCoding(name));
      return;
    }
    compression.decompress(body, readMaxBytes).then(
      (bytes) => this.#take(bytes),
      (reason) => this.fail(this.refuseSize(toConnectError(reason))),
    );
  }

  #take(body: Uint8Array): void {
    if (this.isDone) return;
    try {
      const limitBytes = this.method.options.readMaxBytes;
      if (body.length > limitBytes) throw this.refuseSize(tooLarge(limitBytes, body.length));
      this.checkTyped(body.length);
      this.onBody(body);
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Refuses a JSON body of unsaid type: a page of any site may send one without asking. */
  protected checkTyped(bytes: number): void {
    const isTyped = this.shape.binding.requestBody.kind !== "json" || this.#contentType !== undefined;
    if (bytes > 0 && !isTyped) throw this.refuseType();
  }

  /** All of the body is there, decompressed. May throw. */
  protected abstract onBody(body: Uint8Array): void;

  /** Makes a request of path, query and one body. May throw. */
  protected decode(body: Uint8Array): Message {
    // Spread, the match would cost a call more than the rest of the decoding.
    const { captures, query } = this.#match;
    try {
      return this.shape.decode({ captures, query, contentType: this.#contentType, body });
    } catch (reason) {
      throw reason instanceof ConnectError ? this.refuseSize(reason) : reason;
    }
  }

  /** The compression of the body; undefined for none. */
  protected contentCoding(): string | undefined {
    const name = header(this.exchange.headers, "content-encoding")?.trim().toLowerCase();
    return name === "identity" || name === "" ? undefined : name;
  }

  protected refuseCoding(name: string): ConnectError {
    const names = this.method.options.acceptCompression.map((one) => one.name).join(", ");
    this.context.responseHeader.set("accept-encoding", names);
    const text = `content-encoding: expected one of ${names}; found ${shorten(name)}`;
    return this.#refuse(415, new ConnectError(text, Code.InvalidArgument));
  }

  protected refuseType(): ConnectError {
    const found = this.#contentType ?? "a body without a type";
    const text = `content-type: expected application/json in UTF-8, found ${shorten(found)}`;
    return this.#refuse(415, new ConnectError(text, Code.InvalidArgument));
  }

  /** Of the errors of reading a body, those that speak of its size. */
  protected refuseSize(error: ConnectError): ConnectError {
    return error.code === Code.ResourceExhausted ? this.#refuse(413, error) : error;
  }

  #refuse(status: number, error: ConnectError): ConnectError {
    this.#refusal = { status, error };
    return error;
  }

  protected sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    const header = new Headers(metadata.responseHeader);
    header.set("content-type", "application/json");
    header.delete("content-encoding");
    error.metadata.forEach((value, name) => {
      header.append(name, value);
    });
    const headers = { ...responseHeaders(header), ...noSniff };
    const body = JSON.stringify(this.shape.encodeError(error));
    const response = this.#toResponse(this.#statusOf(error), headers, body, metadata);
    return sendErrorBody(this.exchange, response, (warning) => this.warn(warning));
  }

  /** The reduced form of an error that does not fit has its status, too. */
  #statusOf({ code, rawMessage }: ConnectError): number {
    const refusal = this.#refusal;
    const isRefusal = refusal?.error.code === code && refusal.error.rawMessage === rawMessage;
    return isRefusal ? refusal.status : codeToStatus(code);
  }

  /** Answers with one reply. May throw. */
  protected sendReply(output: Message): void {
    const encoded = this.shape.encode(output);
    const body = encoded.kind === "json" ? encoded.text : encoded.data;
    const response = this.#toResponse(200, this.replyHeaders(encoded), body, this.context);
    this.whenReady(
      () => compressBody(response),
      (ready) => this.complete(() => sendBody(this.exchange, ready)),
    );
  }

  /** Headers are final with the first reply: what a handler sets later is not sent, whether they have left or not. */
  protected fixHeaders(): void {
    this.#fixedHeaders ??= this.#currentHeaders();
  }

  #currentHeaders(): OutgoingHttpHeaders {
    const { responseHeader } = this.context;
    return responseHeader.isTouched ? responseHeaders(responseHeader) : { "content-type": "application/json" };
  }

  /** The headers of a reply, those of the handler among them. */
  protected replyHeaders(encoded: EncodedBody | undefined): OutgoingHttpHeaders {
    const headers = Object.assign(this.#fixedHeaders ?? this.#currentHeaders(), noSniff);
    if (encoded?.kind !== "bytes") {
      // Only bytes can have been compressed before they came here.
      delete headers["content-encoding"];
      return headers;
    }
    // The handler sets the content type.
    delete headers["content-type"];
    if (encoded.contentType !== undefined) headers["content-type"] = encoded.contentType;
    return headers;
  }

  /** Says that the answer depends on Accept-Encoding; and whether it may be compressed, or the handler did that already. */
  protected varyByEncoding(headers: OutgoingHttpHeaders): boolean {
    headers.vary = headers.vary === undefined ? "Accept-Encoding" : `${headers.vary}, Accept-Encoding`;
    return headers["content-encoding"] === undefined;
  }

  /** A response whose body may be compressed. */
  #toResponse(status: number, headers: OutgoingHttpHeaders, body: Body, metadata: ResponseMetadata): BodyResponse {
    const compression = this.varyByEncoding(headers) ? this.compression : undefined;
    const { compressMinBytes } = this.method.options;
    return { status, headers, body, trailers: this.trailers(metadata), compression, compressMinBytes };
  }

  protected get isHead(): boolean {
    return this.exchange.method === "HEAD";
  }

  /** Whether the client says that it reads trailers. */
  protected get takesTrailers(): boolean {
    return !this.isHead && /\btrailers\b/i.test(header(this.exchange.headers, "te") ?? "");
  }

  /** The trailers that the handler has set; undefined for none, and for a client that does not read them. */
  protected trailers({ responseTrailer }: ResponseMetadata): OutgoingHttpHeaders | undefined {
    if (!responseTrailer.isTouched || !this.takesTrailers) return undefined;
    const trailers = responseTrailers(responseTrailer);
    return Object.keys(trailers).length === 0 ? undefined : trailers;
  }
}

function refuseCrossSite(contentType: string | undefined): ConnectError {
  const found = contentType === undefined ? "none" : quote(contentType);
  const text = `cross-site POST: expected a content-type that needs a CORS preflight, such as application/json, found ${found}`;
  return new ConnectError(text, Code.PermissionDenied);
}
