// When an attempt that failed is repeated: after a time that grows with each failure, or sooner if a call asks for it.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/connection-backoff.md
import { withJitter } from "../jitter.js";

const firstMs = 1000;
const factor = 1.6;

/** Least time between the beginnings of attempts that calls ask for, from the second failure on. */
const urgentMs = 200;

export interface BackoffOptions {
  /** The longest time, before jitter. */
  readonly maxMs: number;
  /** Called when the time is over. */
  readonly onOver: () => void;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs = firstMs;
  #failures = 0;
  /** Milliseconds of `performance.now`: when the last attempt began. */
  #beganAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isWanted = false;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Whether the next attempt is not due yet. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether a call may have the next attempt now, due or not. */
  get mayHurry(): boolean {
    return this.#failures < 2 || this.ageMs >= urgentMs;
  }

  /** Milliseconds since the last attempt began. */
  get ageMs(): number {
    return performance.now() - this.#beganAt;
  }

  /** An attempt begins. */
  begin(): void {
    this.stop();
    this.#beganAt = performance.now();
  }

  /** The attempt has failed. */
  fail(): void {
    this.stop();
    this.#failures++;
    const { maxMs, onOver, random = Math.random } = this.#options;
    const delayMs = withJitter(this.#nextMs, random);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // An attempt that a call has asked for does not make the time longer.
      this.#nextMs = Math.min(this.#nextMs * factor, maxMs);
      onOver();
    }, delayMs);
    if (!this.#isWanted) this.#timer.unref();
  }

  /** What was attempted was a success: the next failure is the first. */
  succeed(): void {
    this.stop();
    this.#nextMs = firstMs;
    this.#failures = 0;
  }

  /** Says whether calls wait for the next attempt: the timer then keeps the process alive. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    if (isWanted) this.#timer?.ref();
    else this.#timer?.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
