// The calls that are under way, so that a server can end those that take too long.
import type { ConnectError } from "@connectrpc/connect";
import { DenseSet, type Placed } from "../dense-set.js";
import type { Method } from "./method.js";

/** A call whose response is not complete. */
export interface ActiveCall extends Placed {
  readonly method: Method;
  /** Ends the call with this error, whatever its handler does. */
  cancel(error: ConnectError): void;
}

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
