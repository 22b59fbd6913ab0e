// Observers of calls: what they learn when a call starts and ends. Their own errors change nothing for a call.
import {
  type Code,
  type ConnectError,
  type ContextKey,
  type ContextValues,
  createContextKey,
} from "@connectrpc/connect";
import type { RequestHead, RequestInfo } from "../http/exchange.js";
import { type CallInfo, HeadInfo } from "./call-info.js";
import { callInfo } from "./context-values.js";
import { toError } from "./error.js";
import type { Method, ProtocolName } from "./method.js";

/** A call that has started: its request has a method, and its handler has not been called. */
export interface StartedCall extends CallInfo {
  readonly method: Method;
  readonly protocol: ProtocolName;
  /** The context values that interceptors and the handler get. A place for what an observer needs again at the end. */
  readonly contextValues: ContextValues;
}

/** A call that has ended. It is the same object that observers got at the start. */
export interface FinishedCall extends StartedCall {
  /** The code that was sent, or would have been; undefined is OK. */
  readonly code: Code | undefined;
  /** From the head of the request to the end of the response. */
  readonly durationMs: number;
  /** The error that was sent. Its `cause` is the unexpected error of a handler, where there was one. */
  readonly error: ConnectError | undefined;
  /**
   * What of the response was changed or left out because it cannot be sent, a sentence each: an error code that is not one,
   * a detail that cannot be serialised, metadata that does not fit. Usually empty.
   */
  readonly warnings: readonly string[];
  /** Bytes of the request body as they arrived: compressed, with envelopes, without the framing of HTTP. */
  readonly bytesReceived: number;
  /** Bytes of the response body as they were sent, counted in the same way. */
  readonly bytesSent: number;
  /** Messages of the request that were decoded. Of a forwarded call whose messages pass as bytes: those that arrived whole. */
  readonly messagesReceived: number;
  /** Messages of the response that were encoded. Of a forwarded call whose messages pass as bytes: those that were sent whole. */
  readonly messagesSent: number;
}

/** A request on its way to an upstream. */
export interface ForwardedRequest {
  /** URL of the upstream. */
  readonly url: string;
  /**
   * Sets a header of the request, in place of those of the client with the same name. To be called before `forward` returns.
   *
   * @param name in lower case
   * @throws Error if HTTP/2 does not allow name or value
   */
  setHeader(name: string, value: string): void;
}

/** Called when a forwarded call has ended, with its error; undefined for OK. */
export type ForwardEnd = (error: ConnectError | undefined) => void;

/** An observer with methods, each called once for a call, in this order. */
export interface CallHooks {
  /** Called before interceptors and handler. */
  start?(call: StartedCall): void;
  /**
   * Calls `work`, which starts interceptors and handler, once and before it returns: for what they need around them, such as
   * an asynchronous context. Is not called for a call that is refused before, nor where messages are forwarded as bytes.
   */
  run?(call: StartedCall, work: () => void): void;
  /** Called when the call goes on to an upstream. What it returns is called at the end. */
  forward?(call: StartedCall, request: ForwardedRequest): ForwardEnd | undefined;
  /** Called when the response was sent, or the client has left. */
  end?(call: FinishedCall): void;
}

/**
 * Called for calls that start and end. A function is called at the end. What an observer throws or rejects is reported, and
 * changes nothing for the client.
 */
export type CallObserver = ((call: FinishedCall) => void) | CallHooks;

/** The observers of a server as one. They throw nothing of their own. */
export interface Observers {
  start(call: StartedCall): void;
  end(call: FinishedCall): void;
  /** Undefined if no observer has it. */
  readonly run: (<Result>(call: StartedCall, work: () => Result) => Result) | undefined;
  /** Undefined if no observer has it. */
  readonly forward: ((call: StartedCall, request: ForwardedRequest) => ForwardEnd) | undefined;
}

type Report = (error: Error, step: "observer") => void;

/** Undefined for no observers. What they throw or reject goes to `report`. */
export function joinObservers(
  observers: CallObserver | readonly CallObserver[] | undefined,
  report: Report,
): Observers | undefined {
  const all = observers === undefined ? [] : [observers].flat().map(toObject);
  if (all.length === 0) return undefined;
  const onError = (reason: unknown) => report(toError(reason), "observer");
  const starts = all.flatMap((one) => (one.start === undefined ? [] : [guard(one.start.bind(one), onError)]));
  const ends = all.flatMap((one) => (one.end === undefined ? [] : [guard(one.end.bind(one), onError)]));
  return {
    run: joinRuns(all, onError),
    forward: joinForwards(all, onError),
    start(call) {
      for (const start of starts) start(call);
    },
    end(call) {
      for (const end of ends) end(call);
    },
  };
}

type OnError = (reason: unknown) => void;

function toObject(observer: CallObserver): CallHooks {
  return typeof observer === "function" ? { end: observer } : observer;
}

function guard<Argument>(observe: (argument: Argument) => void, onError: OnError): (argument: Argument) => void {
  return (argument) => {
    try {
      // An asynchronous function may be given where nothing is awaited.
      const result: unknown = observe(argument);
      if (result instanceof Promise) result.catch(onError);
    } catch (reason) {
      onError(reason);
    }
  };
}

/** The first observer runs all that follow. */
function joinRuns(all: readonly CallHooks[], onError: OnError): Observers["run"] {
  return all.reduceRight<Observers["run"]>((inner, one) => {
    if (one.run === undefined) return inner;
    const outer = one.run.bind(one);
    return (call, work) => runOnce((step) => outer(call, step), inner ? () => inner(call, work) : work, onError);
  }, undefined);
}

/** Does the work in `run`, and without it if `run` fails to. Throws what the work throws. */
function runOnce<Result>(run: (step: () => void) => void, work: () => Result, onError: OnError): Result {
  let outcome: { readonly value: Result } | { readonly reason: unknown } | undefined;
  const step = () => {
    outcome ??= attempt(work);
  };
  try {
    run(step);
  } catch (reason) {
    onError(reason);
  }
  const done = outcome ?? attempt(work);
  if ("reason" in done) throw done.reason;
  return done.value;
}

function attempt<Result>(work: () => Result): { readonly value: Result } | { readonly reason: unknown } {
  try {
    return { value: work() };
  } catch (reason) {
    return { reason };
  }
}

function joinForwards(all: readonly CallHooks[], onError: OnError): Observers["forward"] {
  const forwards = all.flatMap((one) => (one.forward === undefined ? [] : [one.forward.bind(one)]));
  if (forwards.length === 0) return undefined;
  return (call, request) => {
    const ends: ForwardEnd[] = [];
    for (const forward of forwards) {
      try {
        const end = forward(call, request);
        if (end !== undefined) ends.push(guard(end, onError));
      } catch (reason) {
        onError(reason);
      }
    }
    return (error) => {
      for (const end of ends) end(error);
    };
  };
}

/** Context value: the call, where observers want to know when it is forwarded. */
export const observedCall: ContextKey<ObservedCall | undefined> = createContextKey<ObservedCall | undefined>(
  undefined,
  { description: "observed call" },
);

/** What is known of a call when it starts. */
type Start = Pick<StartedCall, "method" | "protocol" | "contextValues">;

/** What is known of it when it has ended. */
export type End = Omit<FinishedCall, keyof StartedCall | "durationMs">;

/** One call, as its observers see it. */
export class ObservedCall implements FinishedCall {
  readonly method: Method;
  readonly protocol: ProtocolName;
  readonly contextValues: ContextValues;
  code: Code | undefined = undefined;
  durationMs = 0;
  error: ConnectError | undefined = undefined;
  warnings: readonly string[] = [];
  bytesReceived = 0;
  bytesSent = 0;
  messagesReceived = 0;
  messagesSent = 0;
  readonly #startMs = performance.now();
  readonly #observers: Observers;
  readonly #head: RequestHead;
  #info: CallInfo | undefined;

  constructor(observers: Observers, head: RequestHead, { method, protocol, contextValues }: Start) {
    this.#observers = observers;
    this.#head = head;
    this.method = method;
    this.protocol = protocol;
    this.contextValues = contextValues;
    if (observers.forward !== undefined) contextValues.set(observedCall, this);
    observers.start(this);
  }

  /** What interceptors find under `callInfo`, so that the identifier is the same. */
  #open(): CallInfo {
    this.#info ??= this.contextValues.get(callInfo) ?? new HeadInfo(this.#head);
    return this.#info;
  }

  get requestId(): string {
    return this.#open().requestId;
  }

  get peer(): string {
    return this.#open().peer;
  }

  get request(): RequestInfo {
    return this.#open().request;
  }

  /** Does the work that calls interceptors and handler. */
  run<Result>(work: () => Result): Result {
    const { run } = this.#observers;
    return run === undefined ? work() : run(this, work);
  }

  /** Is called when the call goes on to an upstream. Returns what to call at its end, if observers want to know. */
  forward(request: ForwardedRequest): ForwardEnd | undefined {
    return this.#observers.forward?.(this, request);
  }

  /** Calls the observers once more. */
  end(end: End): void {
    this.durationMs = performance.now() - this.#startMs;
    this.code = end.code;
    this.error = end.error;
    this.warnings = end.warnings;
    this.bytesReceived = end.bytesReceived;
    this.bytesSent = end.bytesSent;
    this.messagesReceived = end.messagesReceived;
    this.messagesSent = end.messagesSent;
    this.#observers.end(this);
  }
}
