// Time and timers, so that tests can move time themselves.

export interface Clock {
  /** Milliseconds since an arbitrary start. Never goes back. */
  now(): number;
  /** Calls `act` once after `delayMs`. The timer does not keep the process running. */
  schedule(act: () => void, delayMs: number): CancelTimer;
}

/** Stops a timer. Does nothing once it has fired. */
export type CancelTimer = () => void;

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(act, delayMs) {
    const timer = setTimeout(act, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls `act` every `intervalMs`, first after one interval. */
export function repeat(clock: Clock, act: () => void, intervalMs: number): CancelTimer {
  const again = () => {
    cancel = clock.schedule(again, intervalMs);
    act();
  };
  let cancel = clock.schedule(again, intervalMs);
  return () => cancel();
}
