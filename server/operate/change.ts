// Lets any number of callers wait for a change, and drops those that stop waiting.

/** A change that can happen repeatedly. */
export interface Change {
  /** Resolves all waiting promises. */
  announce(): void;
  /** Resolves with the next announcement; rejects with the signal's reason when the signal is aborted first. */
  next(signal: AbortSignal): Promise<void>;
  /** Number of waiting callers. */
  readonly waiting: number;
}

/** Creates a change that no caller waits for. */
export function createChange(): Change {
  const wakers = new Set<() => void>();
  return {
    announce() {
      for (const wake of wakers) wake();
    },
    next(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        // Awaiting one shared promise would be shorter, but it would keep every caller that left until the next change,
        // which may be never.
        const leave = () => {
          wakers.delete(wake);
          signal.removeEventListener("abort", abort);
        };
        const wake = () => {
          leave();
          resolve();
        };
        const abort = () => {
          leave();
          reject(signal.reason);
        };
        wakers.add(wake);
        signal.addEventListener("abort", abort);
      });
    },
    get waiting() {
      return wakers.size;
    },
  };
}
