// The calls that are under way, so that a server can wait for them, and end those that take too long.
import type { Code, ConnectError } from "@connectrpc/connect";
import type { Method, ProtocolName } from "./method.js";

/** A call that has not been answered to the end. */
export interface ActiveCall {
  readonly method: Method;
  /** Ends the call with this error, whatever its handler does. */
  cancel(error: ConnectError): void;
  /** Where `ActiveCalls` keeps it, for nobody else; below 0 if it does not. */
  place: number;
}

/** A call that has ended. */
export interface FinishedCall {
  readonly method: Method;
  readonly protocol: ProtocolName;
  /** The code that was sent, or would have been; undefined is OK. */
  readonly code: Code | undefined;
  /** From the request's head to the end of the answer. */
  readonly durationMs: number;
  /** The error that was sent. Its `cause` is the unexpected error of a handler, where there was one. */
  readonly error: ConnectError | undefined;
  /**
   * What of the response was changed or left out because it cannot be sent, a sentence each: an error code that is not one,
   * a detail that cannot be serialised, metadata that does not fit. Usually empty.
   */
  readonly warnings: readonly string[];
}

/** Called for every call that has ended. What it throws or rejects is reported, and changes nothing for the client. */
export type CallObserver = (call: FinishedCall) => void;

/**
 * A set of calls under way. An array, because V8 gives a Set a new table after so many additions, and each old table holds
 * the next one and the calls that it had: once one of them has grown old, a scavenge frees none of these calls any more.
 */
export class ActiveCalls {
  readonly #calls: ActiveCall[] = [];
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: ActiveCall): void {
    call.place = this.#calls.push(call) - 1;
  }

  delete(call: ActiveCall): void {
    if (call.place < 0) return;
    const last = this.#calls.pop() as ActiveCall;
    if (last !== call) {
      this.#calls[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
    if (this.#calls.length > 0 || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Ends every call, or those of some methods, with the error. */
  cancelAll(error: ConnectError, isMeant: (method: Method) => boolean = () => true): void {
    for (const call of [...this.#calls]) if (isMeant(call.method)) call.cancel(error);
  }

  /** Resolves as soon as no call is under way. */
  whenIdle(): Promise<void> {
    if (this.#calls.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
