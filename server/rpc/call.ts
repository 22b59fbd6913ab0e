// One RPC in the fast lane, from the head of its request to the last byte of its answer. What the shapes of a call have
// in common: context, deadline, cancellation, and that only the first outcome counts.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError, ContextValues } from "@connectrpc/connect";
import type { MethodSerializationLookup, Serialization } from "@connectrpc/connect/protocol";
import type { ActiveCall, ActiveCalls, CallObserver } from "../call/active.js";
import { CallContext } from "../call/context.js";
import { deadlineExceeded, toCallError } from "../call/error.js";
import { LazyHeaders } from "../call/headers.js";
import { invokeUnary, isPromise } from "../call/invoke.js";
import type { Method } from "../call/method.js";
import type { Exchange, ExchangeOwner } from "../listen/exchange.js";
import type { Negotiated, Negotiator } from "./compression.js";
import type { Format } from "./format.js";
import { closeReason } from "./reset.js";
import { readTimeout, timeoutHeaders } from "./timeout.js";
import { requestUrl } from "./url.js";

/** What calls of one server share. */
export interface CallEnvironment {
  readonly active: ActiveCalls;
  readonly observe: CallObserver | undefined;
  readonly contextValues: ((exchange: Exchange) => ContextValues) | undefined;
}

/** What calls of one method in one shape share: made once, at the start. */
export interface CallShape {
  readonly method: Method;
  readonly environment: CallEnvironment;
  readonly negotiate: Negotiator;
  // biome-ignore lint/suspicious/noExplicitAny: the types of the messages are known to the descriptor only
  readonly serialization: MethodSerializationLookup<any, any>;
}

/** One call. A subclass reads the request, and writes the answer in its shape. */
export abstract class RpcCall<Shape extends CallShape = CallShape> implements ActiveCall, ExchangeOwner {
  readonly method: Method;
  readonly context: CallContext;
  protected readonly shape: Shape;
  protected readonly format: Format;
  protected readonly exchange: Exchange;
  protected readonly compression: Negotiated;
  /** Whether the outcome is settled. What comes later is ignored. */
  protected isDone = false;
  /** Whether nobody is there any more to write to. */
  protected isClosed = false;
  readonly #input: Serialization<Message>;
  readonly #output: Serialization<Message>;
  readonly #problem: ConnectError | undefined;
  readonly #startMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    shape: Shape,
    format: Format,
    exchange: Exchange,
    head: { requested: string | undefined; accepted: string | undefined; responseTrailer: OutgoingHttpHeaders },
  ) {
    const { method, environment } = shape;
    this.#startMs = performance.now();
    this.method = method;
    this.shape = shape;
    this.format = format;
    this.exchange = exchange;
    const isBinary = format.codec === "proto";
    this.#input = shape.serialization.getI(isBinary);
    this.#output = shape.serialization.getO(isBinary);
    this.compression = shape.negotiate(head.requested, head.accepted);
    const timeout = readTimeout(
      format.protocol,
      header(exchange.headers, timeoutHeaders[format.protocol]),
      method.options.maxTimeoutMs,
    );
    this.#problem = this.compression.error ?? timeout.error;
    this.context = new CallContext({
      method: method.spec.method,
      protocolName: format.protocol,
      requestMethod: exchange.method,
      url: requestUrl(exchange),
      requestHeader: new LazyHeaders(exchange.headers),
      responseHeader: new LazyHeaders(this.initialHeader()),
      responseTrailer: new LazyHeaders(head.responseTrailer),
      timeoutMs: timeout.timeoutMs,
      values: environment.contextValues?.(exchange),
    });
    if (timeout.timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.cancel(deadlineExceeded()), timeout.timeoutMs);
    }
  }

  /** Starts reading the request, or refuses it. To be called once. */
  start(): void {
    this.shape.environment.active.add(this);
    this.exchange.attach(this);
    try {
      const problem = this.precondition() ?? this.#problem;
      if (problem !== undefined) this.fail(problem);
      else this.receive();
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Ends the call with an error that does not come from its handler. */
  cancel(error: ConnectError): void {
    this.fail(error);
  }

  /** Ends the call with whatever a handler, an interceptor or a parser threw. */
  protected fail(reason: unknown): void {
    if (this.isDone) return;
    const error = toCallError(reason);
    this.settle(error, reason);
    this.write(() => this.sendError(error));
  }

  /** Settles the outcome: no later one counts, the timer stops, the signal fires, and the observer is told. */
  protected settle(error: ConnectError | undefined, reason: unknown = error): void {
    this.isDone = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.context.abort(reason);
    const { active, observe } = this.shape.environment;
    active.delete(this);
    observe?.({
      method: this.method,
      protocol: this.format.protocol,
      code: error?.code,
      durationMs: performance.now() - this.#startMs,
      error,
    });
  }

  /** Writes to the response. What Node refuses to write (a metadata value with control characters) ends the call. */
  protected write(write: () => void): void {
    try {
      write();
    } catch (reason) {
      if (!this.isDone) this.settle(toCallError(reason), reason);
      this.exchange.cut();
    }
  }

  protected parse(data: Uint8Array): Message {
    return this.#input.parse(data);
  }

  protected serialize(message: Message): Uint8Array {
    return this.#output.serialize(message);
  }

  /** Invokes a unary method. The serialised answer goes to `reply`, unless the call has ended before. */
  protected invoke(message: Message, reply: (data: Uint8Array) => void): void {
    const onOutput = (output: Message): void => {
      if (this.isDone) return;
      try {
        reply(this.serialize(output));
      } catch (reason) {
        this.fail(reason);
      }
    };
    try {
      const output = invokeUnary(this.method, message, this.context);
      if (isPromise(output)) output.then(onOutput, (reason) => this.fail(reason));
      else onOutput(output);
    } catch (reason) {
      this.fail(reason);
    }
  }

  onClose(): void {
    this.isClosed = true;
    if (!this.isDone) this.settle(closeReason(this.exchange));
  }

  abstract onData(chunk: Buffer): void;
  abstract onEnd(): void;
  onDrain(): void {}

  /** The response's headers as a handler finds them. Called by the constructor. */
  protected abstract initialHeader(): OutgoingHttpHeaders;
  /** An error of the request's head that is looked at before compression and deadline. */
  protected abstract precondition(): ConnectError | undefined;
  /** Starts reading the body. May throw. */
  protected abstract receive(): void;
  /** Writes the answer of a call that failed, or what is still to come of it. The outcome is settled already. */
  protected abstract sendError(error: ConnectError): void;
}

/** A request header that has one value. Node joins repeated ones by commas, but for those that it gives as a list. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}
