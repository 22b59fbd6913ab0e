// One call, from the head of its request to the last byte of its response, whatever its protocol: context, deadline,
// cancellation, and that only the first outcome counts.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { ConnectError, ContextValues } from "@connectrpc/connect";
import { CountedExchange } from "../http/counted-exchange.js";
import { type Exchange, type ExchangeOwner, type RequestHead, requestUrl } from "../http/exchange.js";
import type { ActiveCall, ActiveCalls } from "./active.js";
import type { Admission } from "./admission.js";
import { CallContext } from "./context.js";
import { CallValues } from "./context-values.js";
import { Deadline, type Deadlines } from "./deadlines.js";
import { closeReason, deadlineExceeded, toConnectError, toUnsendable } from "./error.js";
import { LazyHeaders } from "./headers.js";
import { isPromise } from "./invoke.js";
import { hasOneRequest, type Method, type ProtocolName } from "./method.js";
import { ObservedCall, type Observers } from "./observer.js";
import { type Reduction, reduce, reductions, type SendableError, toSendableError } from "./sendable-error.js";
import type { Timeout } from "./timeout.js";

/** What calls of one server share. */
export interface CallEnvironment {
  readonly active: ActiveCalls;
  readonly deadlines: Deadlines;
  readonly observers: Observers | undefined;
  /** Which calls may begin; undefined if all may. */
  readonly admission: Admission | undefined;
  /** Called with the error of a call that had one, for servers without an observer. Never throws. */
  readonly onError: ((path: string, error: ConnectError) => void) | undefined;
  readonly contextValues: ((head: RequestHead) => ContextValues) | undefined;
  /** Reports an error of the application's own code that no call ends with. Never throws. */
  readonly report: (error: Error, step: ApplicationStep) => void;
}

/** The application's code that failed: an observer of calls, a listener on a call's signal, or the shape of REST errors. */
type ApplicationStep = "observer" | "abort listener" | "error shape";

/** What calls of one method in one form share: made once, at the start. */
export interface CallSetup {
  readonly method: Method;
  readonly environment: CallEnvironment;
}

/** What the head of a request says of its call. */
export interface CallHead {
  readonly protocol: ProtocolName;
  readonly timeout: Timeout;
  /** An error that ends the call before the body is read. */
  readonly problem: ConnectError | undefined;
  /** Headers of the request as a handler finds them; all of them, if undefined. */
  readonly requestHeader?: () => IncomingHttpHeaders;
  /** Headers and trailers of the response as a handler finds them. */
  readonly responseHeader: OutgoingHttpHeaders;
  readonly responseTrailer: OutgoingHttpHeaders;
}

/** Headers and trailers that go with a response. */
export type ResponseMetadata = Pick<CallContext, "responseHeader" | "responseTrailer">;

/** Reads the request and writes the response of one kind of call. */
export interface CallWire {
  /** Starts reading the body. May throw. */
  receive(): void;
  /** Called with each chunk of the body, until the outcome is settled. */
  onData(chunk: Buffer): void;
  /** Called at the end of the body, unless the outcome is settled. */
  onEnd(): void;
  /** Called when the connection has written what it had buffered. */
  onDrain?(): void;
  /** Called once when the outcome is settled. Reading and replying stop. */
  onSettled?(error: ConnectError | undefined): void;
  /** Called once when the exchange is closed. */
  onClose?(): void;
  /** Whether the client of a stream has sent a part of a message. */
  readonly hasPartOfMessage?: boolean;
  /**
   * Writes the response of a call that failed, or the rest of it. The outcome is settled already. May be called again, with
   * less of the error or its metadata, if it throws or rejects because a header cannot be sent.
   */
  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined;
  /** Writes the response of a call that did not begin. Many calls share the error, so that the response is made once. */
  sendRefusal(error: ConnectError): void;
}

/** One call: its context, its deadline, its outcome, and the report to the observer. */
export class Call implements ActiveCall, ExchangeOwner {
  readonly method: Method;
  readonly context: CallContext;
  readonly exchange: Exchange;
  place = -1;
  /** Whether the outcome is settled. What comes later is ignored. */
  isDone = false;
  /** Whether the client can no longer be written to. */
  isClosed = false;
  readonly #environment: CallEnvironment;
  readonly #wire: CallWire;
  /** Headers and trailers of the response as they were before the handler. */
  readonly #responseHeader: OutgoingHttpHeaders;
  readonly #responseTrailer: OutgoingHttpHeaders;
  readonly #problem: ConnectError | undefined;
  /** The same as `exchange`, in a server with observers. */
  readonly #counted: CountedExchange | undefined;
  /** Undefined before the start, and without observers. */
  #observed: ObservedCall | undefined;
  /** What observers learn, counted by the wire. */
  messagesReceived = 0;
  messagesSent = 0;
  #bytesReceived = 0;
  readonly #deadline: Deadline | undefined;
  /** What counts the call, from its start to its outcome. */
  #admission: Admission | undefined;
  #warnings: readonly string[] = [];
  #isObserved = false;
  #error: ConnectError | undefined;

  constructor({ method, environment }: CallSetup, exchange: Exchange, head: CallHead, wire: CallWire) {
    this.#environment = environment;
    this.#wire = wire;
    this.#responseHeader = head.responseHeader;
    this.#responseTrailer = head.responseTrailer;
    this.method = method;
    this.#counted = environment.observers && new CountedExchange(exchange);
    this.exchange = this.#counted ?? exchange;
    this.#deadline = this.#createDeadline(head.timeout);
    const { values = new CallValues(exchange), problem } = makeValues(environment, exchange);
    this.#problem = head.problem ?? problem;
    this.context = new CallContext({
      method: method.spec.method,
      protocolName: head.protocol,
      requestMethod: exchange.method,
      url: requestUrl(exchange),
      requestHeader: new LazyHeaders(head.requestHeader ?? exchange.headers),
      responseHeader: new LazyHeaders(head.responseHeader),
      responseTrailer: new LazyHeaders(head.responseTrailer),
      deadlineMs: this.#deadline?.atMs,
      values,
      report: environment.report,
    });
    if (this.#deadline !== undefined) environment.deadlines.add(this.#deadline);
  }

  #createDeadline({ timeoutMs }: Timeout): Deadline | undefined {
    if (timeoutMs === undefined) return undefined;
    return new Deadline(performance.now() + timeoutMs, () => this.cancel(deadlineExceeded()));
  }

  /** Starts reading the request, or refuses it. To be called once. */
  start(): void {
    const { observers, active } = this.#environment;
    if (observers !== undefined) this.#observed = this.#startObserving(observers);
    active.add(this);
    this.exchange.attach(this);
    try {
      if (this.#problem !== undefined) this.fail(this.#problem);
      else if (this.#isAdmitted()) this.#wire.receive();
    } catch (reason) {
      this.fail(reason);
    }
  }

  #startObserving(observers: Observers): ObservedCall {
    const { protocolName: protocol, values: contextValues } = this.context;
    return new ObservedCall(observers, this.exchange, { method: this.method, protocol, contextValues });
  }

  /** Does the work that calls interceptors and handler, as observers want it to be done. Throws what the work throws. */
  run<Result>(work: () => Result): Result {
    return this.#observed === undefined ? work() : this.#observed.run(work);
  }

  /** The call as its observers see it; undefined without observers. */
  get observed(): ObservedCall | undefined {
    return this.#observed;
  }

  /** Counts the call, or refuses it if the server has too many. */
  #isAdmitted(): boolean {
    const { admission } = this.#environment;
    const refusal = admission?.begin(this.method);
    if (refusal === undefined) {
      this.#admission = admission;
      return true;
    }
    this.#settle(refusal);
    try {
      this.#wire.sendRefusal(refusal);
      this.#observe();
    } catch (reason) {
      this.#trySending(refusal, reductions, reason);
    }
    return false;
  }

  /** Ends the call with an error that does not come from its handler. */
  cancel(error: ConnectError): void {
    this.fail(error);
  }

  /** Ends the call with whatever a handler, an interceptor or a parser threw. */
  fail(reason: unknown): void {
    if (this.isDone) return;
    const sendable = toSendableError(toConnectError(reason));
    this.#settle(sendable.error, reason);
    this.#sendFailure(sendable);
  }

  /** Ends the call well. `send` writes the rest of the response. What it throws is sent in its place, as an error. */
  complete(send: () => void): void {
    if (this.isDone) return;
    this.#settle(undefined);
    try {
      send();
    } catch (reason) {
      this.#sendFailure(toSendableError(toUnsendable(reason)));
      return;
    }
    this.#observe();
  }

  /** Settles the outcome: no later one counts, the deadline is off, and the signal fires. */
  #settle(error: ConnectError | undefined, reason: unknown = error): void {
    this.isDone = true;
    this.#error = error;
    if (this.#deadline !== undefined) this.#environment.deadlines.delete(this.#deadline);
    this.context.abort(reason);
    this.#environment.active.delete(this);
    this.#admission?.end(this.method);
    this.#wire.onSettled?.(error);
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
    const { dropped, hasMetadata } = reduction;
    const warnings = this.#warnings;
    // Before it is sent, because an exchange may close at once.
    if (dropped !== undefined) this.warn(`${dropped} not sent: ${messageOf(reason)}`);
    // Of several reasons the first one is that of the whole response.
    const retry = (refusal: unknown) => {
      this.#warnings = warnings;
      this.#trySending(error, rest, reason ?? refusal);
    };
    try {
      const metadata = hasMetadata ? this.context : this.#bareMetadata();
      const sent = this.#wire.sendError(reduce(error, reduction), metadata);
      if (sent === undefined) this.#observe();
      else sent.then(() => this.#observe(), retry);
    } catch (refusal) {
      retry(refusal);
    }
  }

  /** Headers and trailers as they were before the handler. */
  #bareMetadata(): ResponseMetadata {
    return {
      responseHeader: new LazyHeaders(this.#responseHeader),
      responseTrailer: new LazyHeaders(this.#responseTrailer),
    };
  }

  /** Adds a warning for the observer: a part of the response could not be sent as intended. */
  warn(warning: string): void {
    this.#warnings = [...this.#warnings, warning];
  }

  #observe(): void {
    if (this.#isObserved) return;
    this.#isObserved = true;
    const error = this.#error;
    if (error !== undefined) this.#environment.onError?.(this.method.path, error);
    this.#observed?.end({
      code: error?.code,
      error,
      warnings: this.#warnings,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#counted?.bytesSent ?? 0,
      messagesReceived: this.messagesReceived,
      messagesSent: this.messagesSent,
    });
  }

  /**
   * Writes a part of the response, unless the call has ended. A header that cannot be sent ends the call with an error.
   *
   * @returns false if `write` does
   */
  write(write: () => boolean): boolean {
    if (this.isDone) return true;
    try {
      return write();
    } catch (reason) {
      this.fail(toUnsendable(reason));
      return true;
    }
  }

  /** Makes a value and uses it, unless the call has ended before. What either throws, or rejects, ends the call. */
  whenReady<Value>(make: () => Value | Promise<Value>, use: (value: Value) => void): void {
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

  onData(chunk: Buffer): void {
    this.#bytesReceived += chunk.length;
    if (!this.isDone) this.#wire.onData(chunk);
  }

  onEnd(): void {
    if (!this.isDone) this.#wire.onEnd();
  }

  onDrain(): void {
    this.#wire.onDrain?.();
  }

  onClose(): void {
    this.isClosed = true;
    if (!this.isDone) this.#settle(closeReason(this.exchange));
    this.#observe();
    this.#wire.onClose?.();
  }

  get owesRest(): boolean {
    return !this.isDone && (hasOneRequest(this.method) || this.#wire.hasPartOfMessage === true);
  }
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
