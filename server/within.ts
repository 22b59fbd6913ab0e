// Waits for something, but not for ever.
import { setTimeout as delay } from "node:timers/promises";

/** Returns what a promise resolves to; undefined if it does not in time. Rejects if it does. */
export async function resultWithin<Result>(result: Promise<Result>, timeoutMs: number): Promise<Result | undefined> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([result, late]);
  } finally {
    timer.abort();
  }
}

/** Whether a promise resolves in time. Rejects if it does. */
export async function isWithin(ended: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return (
    (await resultWithin(
      ended.then(() => true),
      timeoutMs,
    )) === true
  );
}
