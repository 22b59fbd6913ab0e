import type { CancelTimer, Clock } from "../../server/clock.js";

interface Timer {
  readonly act: () => void;
  readonly delayMs: number;
  readonly dueMs: number;
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  // Not 0, which could pass for "never".
  #nowMs = 1000;
  readonly #timers = new Set<Timer>();
  readonly #waiting = new Set<() => void>();

  now(): number {
    return this.#nowMs;
  }

  schedule(act: () => void, delayMs: number): CancelTimer {
    const timer = { act, delayMs, dueMs: this.#nowMs + delayMs };
    this.#timers.add(timer);
    for (const resolve of this.#waiting) resolve();
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** The delays of the timers that run. */
  get delays(): readonly number[] {
    return [...this.#timers].map(({ delayMs }) => delayMs);
  }

  /** Resolves when at least `count` timers with this delay run. */
  async untilScheduled(delayMs: number, count = 1): Promise<void> {
    while (this.delays.filter((delay) => delay === delayMs).length < count) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
      this.#waiting.clear();
    }
  }

  /** Moves time on in steps, and lets sockets work after each. */
  async pass(totalMs: number, stepMs: number): Promise<void> {
    for (let ms = 0; ms < totalMs; ms += stepMs) {
      this.advance(stepMs);
      await turns();
    }
  }

  /** Moves time on in steps until a promise is settled. */
  async passUntil<Result>(outcome: Promise<Result>, stepMs: number): Promise<Result> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    outcome.then(settle, settle);
    while (!isSettled) await this.pass(stepMs, stepMs);
    return outcome;
  }

  /** Moves time on. Timers that become due fire in their order, each at its own time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.act();
    }
    this.#nowMs = endMs;
  }
}

/** Lets local sockets write and read: five turns of the event loop. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve));
}
