// Waits for something, but not for ever.
import { setTimeout as delay } from "node:timers/promises";

/** Whether a promise resolves in time. Rejects if it does. */
export async function isWithin(ended: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([ended.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
