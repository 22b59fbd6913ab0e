// Forwards a unary call whose message has been decoded, in the order in which it happens: the message is encoded and sent, and
// the reply decoded.
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { decompressReply } from "../../client/grpc/response.js";
import { createMethodCodec, type MethodCodec } from "../../client/method-codec.js";
import { whenEnded } from "../call/context.js";
import { type ForwardEnd, observedCall } from "../call/observer.js";
import { compressionGzip } from "../compressions.js";
import type { Field } from "../http2/hpack/field.js";
import { metadataOf } from "../rpc/connect.js";
import { headBytes, writeEnvelopeHead } from "../rpc/envelope.js";
import { announce } from "./announce.js";
import { createRoute, type ForwardTarget, type Route } from "./channel.js";
import { brokenError, timeoutFields } from "./deadline.js";
import { appendAll, passRequestFields } from "./metadata.js";
import { type ResponseEnd, type ResponseHead, unsupportedEncoding } from "./response.js";
import { SingleReply } from "./single-reply.js";
import { UpstreamCall, type UpstreamCallListener } from "./upstream-call.js";

/** What calls of one method share. */
interface UnarySetup {
  readonly route: Route;
  readonly codec: MethodCodec;
}

/** Calls a method of an upstream. The promise rejects with a ConnectError. */
export type CallUnary = (message: Message, context: HandlerContext) => Promise<Message>;

/** @param waitsForReady whether calls wait while the upstream cannot be reached */
export function createUnary(method: DescMethodUnary, target: ForwardTarget, waitsForReady: boolean): CallUnary {
  const path = `/${method.parent.typeName}/${method.name}`;
  const route = createRoute(target, path, waitsForReady, [compressionGzip]);
  const setup = { route, codec: createMethodCodec(method, { useBinaryFormat: true }) };
  return (message, context) => new Promise((...settle) => new UnaryCall(setup, context, settle).send(message));
}

type Settle = Parameters<ConstructorParameters<typeof Promise<Message>>[0]>;

class UnaryCall implements UpstreamCallListener {
  readonly #codec: MethodCodec;
  readonly #context: HandlerContext;
  readonly #resolve: Settle[0];
  readonly #reject: Settle[1];
  readonly #upstream: UpstreamCall;
  readonly #reply: SingleReply;
  readonly #readMaxBytes: number;
  readonly #url: string;
  #fields: readonly Field[] = [];
  #isOver = false;
  #onForwarded: ForwardEnd | undefined;

  constructor({ route, codec }: UnarySetup, context: HandlerContext, [resolve, reject]: Settle) {
    this.#codec = codec;
    this.#context = context;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#upstream = new UpstreamCall(route, this);
    this.#url = route.channel.baseUrl;
    this.#readMaxBytes = route.channel.readMaxBytes;
    this.#reply = new SingleReply(this.#readMaxBytes);
  }

  // The request

  /** Throws what keeps the message from being sent. */
  send(message: Message): void {
    const fields = passRequestFields(this.#context);
    const body = this.#codec.encode(message, headBytes);
    writeEnvelopeHead(body, 0, 0, body.length - headBytes);
    const observed = this.#context.values.get(observedCall);
    [this.#fields, this.#onForwarded] = announce(observed, this.#url, fields);
    this.#upstream.write(body, true);
    this.#upstream.send();
    whenEnded(this.#context, (reason) => this.#fail(reason));
  }

  requestFields(): readonly Field[] {
    return timeoutFields(this.#fields, this.#context);
  }

  onRoom(): void {}

  // The response

  onHead({ encoding, metadata = {} }: ResponseHead): void {
    if (encoding !== undefined && encoding !== compressionGzip.name) this.#fail(unsupportedEncoding(encoding));
    this.#reply.encoding = encoding;
    appendAll(metadata, this.#context.responseHeader);
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#reply.push(bytes, start, end);
      this.#upstream.consume(end - start);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  onStatus({ trailers, error }: ResponseEnd): void {
    try {
      if (error !== undefined) throw error;
      if (trailers !== undefined) appendAll(metadataOf(trailers), this.#context.responseTrailer);
      const { data, encoding } = this.#reply.take();
      if (encoding === undefined) this.#succeed(data);
      else void this.#decompress(data);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  async #decompress(data: Uint8Array): Promise<void> {
    try {
      this.#succeed(await decompressReply(data, compressionGzip, this.#readMaxBytes));
    } catch (reason) {
      this.#fail(reason);
    }
  }

  onBroken(error: ConnectError): void {
    this.#fail(brokenError(error, this.#context));
  }

  /** Ends the call well. @throws ConnectError if the message is malformed */
  #succeed(data: Uint8Array): void {
    const message = this.#codec.decode(data);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onForwarded?.(undefined);
    this.#resolve(message);
  }

  /** Ends the call with an error, unless it has ended. */
  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#upstream.cancel();
    const error = ConnectError.from(reason);
    this.#onForwarded?.(error);
    this.#reject(error);
  }
}
