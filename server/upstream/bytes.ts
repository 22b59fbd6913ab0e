// A unary call of Connect whose message passes through, in the order in which it happens. An envelope is put around the
// message of the request and taken off that of the response, which is held until the trailers: the HTTP status comes first.
import type { ConnectError } from "@connectrpc/connect";
import type { CallEnvironment } from "../call/call.js";
import type { UnaryMethod } from "../call/method.js";
import type { ForwardEnd } from "../call/observer.js";
import type { Exchange } from "../http/exchange.js";
import { createField, type Field } from "../http2/hpack/field.js";
import { createNegotiator } from "../rpc/compression.js";
import { connectUnary, metadataOf } from "../rpc/connect.js";
import { type ConnectUnaryBase, ConnectUnaryCall, requestedEncoding } from "../rpc/connect-unary.js";
import { compressedFlag, encodeEnvelope } from "../rpc/envelope.js";
import type { Format } from "../rpc/format.js";
import { announce } from "./announce.js";
import type { Route } from "./channel.js";
import { brokenError, timeoutFields } from "./deadline.js";
import { isIdentity } from "./encodings.js";
import { appendAll, toRequestFields } from "./metadata.js";
import { type ResponseEnd, type ResponseHead, unsupportedEncoding } from "./response.js";
import { SingleReply } from "./single-reply.js";
import { UpstreamCall, type UpstreamCallListener } from "./upstream-call.js";

/** What calls of one method share. */
export interface BytesSetup extends ConnectUnaryBase {
  readonly method: UnaryMethod;
  readonly route: Route;
}

/** Prepares everything that calls of the method share. */
export function createBytesSetup(method: UnaryMethod, environment: CallEnvironment, route: Route): BytesSetup {
  const negotiate = createNegotiator(method.options.acceptCompression, connectUnary.acceptEncodingHeader);
  return { method, environment, route, negotiate };
}

/** Serves one call. @param query the query parameters of a GET; undefined for a POST */
export function serveBytes(
  setup: BytesSetup,
  format: Format,
  exchange: Exchange,
  query: URLSearchParams | undefined,
): void {
  new BytesCall(setup, format, exchange, query).call.start();
}

class BytesCall extends ConnectUnaryCall implements UpstreamCallListener {
  readonly #upstream: UpstreamCall;
  readonly #encoding: string | undefined;
  readonly #baseUrl: string;
  readonly #reply: SingleReply;
  #fields: readonly Field[] = [];
  #onForwarded: ForwardEnd | undefined;

  constructor(setup: BytesSetup, format: Format, exchange: Exchange, query: URLSearchParams | undefined) {
    super(setup, format, exchange, query);
    this.#upstream = new UpstreamCall(setup.route, this);
    this.#encoding = requestedEncoding(exchange, query);
    this.#baseUrl = setup.route.channel.baseUrl;
    this.#reply = new SingleReply(setup.route.channel.readMaxBytes);
  }

  // The request

  protected take(data: Uint8Array): void {
    const flags = isIdentity(this.#encoding) || data.length === 0 ? 0 : compressedFlag;
    this.call.messagesReceived++;
    const fields = this.#makeFields(flags);
    [this.#fields, this.#onForwarded] = announce(this.call.observed, this.#baseUrl, fields);
    this.#upstream.write(encodeEnvelope(flags, data), true);
    this.#upstream.send();
  }

  #makeFields(flags: number): readonly Field[] {
    const { exchange } = this.call;
    const fields = [...toRequestFields(exchange.headers, exchange)];
    const { response } = this.compression;
    if (flags === compressedFlag) fields.push(createField("grpc-encoding", this.#encoding ?? ""));
    if (response !== null) fields.push(createField("grpc-accept-encoding", response.name));
    return fields;
  }

  requestFields(): readonly Field[] {
    return timeoutFields(this.#fields, this.call.context);
  }

  onRoom(): void {}

  // The response

  onHead({ encoding, metadata = {} }: ResponseHead): void {
    if (encoding !== undefined && encoding !== this.compression.response?.name) {
      this.call.fail(unsupportedEncoding(encoding));
      return;
    }
    this.#reply.encoding = encoding;
    appendAll(metadata, this.call.context.responseHeader);
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#reply.push(bytes, start, end);
      this.#upstream.consume(end - start);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  onStatus({ trailers = {}, error }: ResponseEnd): void {
    // Those of an error have its metadata.
    if (error === undefined) appendAll(metadataOf(trailers), this.call.context.responseTrailer);
    this.call.whenReady(
      () => {
        if (error !== undefined) throw error;
        return this.#reply.take();
      },
      ({ data, encoding }) => this.reply(data, encoding),
    );
  }

  onBroken(error: ConnectError): void {
    this.call.fail(brokenError(error, this.call.context));
  }

  onSettled(error: ConnectError | undefined): void {
    this.#onForwarded?.(error);
    this.#upstream.cancel();
  }
}
