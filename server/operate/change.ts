// Turns "something has changed" into a promise that any number of callers can wait for, and forgets who leaves early.

/** A change that happens again and again. */
export interface Change {
  /** Wakes everyone who waits now. */
  announce(): void;
  /** Resolves with the next announcement; rejects with the signal's reason when the signal is aborted first. */
  next(signal: AbortSignal): Promise<void>;
  /** How many wait now. */
  readonly waiting: number;
}

/** A change that has not happened yet and has no one waiting. */
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
