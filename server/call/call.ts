// One call in the fast lane, from the head of its request to the last byte of its answer. What the shapes of a call have
// in common: context, deadline, cancellation, and that only the first outcome counts.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { ConnectError, type ContextValues } from "@connectrpc/connect";
import type { Exchange, ExchangeOwner } from "../http/exchange.js";
import type { ActiveCall, ActiveCalls, CallObserver } from "./active.js";
import { CallContext } from "./context.js";
import { deadlineExceeded, toConnectError, toUnsendable } from "./error.js";
import { LazyHeaders } from "./headers.js";
import { invokeUnary, isPromise } from "./invoke.js";
import { hasOneRequest, type Method, type ProtocolName } from "./method.js";
import { closeReason } from "./reset.js";
import { type SendableError, toSendableError } from "./sendable-error.js";
import type { Timeout } from "./timeout.js";
import { requestUrl } from "./url.js";

/** What calls of one server share. */
export interface CallEnvironment {
  readonly active: ActiveCalls;
  /** Never throws. */
  readonly observe: CallObserver | undefined;
  readonly contextValues: ((exchange: Exchange) => ContextValues) | undefined;
  /** Reports an error of the application's own code that no call ends with. Never throws. */
  readonly report: (error: Error, step: ApplicationStep) => void;
}

/** The application's code that failed: an observer of calls, a listener on a call's signal, or the shape of REST errors. */
export type ApplicationStep = "observer" | "abort listener" | "error shape";

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

/** Headers and trailers that go with a response. */
export type ResponseMetadata = Pick<CallContext, "responseHeader" | "responseTrailer">;

/** One call. A subclass reads the request, and writes the response in its shape. */
export abstract class Call<Shape extends CallShape = CallShape> implements ActiveCall, ExchangeOwner {
  readonly method: Method;
  readonly context: CallContext;
  place = -1;
  protected readonly shape: Shape;
  protected readonly exchange: Exchange;
  /** Whether the outcome is settled. What comes later is ignored. */
  protected isDone = false;
  /** Whether the client can no longer be written to. */
  protected isClosed = false;
  readonly #head: CallHead;
  readonly #problem: ConnectError | undefined;
  /** The start time is needed only by the observer. */
  readonly #startMs: number;
  #timer: NodeJS.Timeout | undefined;
  #warnings: readonly string[] = [];
  #isObserved = false;
  #error: ConnectError | undefined;

  constructor(shape: Shape, exchange: Exchange, head: CallHead) {
    const { method, environment } = shape;
    this.#startMs = environment.observe === undefined ? 0 : performance.now();
    this.#head = head;
    this.method = method;
    this.shape = shape;
    this.exchange = exchange;
    const { timeoutMs } = head.timeout;
    const { values, problem } = makeValues(environment, exchange);
    this.#problem = head.problem ?? problem;
    this.context = new CallContext({
      method: method.spec.method,
      protocolName: head.protocol,
      requestMethod: exchange.method,
      url: requestUrl(exchange),
      requestHeader: new LazyHeaders(head.requestHeader ?? exchange.headers),
      responseHeader: new LazyHeaders(head.responseHeader),
      responseTrailer: new LazyHeaders(head.responseTrailer),
      timeoutMs,
      values,
      report: environment.report,
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
    const sendable = toSendableError(toConnectError(reason));
    this.settle(sendable.error, reason);
    this.#sendFailure(sendable);
  }

  /** Ends the call well. `send` writes the rest of the response. What it throws is sent in its place, as an error. */
  protected complete(send: () => void): void {
    if (this.isDone) return;
    this.settle(undefined);
    try {
      send();
    } catch (reason) {
      this.#sendFailure(toSendableError(toUnsendable(reason)));
      return;
    }
    this.#observe();
  }

  /** Settles the outcome: no later one counts, the timer stops, and the signal fires. */
  protected settle(error: ConnectError | undefined, reason: unknown = error): void {
    this.isDone = true;
    this.#error = error;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.context.abort(reason);
    this.shape.environment.active.delete(this);
  }

  /** Sends the error, without its details or without metadata if they do not fit into headers or trailers. */
  #sendFailure({ error, warnings }: SendableError): void {
    this.#error = error;
    this.#warnings = warnings;
    this.#trySending(error, reductions);
  }

  #trySending(error: ConnectError, [reduction, ...rest]: readonly Reduction[], reason?: unknown): void {
    if (reduction === undefined) {
      this.warn(`the response cannot be sent: ${messageOf(reason)}`);
      this.exchange.cut();
      this.#observe();
      return;
    }
    const done = () => {
      if (reduction.dropped !== undefined) this.warn(`${reduction.dropped} not sent: ${messageOf(reason)}`);
      this.#observe();
    };
    // Of several reasons the first one is that of the whole response.
    const retry = (refusal: unknown) => this.#trySending(error, rest, reason ?? refusal);
    try {
      const metadata = reduction.hasMetadata ? this.context : this.#bareMetadata();
      const sent = this.sendError(reduce(error, reduction), metadata);
      if (sent === undefined) done();
      else sent.then(done, retry);
    } catch (refusal) {
      retry(refusal);
    }
  }

  /** Headers and trailers as they were before the handler. */
  #bareMetadata(): ResponseMetadata {
    const { responseHeader, responseTrailer } = this.#head;
    return { responseHeader: new LazyHeaders(responseHeader), responseTrailer: new LazyHeaders(responseTrailer) };
  }

  /** Notes for the observer what of the response is not sent as it was meant. */
  protected warn(warning: string): void {
    this.#warnings = [...this.#warnings, warning];
  }

  #observe(): void {
    if (this.#isObserved) return;
    this.#isObserved = true;
    const error = this.#error;
    this.shape.environment.observe?.({
      method: this.method,
      protocol: this.context.protocolName,
      code: error?.code,
      durationMs: performance.now() - this.#startMs,
      error,
      warnings: this.#warnings,
    });
  }

  /**
   * Writes a part of the response. A header that cannot be sent ends the call with an error.
   *
   * @returns false if `write` does
   */
  protected write(write: () => boolean): boolean {
    try {
      return write();
    } catch (reason) {
      this.fail(toUnsendable(reason));
      return true;
    }
  }

  /** Invokes a unary method. Its answer goes to `reply`, unless the call has ended before. What either throws ends the call. */
  protected invoke(message: Message): void {
    this.whenReady(
      () => invokeUnary(this.method, message, this.context),
      (output) => this.reply(output),
    );
  }

  /** Makes a value and uses it, unless the call has ended before. What either throws, or rejects, ends the call. */
  protected whenReady<Value>(make: () => Value | Promise<Value>, use: (value: Value) => void): void {
    try {
      const value = make();
      if (isPromise(value)) {
        value.then(
          (settled) => this.#use(settled, use),
          (reason) => this.fail(reason),
        );
      } else {
        this.#use(value, use);
      }
    } catch (reason) {
      this.fail(reason);
    }
  }

  #use<Value>(value: Value, use: (value: Value) => void): void {
    if (this.isDone) return;
    try {
      use(value);
    } catch (reason) {
      this.fail(reason);
    }
  }

  onClose(): void {
    this.isClosed = true;
    if (!this.isDone) this.settle(closeReason(this.exchange));
    this.#observe();
  }

  get owesRest(): boolean {
    return !this.isDone && (hasOneRequest(this.method) || this.hasPartOfMessage);
  }

  /** Whether the client of a stream has sent a part of a message. */
  protected get hasPartOfMessage(): boolean {
    return false;
  }

  abstract onData(chunk: Buffer): void;
  abstract onEnd(): void;
  onDrain(): void {}

  /** Answers with the reply of a unary method. May throw. */
  protected reply(_output: Message): void {}
  /** Starts reading the body. May throw. */
  protected abstract receive(): void;
  /**
   * Writes the response of a call that failed, or the rest of it. The outcome is settled already. May be called again, with
   * less of the error or its metadata, if it throws or rejects because a header cannot be sent.
   */
  protected abstract sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined;
}

/** What of an error is sent. */
interface Reduction {
  readonly hasDetails: boolean;
  readonly hasMetadata: boolean;
  readonly dropped?: string;
}

/** In the order in which they are tried: with gRPC details are in trailers, too. */
const reductions: readonly Reduction[] = [
  { hasDetails: true, hasMetadata: true },
  { hasDetails: false, hasMetadata: true, dropped: "error details" },
  { hasDetails: true, hasMetadata: false, dropped: "response metadata" },
  { hasDetails: false, hasMetadata: false, dropped: "error details and response metadata" },
];

function reduce(error: ConnectError, { hasDetails, hasMetadata }: Reduction): ConnectError {
  if (hasDetails && hasMetadata) return error;
  const reduced = new ConnectError(error.rawMessage, error.code, hasMetadata ? error.metadata : undefined);
  if (hasDetails) reduced.details = error.details;
  return reduced;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** The application's context values, or the error that the call ends with because it could not make them. */
function makeValues(
  { contextValues }: CallEnvironment,
  exchange: Exchange,
): { values?: ContextValues | undefined; problem?: ConnectError } {
  try {
    return { values: contextValues?.(exchange) };
  } catch (reason) {
    return { problem: toConnectError(reason) };
  }
}
