// A unary call over Connect: the message is the whole body, or a query parameter of a GET.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { type Body, type Exchange, toBytes } from "../listen/exchange.js";
import { ByteBuffer } from "./byte-buffer.js";
import { Call, type CallShape } from "./call.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { connectUnary, type UnaryAnswer } from "./connect.js";
import { messageOf } from "./connect-get.js";
import { checkVersionHeader, checkVersionParameter } from "./connect-version.js";
import { takeBytes, tooLarge } from "./envelope.js";
import type { Codec, Format } from "./format.js";
import { header } from "./header.js";
import { readTimeout } from "./timeout.js";

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
    if (request === null) {
      this.#parseAndInvoke(data);
      return;
    }
    request.decompress(data, this.method.options.readMaxBytes).then(
      (bytes) => this.#parseAndInvoke(bytes),
      (reason) => this.fail(reason),
    );
  }

  #parseAndInvoke(data: Uint8Array): void {
    try {
      this.invoke(this.#codec.parse(data));
    } catch (reason) {
      this.fail(reason);
    }
  }

  protected override reply(output: Message): void {
    const body = this.#codec.serializeBody(output);
    this.settle(undefined);
    this.write(() => this.#send(connectUnary.message(this.context, this.#format.contentType, body)));
  }

  protected sendError(error: ConnectError): void {
    this.#send(connectUnary.error(this.context, error, this.method.options));
  }

  #send({ status, headers, body }: UnaryAnswer): void {
    const compression = this.#compression.response;
    if (compression === null || Buffer.byteLength(body) < this.method.options.compressMinBytes) {
      this.#end(status, headers, body);
      return;
    }
    headers[connectUnary.encodingHeader] = compression.name;
    compression.compress(toBytes(body)).then((compressed) => this.write(() => this.#end(status, headers, compressed)));
  }

  #end(status: number, headers: OutgoingHttpHeaders, body: Body): void {
    if (this.isClosed) return;
    headers["content-length"] = Buffer.byteLength(body);
    this.exchange.sendHead(status, headers);
    this.exchange.end(body);
  }
}
