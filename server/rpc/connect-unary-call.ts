// A unary call over Connect: the message is the whole body, or a query parameter of a GET.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { ByteBuffer } from "../call/byte-buffer.js";
import { Call, type CallShape, type ResponseMetadata } from "../call/call.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { type BodyResponse, compressBody, sendBody, sendErrorBody } from "./body-response.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { connectUnary, type Uncompressed } from "./connect.js";
import { messageOf } from "./connect-get.js";
import { checkVersionHeader, checkVersionParameter } from "./connect-version.js";
import { takeBytes, tooLarge } from "./envelope.js";
import type { Codec, Format } from "./format.js";

/** What unary calls of one method over Connect share. */
export interface ConnectUnaryShape extends CallShape {
  readonly codecs: Record<Codec, MessageCodec>;
  readonly negotiate: Negotiator;
}

/** One such call. */
export class ConnectUnaryCall extends Call<ConnectUnaryShape> {
  readonly #format: Format;
  readonly #codec: MessageCodec;
  readonly #compression: Negotiated;
  /** Query parameters of a GET; undefined for a POST. */
  readonly #query: URLSearchParams | undefined;
  readonly #body = new ByteBuffer();

  constructor(shape: ConnectUnaryShape, format: Format, exchange: Exchange, query: URLSearchParams | undefined) {
    const { headers } = exchange;
    const { options } = shape.method;
    const requested = query === undefined ? headers["content-encoding"] : (query.get("compression") ?? undefined);
    const compression = shape.negotiate(requested, header(headers, "accept-encoding"));
    const timeout = readTimeout("connect", headers, options.maxTimeoutMs);
    const version = query ? checkVersionParameter(query, options) : checkVersionHeader(headers, options);
    super(shape, exchange, {
      protocol: "connect",
      timeout,
      problem: version ?? compression.error ?? timeout.error,
      responseHeader: { "content-type": format.contentType },
      responseTrailer: {},
    });
    this.#format = format;
    this.#codec = shape.codecs[format.codec];
    this.#compression = compression;
    this.#query = query;
  }

  protected receive(): void {
    if (this.#query !== undefined) {
      this.exchange.read();
      this.#take(messageOf(this.#query));
      return;
    }
    const limitBytes = this.method.options.readMaxBytes;
    const announced = Number.parseInt(this.exchange.headers["content-length"] ?? "", 10);
    if (announced > limitBytes) throw tooLarge(limitBytes, announced);
    this.exchange.read();
  }

  onData(chunk: Buffer): void {
    if (this.isDone) return;
    const limitBytes = this.method.options.readMaxBytes;
    if (this.#body.length + chunk.length > limitBytes) this.fail(tooLarge(limitBytes));
    else this.#body.push(chunk);
  }

  onEnd(): void {
    if (this.isDone || this.#query !== undefined) return;
    const body = this.#body.take();
    this.#take(takeBytes(body, 0, body.length));
  }

  /** Invokes the method with the message as it was sent. */
  #take(data: Uint8Array): void {
    const { request } = this.#compression;
    this.whenReady(
      () => (request === null ? data : request.decompress(data, this.method.options.readMaxBytes)),
      (bytes) => this.invoke(this.#codec.parse(bytes)),
    );
  }

  protected override reply(output: Message): void {
    const body = this.#codec.serializeBody(output);
    const response = this.#toResponse(connectUnary.message(this.context, this.#format.contentType, body));
    this.whenReady(
      () => compressBody(response),
      (ready) => this.complete(() => sendBody(this.exchange, ready)),
    );
  }

  protected sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    const response = this.#toResponse(connectUnary.error(metadata, error, this.method.options));
    return sendErrorBody(this.exchange, response, (warning) => this.warn(warning));
  }

  /** Every member by name: a spread takes a tenth of the time of a small call. */
  #toResponse({ status, headers, body }: Uncompressed): BodyResponse {
    const { compressMinBytes } = this.method.options;
    return { status, headers, body, trailers: undefined, compression: this.#compression.response, compressMinBytes };
  }
}
