// Calls the application's observer of calls, whose own errors change nothing for a call.
import type { CallObserver } from "./active.js";
import { toError } from "./error.js";

/** The same observer, which never throws. What it throws or rejects goes to `report`. */
export function guardObserver(
  observe: CallObserver | undefined,
  report: (error: Error, step: "observer") => void,
): CallObserver | undefined {
  if (observe === undefined) return undefined;
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
