// A call by a route of google.api.http. What unary calls and streams have in common: how the body is read, and how an
// error looks.
import type { OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { toNodeHeaders } from "../call/headers.js";
import type { Exchange } from "../listen/exchange.js";
import type { Binding } from "../rest/binding.js";
import type { RequestDecoder } from "../rest/decode.js";
import type { ErrorEncoder } from "../rest/errors.js";
import type { BodyEncoder } from "../rest/response.js";
import { codeToStatus } from "../rest/status.js";
import { Call, type CallShape } from "../rpc/call.js";
import { takeBytes, tooLarge } from "../rpc/envelope.js";
import { header } from "../rpc/header.js";
import { type BodyForm, chooseCompression, readBodyForm, readRestTimeout } from "./head.js";

/** What calls of one binding share. */
export interface RestShape extends CallShape {
  readonly binding: Binding;
  readonly decode: RequestDecoder;
  readonly encode: BodyEncoder;
  readonly encodeError: ErrorEncoder;
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
  protected readonly match: RestMatch;
  protected readonly contentType: string | undefined;
  protected readonly form: BodyForm | undefined;
  protected readonly acceptedCompression: Compression | undefined;
  /** Whether an error is one of the request's size or type, which HTTP has statuses of its own for. */
  protected isReading = true;
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;

  constructor(shape: RestShape, match: RestMatch, exchange: Exchange) {
    const { headers } = exchange;
    const { maxTimeoutMs, acceptCompression } = shape.method.options;
    const timeout = readRestTimeout(headers, maxTimeoutMs);
    super(shape, exchange, {
      protocol: "rest",
      timeout,
      problem: timeout.error,
      responseHeader: { "content-type": "application/json" },
      responseTrailer: {},
    });
    this.match = match;
    this.contentType = headers["content-type"];
    this.form = readBodyForm(this.contentType);
    this.acceptedCompression = chooseCompression(acceptCompression, header(headers, "accept-encoding"));
  }

  protected receive(): void {
    const { kind } = this.shape.binding.requestBody;
    if (kind === "json" && this.form === undefined) throw this.#unsupportedType();
    const announced = Number.parseInt(this.exchange.headers["content-length"] ?? "", 10);
    const limitBytes = this.method.options.readMaxBytes;
    if (announced > limitBytes) throw tooLarge(limitBytes, announced);
    this.exchange.read();
  }

  onData(chunk: Buffer): void {
    if (this.isDone || this.shape.binding.requestBody.kind === "none") return;
    this.#bodyBytes += chunk.length;
    const limitBytes = this.method.options.readMaxBytes;
    if (this.#bodyBytes > limitBytes) this.fail(tooLarge(limitBytes));
    else this.#chunks.push(chunk);
  }

  onEnd(): void {
    if (this.isDone) return;
    const [first] = this.#chunks;
    const isWhole = first !== undefined && this.#chunks.length === 1;
    const body = takeBytes(isWhole ? first : Buffer.concat(this.#chunks), 0, isWhole ? first.length : this.#bodyBytes);
    this.#decompress(body).then(
      (bytes) => this.#take(bytes),
      (reason) => this.fail(reason),
    );
  }

  #take(body: Uint8Array): void {
    if (this.isDone) return;
    try {
      const isTyped = this.shape.binding.requestBody.kind !== "json" || this.contentType !== undefined;
      if (body.length > 0 && !isTyped) throw this.#unsupportedType();
      this.onBody(body);
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** All of the body is there, decompressed. May throw. */
  protected abstract onBody(body: Uint8Array): void;

  async #decompress(body: Uint8Array): Promise<Uint8Array> {
    const name = header(this.exchange.headers, "content-encoding")?.toLowerCase();
    if (name === undefined || name === "identity" || body.length === 0) return body;
    const { acceptCompression, readMaxBytes } = this.method.options;
    const compression = acceptCompression.find((one) => one.name === name);
    if (compression !== undefined) return compression.decompress(body, readMaxBytes);
    const names = acceptCompression.map((one) => one.name).join(", ");
    throw this.#unsupported(`content-encoding: expected one of ${names}; found ${name}`, { "accept-encoding": names });
  }

  #unsupportedType(): ConnectError {
    const found = this.contentType ?? "a body without a type";
    return this.#unsupported(`content-type: expected application/json in UTF-8, found ${found}`, {});
  }

  #unsupported(message: string, metadata: Record<string, string>): ConnectError {
    this.#status = 415;
    return new ConnectError(message, Code.InvalidArgument, metadata);
  }

  /** The status of an error, where HTTP says more than the code does. */
  #status: number | undefined;

  protected sendError(error: ConnectError): void {
    if (this.isClosed) return;
    const { responseHeader } = this.context;
    responseHeader.set("content-type", "application/json");
    error.metadata.forEach((value, name) => {
      responseHeader.append(name, value);
    });
    const isTooLarge = this.isReading && error.code === Code.ResourceExhausted;
    const status = this.#status ?? (isTooLarge ? 413 : codeToStatus(error.code));
    this.respond(status, toNodeHeaders(responseHeader), Buffer.from(JSON.stringify(this.shape.encodeError(error))));
  }

  /** Sends a whole answer, compressed where that is accepted and worth it. */
  protected respond(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    const compression = this.acceptedCompression;
    headers.vary = headers.vary === undefined ? "Accept-Encoding" : `${headers.vary}, Accept-Encoding`;
    if (compression === undefined || body.length < this.method.options.compressMinBytes) {
      this.#send(status, headers, body);
      return;
    }
    headers["content-encoding"] = compression.name;
    compression.compress(body).then((compressed) => this.write(() => this.#send(status, headers, compressed)));
  }

  #send(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    if (this.isClosed) return;
    const trailers = this.#trailers();
    if (trailers === undefined) headers["content-length"] = body.length;
    this.exchange.sendHead(status, headers, trailers !== undefined);
    this.exchange.end(this.exchange.method === "HEAD" ? undefined : body, trailers);
  }

  /** The trailers that a handler has set, for a client that says it takes them. */
  #trailers(): OutgoingHttpHeaders | undefined {
    const { responseTrailer } = this.context;
    if (!responseTrailer.isTouched || !/\btrailers\b/.test(header(this.exchange.headers, "te") ?? "")) return undefined;
    const trailers = toNodeHeaders(responseTrailer);
    return Object.keys(trailers).length === 0 ? undefined : trailers;
  }
}
