// Time and timers, so that tests can move time themselves.

export interface Clock {
  /** Milliseconds since an arbitrary start. Never goes back. */
  now(): number;
  /** Calls `act` once after `delayMs`. The timer does not keep the process running. */
  schedule(act: () => void, delayMs: number): CancelTimer;
}

/** Stops a timer. Does nothing once it has fired. */
export type CancelTimer = () => void;

/**
 * The clock of the process. An event loop that was busy, or a process that had to wait for a processor, runs timers before it
 * reads what has arrived meanwhile, and a timer would end a connection whose bytes are there. So the loop reads first.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(act, delayMs) {
    let isCanceled = false;
    const timer = setTimeout(() => afterReading(() => isCanceled || act()), delayMs).unref();
    return () => {
      isCanceled = true;
      clearTimeout(timer);
    };
  },
};

/** A clock whose timers run at once when they are due, before the loop reads what has arrived: they tell how late it is. */
export const promptClock: Clock = {
  now: () => performance.now(),
  schedule(act, delayMs) {
    const timer = setTimeout(act, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls `act` when the loop has read what had arrived. That takes one turn, and another for sockets that it accepts first. */
export function afterReading(act: () => void): void {
  setImmediate(() => setImmediate(act));
}

/** Calls `act` every `intervalMs`, first after one interval. */
export function repeat(clock: Clock, act: () => void, intervalMs: number): CancelTimer {
  const again = () => {
    cancel = clock.schedule(again, intervalMs);
    act();
  };
  let cancel = clock.schedule(again, intervalMs);
  return () => cancel();
}
