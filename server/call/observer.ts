// Observers of calls: what they learn when a call starts and ends. Their own errors change nothing for a call.
import type { Code, ConnectError, ContextValues } from "@connectrpc/connect";
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

/**
 * Called for calls that start and end. A function is called at the end. `start` is called once, before interceptors and
 * handler, and `end` once, when the response was sent or the client has left. What they throw or reject is reported, and
 * changes nothing for the client.
 */
export type CallObserver =
  | ((call: FinishedCall) => void)
  | {
      start?(call: StartedCall): void;
      end?(call: FinishedCall): void;
    };

/** The observers of a server as one. Neither method throws. */
export interface Observers {
  start(call: StartedCall): void;
  end(call: FinishedCall): void;
}

type Report = (error: Error, step: "observer") => void;

/** Undefined for no observers. What they throw or reject goes to `report`. */
export function joinObservers(
  observers: CallObserver | readonly CallObserver[] | undefined,
  report: Report,
): Observers | undefined {
  const all = observers === undefined ? [] : [observers].flat().map(toObject);
  if (all.length === 0) return undefined;
  const starts = all.flatMap((one) => (one.start === undefined ? [] : [guard(one.start.bind(one), report)]));
  const ends = all.flatMap((one) => (one.end === undefined ? [] : [guard(one.end.bind(one), report)]));
  return {
    start(call) {
      for (const start of starts) start(call);
    },
    end(call) {
      for (const end of ends) end(call);
    },
  };
}

function toObject(observer: CallObserver): Exclude<CallObserver, (call: FinishedCall) => void> {
  return typeof observer === "function" ? { end: observer } : observer;
}

function guard<Call>(observe: (call: Call) => void, report: Report): (call: Call) => void {
  const onError = (reason: unknown) => report(toError(reason), "observer");
  return (call) => {
    try {
      // An asynchronous function may be given where nothing is awaited.
      const result: unknown = observe(call);
      if (result instanceof Promise) result.catch(onError);
    } catch (reason) {
      onError(reason);
    }
  };
}

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
