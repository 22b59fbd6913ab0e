// One call in the fast lane, from the head of its request to the last byte of its answer. What the shapes of a call have
// in common: context, deadline, cancellation, and that only the first outcome counts.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError, ContextValues } from "@connectrpc/connect";
import type { ActiveCall, ActiveCalls, CallObserver } from "../call/active.js";
import { CallContext } from "../call/context.js";
import { deadlineExceeded, toCallError } from "../call/error.js";
import { LazyHeaders } from "../call/headers.js";
import { invokeUnary, isPromise } from "../call/invoke.js";
import type { Method, ProtocolName } from "../call/method.js";
import type { Exchange, ExchangeOwner } from "../listen/exchange.js";
import { closeReason } from "./reset.js";
import type { Timeout } from "./timeout.js";
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
}

/** What the head of a request says of its call. */
export interface CallHead {
  readonly protocol: ProtocolName;
  readonly timeout: Timeout;
  /** An error that is answered without reading the body. */
  readonly problem: ConnectError | undefined;
  /** Headers of the request as a handler finds them; all of them, if undefined. */
  readonly requestHeader?: () => IncomingHttpHeaders;
  /** Headers and trailers of the response as a handler finds them. */
  readonly responseHeader: OutgoingHttpHeaders;
  readonly responseTrailer: OutgoingHttpHeaders;
}

/** One call. A subclass reads the request, and writes the answer in its shape. */
export abstract class Call<Shape extends CallShape = CallShape> implements ActiveCall, ExchangeOwner {
  readonly method: Method;
  readonly context: CallContext;
  place = -1;
  protected readonly shape: Shape;
  protected readonly exchange: Exchange;
  /** Whether the outcome is settled. What comes later is ignored. */
  protected isDone = false;
  /** Whether nobody is there any more to write to. */
  protected isClosed = false;
  readonly #problem: ConnectError | undefined;
  readonly #startMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(shape: Shape, exchange: Exchange, head: CallHead) {
    const { method, environment } = shape;
    // Nobody else asks how long it took.
    this.#startMs = environment.observe === undefined ? 0 : performance.now();
    this.#problem = head.problem;
    this.method = method;
    this.shape = shape;
    this.exchange = exchange;
    const { timeoutMs } = head.timeout;
    this.context = new CallContext({
      method: method.spec.method,
      protocolName: head.protocol,
      requestMethod: exchange.method,
      url: requestUrl(exchange),
      requestHeader: new LazyHeaders(head.requestHeader ?? exchange.headers),
      responseHeader: new LazyHeaders(head.responseHeader),
      responseTrailer: new LazyHeaders(head.responseTrailer),
      timeoutMs,
      values: environment.contextValues?.(exchange),
    });
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.cancel(deadlineExceeded()), timeoutMs);
  }

  /** Starts reading the request, or refuses it. To be called once. */
  start(): void {
    this.shape.environment.active.add(this);
    this.exchange.attach(this);
    try {
      if (this.#problem !== undefined) this.fail(this.#problem);
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
      protocol: this.context.protocolName,
      code: error?.code,
      durationMs: performance.now() - this.#startMs,
      error,
    });
  }

  /**
   * Writes to the response. What Node refuses to write (a metadata value with control characters) breaks it off.
   *
   * @returns false if `write` does
   */
  protected write(write: () => unknown): boolean {
    try {
      return write() !== false;
    } catch (reason) {
      if (!this.isDone) this.settle(toCallError(reason), reason);
      this.exchange.cut();
      return true;
    }
  }

  /** Invokes a unary method. Its answer goes to `reply`, unless the call has ended before. What either throws ends the call. */
  protected invoke(message: Message): void {
    try {
      const output = invokeUnary(this.method, message, this.context);
      if (isPromise(output)) {
        output.then(
          (settled) => this.#takeOutput(settled),
          (reason) => this.fail(reason),
        );
      } else {
        this.#takeOutput(output);
      }
    } catch (reason) {
      this.fail(reason);
    }
  }

  #takeOutput(output: Message): void {
    if (this.isDone) return;
    try {
      this.reply(output);
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

  /** Answers with the reply of a unary method. May throw. */
  protected reply(_output: Message): void {}
  /** Starts reading the body. May throw. */
  protected abstract receive(): void;
  /** Writes the answer of a call that failed, or what is still to come of it. The outcome is settled already. */
  protected abstract sendError(error: ConnectError): void;
}
