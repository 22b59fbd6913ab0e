// The HandlerContext of one call. What costs is made on first use.
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import { guardListeners } from "./abort-listeners.js";
import { toError } from "./error.js";
import type { LazyHeaders } from "./headers.js";
import type { ProtocolName } from "./method.js";

/** What a context is made from. */
export interface CallContextInit {
  method: DescMethod;
  protocolName: ProtocolName;
  requestMethod: string;
  url: string;
  requestHeader: LazyHeaders;
  responseHeader: LazyHeaders;
  responseTrailer: LazyHeaders;
  /** Milliseconds of `performance.now()`; undefined without a deadline. */
  deadlineMs: number | undefined;
  values: ContextValues;
  /** Called with what a listener on the signal throws. Never throws. */
  report: (error: Error, step: "abort listener") => void;
}

/** Shared abort reason of finished calls. Creating a DOMException per call is expensive. */
const ended = new DOMException("This operation was aborted", "AbortError");

const noTimeout = (): undefined => undefined;

/** One for all objects: a getter of each one's own would cost more. */
const lazySignal: PropertyDescriptor & ThisType<{ openSignal(): AbortSignal }> = {
  enumerable: true,
  configurable: true,
  get() {
    return this.openSignal();
  },
};

/**
 * Makes `signal` an own, enumerable property of what the application gets, so that `{ ...context }` has it, as with Connect's
 * own contexts, and yet no signal is made for who does not look.
 */
export function ownSignal<T extends { openSignal(): AbortSignal }>(object: T): T & { readonly signal: AbortSignal } {
  return Object.defineProperty(object, "signal", lazySignal) as T & { readonly signal: AbortSignal };
}

/** Context of one call. With `ownSignal`, every property of Connect's HandlerContext is an own property. */
export class CallContext implements HandlerContext {
  readonly method: DescMethod;
  readonly service: DescService;
  readonly protocolName: ProtocolName;
  readonly requestMethod: string;
  readonly url: string;
  readonly requestHeader: LazyHeaders;
  readonly responseHeader: LazyHeaders;
  readonly responseTrailer: LazyHeaders;
  readonly values: ContextValues;
  readonly timeoutMs: () => number | undefined;
  #controller: AbortController | undefined;
  #onEnd: ((reason: unknown) => void) | undefined;
  #isAborted = false;
  #reason: unknown;
  readonly #report: CallContextInit["report"];

  constructor(init: CallContextInit) {
    this.method = init.method;
    this.service = init.method.parent;
    this.protocolName = init.protocolName;
    this.requestMethod = init.requestMethod;
    this.url = init.url;
    this.requestHeader = init.requestHeader;
    this.responseHeader = init.responseHeader;
    this.responseTrailer = init.responseTrailer;
    this.values = init.values;
    this.#report = init.report;
    this.timeoutMs = init.deadlineMs === undefined ? noTimeout : remaining(init.deadlineMs);
  }

  get signal(): AbortSignal {
    return this.openSignal();
  }

  /** The signal of the call, created on first use. */
  openSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      guardListeners(this.#controller.signal, (reason) => this.#report(toError(reason), "abort listener"));
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Fires the signal: the call has ended, or is to end. Only the first reason counts. */
  abort(reason: unknown = ended): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#onEnd?.(reason);
    this.#controller?.abort(reason);
  }

  /** See `whenEnded`. Another listener takes the place of this one. */
  setOnEnd(listener: (reason: unknown) => void): void {
    this.#onEnd = listener;
    if (this.#isAborted) listener(this.#reason);
  }
}

/**
 * Calls `listener` when a call has ended in any way, or at once if it has, with the reason of its signal. A call has one such
 * listener, which must not throw. Unlike one on the signal, it costs next to nothing.
 */
export function whenEnded(context: HandlerContext, listener: (reason: unknown) => void): void {
  if (context instanceof CallContext) {
    context.setOnEnd(listener);
    return;
  }
  const { signal } = context;
  if (signal.aborted) listener(signal.reason);
  else signal.addEventListener("abort", () => listener(signal.reason));
}

function remaining(deadlineMs: number): () => number {
  return () => deadlineMs - performance.now();
}
