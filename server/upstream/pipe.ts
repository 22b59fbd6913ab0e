// A call in envelopes whose messages pass through, in the order in which it happens. The body of the request goes on as it
// comes, and so does that of the response; headers, trailers and status are put in the words of the other side.
import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { Call, type CallEnvironment, type CallSetup, type CallWire, type ResponseMetadata } from "../call/call.js";
import { extraInput, missingInput } from "../call/invoke.js";
import { hasOneReply, hasOneRequest, type Method } from "../call/method.js";
import type { ForwardEnd } from "../call/observer.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header, readPreferences } from "../http/header.js";
import { PreparedHead } from "../http/prepared-head.js";
import { createField, type Field } from "../http2/hpack/field.js";
import { Base64Decoder, encodeBase64 } from "../rpc/base64-stream.js";
import { checkVersionHeader } from "../rpc/connect.js";
import type { Format } from "../rpc/format.js";
import { sendSharedError } from "../rpc/refuse.js";
import type { Ending, EnvelopeWire } from "../rpc/wire.js";
import { announce } from "./announce.js";
import type { Route } from "./channel.js";
import { brokenError, timeoutFields } from "./deadline.js";
import { isIdentity } from "./encodings.js";
import { type EnvelopeRules, EnvelopeWatch } from "./envelope-watch.js";
import { toRequestFields } from "./metadata.js";
import { extraOutput, missingOutput, type ResponseEnd, type ResponseHead, unsupportedEncoding } from "./response.js";
import { UpstreamCall, type UpstreamCallListener } from "./upstream-call.js";

/** What calls of one method over one protocol share. */
export interface PipeSetup extends CallSetup {
  readonly wire: EnvelopeWire;
  readonly route: Route;
  /** Format → head of responses without metadata. */
  readonly heads: Map<Format, PreparedHead>;
  /** Headers of a request, which requests to one authority on one connection may share → fields for the upstream. */
  readonly fields: WeakMap<IncomingHttpHeaders, readonly Field[]>;
  readonly requests: EnvelopeRules;
  readonly replies: EnvelopeRules;
}

/** Prepares everything that calls of the method over one protocol share. */
export function createPipeSetup(
  method: Method,
  environment: CallEnvironment,
  wire: EnvelopeWire,
  route: Route,
): PipeSetup {
  const { readMaxBytes, writeMaxBytes } = method.options;
  const limitBytes = Math.min(route.channel.readMaxBytes, writeMaxBytes);
  return {
    method,
    environment,
    wire,
    route,
    heads: new Map(),
    fields: new WeakMap(),
    requests: {
      limitBytes: readMaxBytes,
      limitName: "readMaxBytes",
      malformed: Code.InvalidArgument,
      onlyOne: hasOneRequest(method) ? () => extraInput(method.kind) : undefined,
    },
    replies: {
      limitBytes,
      limitName: limitBytes === writeMaxBytes ? "writeMaxBytes" : "readMaxBytes",
      malformed: Code.Internal,
      onlyOne: hasOneReply(method) ? () => extraOutput(method.kind) : undefined,
    },
  };
}

/** Serves one call. */
export function servePipe(setup: PipeSetup, format: Format, exchange: Exchange): void {
  new Pipe(setup, format, exchange).call.start();
}

const nothing = new Uint8Array();

class Pipe implements CallWire, UpstreamCallListener {
  readonly call: Call;
  readonly #setup: PipeSetup;
  readonly #format: Format;
  readonly #upstream: UpstreamCall;
  readonly #head: PreparedHead;
  readonly #requests: EnvelopeWatch;
  readonly #replies: EnvelopeWatch;
  readonly #decoder: Base64Decoder | undefined;
  #fields: readonly Field[] = [];
  #onForwarded: ForwardEnd | undefined;
  #isReading = false;
  /** The only message of a request, or its last part, which leaves together with the end. */
  #last: Uint8Array | undefined;
  #isHeadSent = false;
  /** Whether the caller has a part of a message, so that nothing else can follow in the body. */
  #isInMessage = false;
  /** Whether the caller reads more slowly than the upstream sends, and bytes that wait for it. */
  #isBlocked = false;
  #waitingBytes = 0;
  #end: ResponseEnd | undefined;

  constructor(setup: PipeSetup, format: Format, exchange: Exchange) {
    const { wire, method, route } = setup;
    const { options } = method;
    const timeout = readTimeout(wire.protocol, exchange.headers, options.maxTimeoutMs);
    const version = wire.protocol === "connect" ? checkVersionHeader(exchange.headers, options) : undefined;
    this.#setup = setup;
    this.#format = format;
    this.#head = headOf(setup, format);
    this.call = new Call(
      setup,
      exchange,
      {
        protocol: wire.protocol,
        timeout,
        problem: version ?? timeout.error,
        responseHeader: this.#head.headers,
        responseTrailer: wire.initialTrailer,
      },
      this,
    );
    this.#upstream = new UpstreamCall(route, this);
    this.#decoder = format.isText ? new Base64Decoder() : undefined;
    this.#requests = new EnvelopeWatch(setup.requests);
    this.#replies = new EnvelopeWatch(setup.replies);
  }

  // The request

  receive(): void {
    const { headers } = this.call.exchange;
    this.#requests.hasCompression = !isIdentity(header(headers, this.#setup.wire.encodingHeader));
    const fields = fieldsOf(this.#setup, this.call.exchange);
    const { baseUrl } = this.#setup.route.channel;
    [this.#fields, this.#onForwarded] = announce(this.call.observed, baseUrl, fields);
    this.#upstream.send();
  }

  requestFields(): readonly Field[] {
    return timeoutFields(this.#fields, this.call.context);
  }

  onRoom(): void {
    this.#isReading = true;
    this.call.exchange.read();
  }

  onData(chunk: Buffer): void {
    try {
      const bytes = this.#decoder === undefined ? chunk : this.#decoder.decode(chunk);
      this.#requests.follow(bytes, 0, bytes.length);
      this.call.messagesReceived = this.#requests.wholeMessages;
      this.#passRequest(bytes);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  #passRequest(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (hasOneRequest(this.call.method) && !this.#requests.isInside) {
      this.#last = bytes;
      return;
    }
    if (this.#upstream.write(bytes, false)) return;
    this.#isReading = false;
    this.call.exchange.pause();
  }

  onEnd(): void {
    try {
      this.#decoder?.end();
      if (this.#requests.isInside) throw new ConnectError(incompleteEnvelope, Code.InvalidArgument);
      if (hasOneRequest(this.call.method) && this.#requests.messages === 0) throw missingInput(this.call.method.kind);
      this.#upstream.write(this.#last ?? nothing, true);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  get hasPartOfMessage(): boolean {
    return this.#requests.isInside;
  }

  // The response

  onHead({ encoding, metadata }: ResponseHead): void {
    const { wire } = this.#setup;
    const { exchange } = this.call;
    if (encoding !== undefined && !accepts(exchange, wire, encoding)) {
      this.call.fail(unsupportedEncoding(encoding));
      return;
    }
    this.#replies.hasCompression = encoding !== undefined;
    this.call.write(() => {
      if (encoding === undefined && metadata === undefined) exchange.sendPreparedHead(this.#head, wire.hasTrailers);
      else {
        const compression = encoding === undefined ? {} : { [wire.encodingHeader]: encoding };
        exchange.sendHead(200, { ...metadata, ...this.#head.headers, ...compression }, wire.hasTrailers);
      }
      this.#isHeadSent = true;
      return true;
    });
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#replies.follow(bytes, start, end);
    } catch (reason) {
      this.call.fail(reason);
      return;
    }
    const chunk = bytes.subarray(start, end);
    this.#isInMessage = this.#replies.isInside;
    this.call.messagesSent = this.#replies.wholeMessages;
    this.#waitingBytes += chunk.length;
    if (!this.call.exchange.write(this.#format.isText ? encodeBase64(chunk) : chunk)) this.#isBlocked = true;
    if (!this.#isBlocked) this.onDrain();
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#upstream.consume(this.#waitingBytes);
    this.#waitingBytes = 0;
  }

  onStatus(end: ResponseEnd): void {
    this.#end = end;
    const error = end.error ?? this.#findFault();
    if (error !== undefined) {
      this.call.fail(error);
      return;
    }
    const { wire } = this.#setup;
    const { context, method } = this.call;
    const { trailers } = end;
    const ending =
      trailers === undefined
        ? wire.end(context, undefined, method.options)
        : wire.pass(trailers, undefined, method.options);
    this.call.complete(() => this.#sendEnd(ending));
  }

  /** What is wrong with a response of status OK. */
  #findFault(): ConnectError | undefined {
    if (this.#replies.isInside) return new ConnectError(incompleteEnvelope, Code.Internal);
    const { method } = this.call;
    return hasOneReply(method) && this.#replies.messages === 0 ? missingOutput(method.kind) : undefined;
  }

  onBroken(error: ConnectError): void {
    this.call.fail(brokenError(error, this.call.context));
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): undefined {
    const { wire } = this.#setup;
    const { options } = this.call.method;
    const trailers = error === this.#end?.error ? this.#end.trailers : undefined;
    this.#sendEnd(
      trailers === undefined ? wire.end(metadata, error, options) : wire.pass(trailers, error, options),
      error,
    );
  }

  sendRefusal(error: ConnectError): void {
    sendSharedError(this.call.exchange, this.#format, error);
  }

  #sendEnd({ envelope, trailers }: Ending, error?: ConnectError): void {
    const { exchange, isClosed } = this.call;
    if (isClosed) return;
    if (envelope !== undefined && this.#isInMessage) {
      exchange.cut();
      return;
    }
    const bytes = envelope !== undefined && this.#format.isText ? encodeBase64(envelope) : envelope;
    if (this.#isHeadSent) exchange.end(bytes, trailers);
    else if (bytes === undefined && error !== undefined) {
      exchange.sendHeadOnly(200, { ...this.#head.headers, ...trailers });
    } else {
      if (bytes === undefined) exchange.sendPreparedHead(this.#head, true);
      else exchange.sendHead(200, { ...this.#head.headers, "content-length": bytes.length });
      exchange.end(bytes, trailers);
    }
  }

  onSettled(error: ConnectError | undefined): void {
    this.#onForwarded?.(error);
    this.#upstream.cancel();
    // What still comes of the request is read and dropped, or the caller might wait for ever.
    if (!this.#isReading) this.call.exchange.read();
  }
}

const incompleteEnvelope = "protocol error: incomplete envelope";

function headOf({ heads }: PipeSetup, format: Format): PreparedHead {
  const known = heads.get(format);
  if (known !== undefined) return known;
  const head = new PreparedHead(200, { "content-type": format.contentType });
  heads.set(format, head);
  return head;
}

/** Metadata and compressions. The names of the compressions are the same in every protocol. */
function fieldsOf({ fields, wire }: PipeSetup, exchange: Exchange): readonly Field[] {
  const { headers } = exchange;
  const known = fields.get(headers);
  if (known !== undefined) return known;
  const made = [...toRequestFields(headers, exchange)];
  const encoding = header(headers, wire.encodingHeader);
  const accepted = header(headers, wire.acceptEncodingHeader.toLowerCase());
  if (encoding !== undefined) made.push(createField("grpc-encoding", encoding));
  if (accepted !== undefined) made.push(createField("grpc-accept-encoding", accepted));
  if (Object.isFrozen(headers)) fields.set(headers, made);
  return made;
}

function accepts({ headers }: Exchange, { acceptEncodingHeader }: EnvelopeWire, encoding: string): boolean {
  return readPreferences(header(headers, acceptEncodingHeader.toLowerCase())).includes(encoding);
}
