// A unary call over Connect, in the order in which it happens. The message is the whole body, or a GET's query parameter.
import type { Message } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { CollectedBody } from "../call/byte-buffer.js";
import { Call, type CallSetup, type CallWire, type ResponseMetadata } from "../call/call.js";
import { invokeUnary } from "../call/invoke.js";
import type { UnaryMethod } from "../call/method.js";
import { chosenCompression, compressesResponses } from "../call/response-compression.js";
import { readTimeout } from "../call/timeout.js";
import type { Body, Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { type BodyResponse, compressBody, sendBody, sendErrorBody } from "./body-response.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { checkVersionHeader, checkVersionParameter, connectUnary, type Uncompressed } from "./connect.js";
import type { Codec, Format } from "./format.js";
import { sendSharedError } from "./refuse.js";

/** What unary calls of one method over Connect share, whether their messages are decoded or passed on. */
export interface ConnectUnaryBase extends CallSetup {
  readonly negotiate: Negotiator;
}

/** The same of calls whose messages are decoded. */
export interface ConnectUnarySetup extends ConnectUnaryBase {
  readonly method: UnaryMethod;
  readonly codecs: Record<Codec, MessageCodec>;
}

/** Serves one call. @param query the query parameters of a GET; undefined for a POST */
export function serveConnectUnary(
  setup: ConnectUnarySetup,
  format: Format,
  exchange: Exchange,
  query: URLSearchParams | undefined,
): void {
  new ConnectUnaryWire(setup, format, exchange, query).call.start();
}

/** What is the same whether the message is decoded or passed on: the request up to its message, and the response. */
export abstract class ConnectUnaryCall implements CallWire {
  readonly call: Call;
  protected readonly compression: Negotiated;
  protected readonly contentType: string;
  readonly #format: Format;
  readonly #query: URLSearchParams | undefined;
  readonly #body: CollectedBody;

  constructor(setup: ConnectUnaryBase, format: Format, exchange: Exchange, query: URLSearchParams | undefined) {
    const { headers } = exchange;
    const { options } = setup.method;
    const compression = setup.negotiate(requestedEncoding(exchange, query), header(headers, "accept-encoding"));
    const timeout = readTimeout("connect", headers, options.maxTimeoutMs);
    const version = query ? checkVersionParameter(query, options) : checkVersionHeader(headers, options);
    const head = {
      protocol: "connect",
      timeout,
      problem: version ?? compression.error ?? timeout.error,
      responseHeader: { "content-type": format.contentType },
      responseTrailer: {},
    } as const;
    this.call = new Call(setup, exchange, head, this);
    this.contentType = format.contentType;
    this.#format = format;
    this.compression = compression;
    this.#query = query;
    this.#body = new CollectedBody(options.readMaxBytes);
  }

  /** Called with the message as it was sent. May throw. */
  protected abstract take(data: Uint8Array): void;

  receive(): void {
    const { exchange } = this.call;
    if (this.#query !== undefined) {
      exchange.read();
      this.take(readQueryMessage(this.#query));
      return;
    }
    const problem = this.#body.checkLength(exchange.headers);
    if (problem !== undefined) throw problem;
    exchange.read();
  }

  onData(chunk: Buffer): void {
    const problem = this.#body.push(chunk);
    if (problem !== undefined) this.call.fail(problem);
  }

  onEnd(): void {
    if (this.#query !== undefined) return;
    try {
      this.take(this.#body.take());
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  /** Ends a call that went well. @param encoding the compression that the body has already; undefined without one */
  protected reply(body: Body, encoding?: string): void {
    const { call } = this;
    const response = this.#toResponse(connectUnary.message(call.context, this.contentType, body));
    if (encoding !== undefined) response.headers["content-encoding"] = encoding;
    call.whenReady(
      () => (encoding === undefined ? compressBody(response) : response),
      (ready) =>
        call.complete(() => {
          call.messagesSent++;
          sendBody(call.exchange, ready);
        }),
    );
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    const response = this.#toResponse(connectUnary.error(metadata, error, this.call.method.options));
    return sendErrorBody(this.call.exchange, response, (warning) => this.call.warn(warning));
  }

  sendRefusal(error: ConnectError): void {
    sendSharedError(this.call.exchange, this.#format, error);
  }

  /** Every member by name: a spread takes a tenth of the time of a small call. */
  #toResponse({ status, headers, body }: Uncompressed): BodyResponse {
    const { options } = this.call.method;
    const isCompressed = chosenCompression(this.call.context) ?? compressesResponses(options, "connect");
    const compression = isCompressed ? this.compression.response : undefined;
    return { status, headers, body, trailers: undefined, compression, compressMinBytes: options.compressMinBytes };
  }
}

/** The compression that the request names; undefined without one. */
export function requestedEncoding({ headers }: Exchange, query: URLSearchParams | undefined): string | undefined {
  return query === undefined ? headers["content-encoding"] : (query.get("compression") ?? undefined);
}

class ConnectUnaryWire extends ConnectUnaryCall {
  readonly #method: UnaryMethod;
  readonly #codec: MessageCodec;

  constructor(setup: ConnectUnarySetup, format: Format, exchange: Exchange, query: URLSearchParams | undefined) {
    super(setup, format, exchange, query);
    this.#method = setup.method;
    this.#codec = setup.codecs[format.codec];
  }

  /** Invokes the method with the message. */
  protected take(data: Uint8Array): void {
    const { request } = this.compression;
    this.call.whenReady(
      () => (request === null ? data : request.decompress(data, this.#method.options.readMaxBytes)),
      (bytes) => this.#invoke(this.#codec.parse(bytes)),
    );
  }

  #invoke(message: Message): void {
    this.call.messagesReceived++;
    this.call.whenReady(
      () => this.call.run(() => invokeUnary(this.#method, message, this.call.context)),
      (output) => this.reply(this.#codec.serializeBody(output)),
    );
  }
}

/**
 * The message of a Connect GET, which is in the query (https://connectrpc.com/docs/protocol#unary-get-request).
 *
 * @throws ConnectError `invalid_argument` if the message is said to be base64 and is not
 */
export function readQueryMessage(query: URLSearchParams): Uint8Array {
  const message = query.get("message") ?? "";
  if (query.get("base64") !== "1") return Buffer.from(message);
  try {
    return base64Decode(message);
  } catch (cause) {
    const text = 'query parameter "message": expected base64';
    throw new ConnectError(text, Code.InvalidArgument, undefined, undefined, cause);
  }
}
