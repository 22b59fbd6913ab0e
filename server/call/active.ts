// The calls that are under way, so that a server can end those that take too long.
import type { Code, ConnectError } from "@connectrpc/connect";
import { DenseSet, type Placed } from "../dense-set.js";
import type { Method, ProtocolName } from "./method.js";

/** A call whose response is not complete. */
export interface ActiveCall extends Placed {
  readonly method: Method;
  /** Ends the call with this error, whatever its handler does. */
  cancel(error: ConnectError): void;
}

/** A call that has ended. */
export interface FinishedCall {
  readonly method: Method;
  readonly protocol: ProtocolName;
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
}

/** Called for every call that has ended. What it throws or rejects is reported, and changes nothing for the client. */
export type CallObserver = (call: FinishedCall) => void;

/** Waits for the end of all calls of some methods. */
interface Wait {
  readonly isMeant: (method: Method) => boolean;
  readonly resolve: () => void;
}

/** The calls that are under way. */
export class ActiveCalls extends DenseSet<ActiveCall> {
  readonly #waits = new Set<Wait>();

  override delete(call: ActiveCall): void {
    super.delete(call);
    if (this.#waits.size > 0) this.#resolveWaits(call.method);
  }

  /** Resolves when no call is under way, or none of some methods. */
  async ended(isMeant: (method: Method) => boolean = () => true): Promise<void> {
    if (!this.#has(isMeant)) return;
    await new Promise<void>((resolve) => this.#waits.add({ isMeant, resolve }));
  }

  #has(isMeant: (method: Method) => boolean): boolean {
    return this.toArray().some(({ method }) => isMeant(method));
  }

  #resolveWaits(method: Method): void {
    for (const wait of this.#waits) {
      if (!wait.isMeant(method) || this.#has(wait.isMeant)) continue;
      this.#waits.delete(wait);
      wait.resolve();
    }
  }

  /** Ends every call, or those of some methods, with the error. */
  cancelAll(error: ConnectError, isMeant: (method: Method) => boolean = () => true): void {
    for (const call of this.toArray()) if (isMeant(call.method)) call.cancel(error);
  }
}
