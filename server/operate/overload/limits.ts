// Limits of the calls that a server serves at the same time.
import { checkWholeNumber } from "../../whole-number.js";

export interface CallLimits {
  /**
   * Maximum concurrent calls of the whole server, over every protocol; 0 for no limit. A call over it is refused with
   * `unavailable` before its body is read. Health checks and reflection neither count nor are refused.
   */
  concurrentCalls: number;
  /**
   * Delay of the event loop in milliseconds from which new calls are refused with `unavailable`, as many as are too many; 0
   * turns it off. Health checks, reflection and calls in progress go on.
   */
  maxLagMs: number;
}

export const DEFAULT_CALL_LIMITS: Readonly<CallLimits> = { concurrentCalls: 0, maxLagMs: 0 };

/** The limits with defaults for what is absent. @throws RangeError that names the limit */
export function resolveCallLimits(given: Partial<CallLimits>): CallLimits {
  const { concurrentCalls, maxLagMs } = { ...DEFAULT_CALL_LIMITS, ...given };
  checkWholeNumber("limits.concurrentCalls", concurrentCalls, 0);
  checkWholeNumber("limits.maxLagMs", maxLagMs, 0);
  return { concurrentCalls, maxLagMs };
}
