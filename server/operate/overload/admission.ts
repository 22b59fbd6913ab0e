// Refuses calls of a server that has too many, or is too late, so that those it accepts are served in time.
import { Code, ConnectError } from "@connectrpc/connect";
import type { Admission } from "../../call/admission.js";
import type { Method } from "../../call/method.js";
import type { Clock } from "../../clock.js";
import { LagLimit } from "./lag-limit.js";
import type { CallLimits } from "./limits.js";

/** Why a call is refused. */
export type CallRefusal = "concurrent_calls" | "event_loop_lag";

/** Made once: an error has a stack trace, which costs more than the rest of a refusal. */
const errors: Readonly<Record<CallRefusal, ConnectError>> = {
  concurrent_calls: new ConnectError("the server is overloaded: too many concurrent calls", Code.Unavailable),
  event_loop_lag: new ConnectError("the server is overloaded: calls wait too long", Code.Unavailable),
};

interface AdmissionParts {
  /** Whether the calls of a service are neither counted nor refused, by its full name. */
  readonly isExempt: (service: string) => boolean;
  /** Called for each call that is refused. */
  readonly onRefusal: (reason: CallRefusal) => void;
  /** Its timers must run before the loop reads what has arrived. */
  readonly clock: Clock;
}

/** Decides which calls begin, and counts those that have begun and not ended. */
export class OverloadAdmission implements Admission {
  readonly #maxCalls: number;
  readonly #lag: LagLimit | undefined;
  readonly #parts: AdmissionParts;
  #calls = 0;

  constructor({ concurrentCalls, maxLagMs }: CallLimits, parts: AdmissionParts) {
    this.#maxCalls = concurrentCalls === 0 ? Number.POSITIVE_INFINITY : concurrentCalls;
    this.#lag = maxLagMs === 0 ? undefined : new LagLimit(maxLagMs, parts.clock);
    this.#parts = parts;
  }

  begin(method: Method): ConnectError | undefined {
    if (this.#isExempt(method)) return undefined;
    if (this.#calls >= this.#maxCalls) return this.#refuse("concurrent_calls");
    if (this.#lag?.admits() === false) return this.#refuse("event_loop_lag");
    this.#calls++;
    return undefined;
  }

  end(method: Method): void {
    if (!this.#isExempt(method)) this.#calls--;
  }

  #isExempt({ spec }: Method): boolean {
    return this.#parts.isExempt(spec.method.parent.typeName);
  }

  #refuse(reason: CallRefusal): ConnectError {
    this.#parts.onRefusal(reason);
    return errors[reason];
  }
}
