// Limits calls by key in the memory of this process. Points come back evenly, as in a token bucket: each key has one number,
// the time at which it will have all of its points again (the "generic cell rate algorithm").

/** How many points a key has, and how soon it has them again. */
export interface Rate {
  readonly points: number;
  readonly durationMs: number;
}

/**
 * The memory is bounded, and there are no timers: keys are in two maps. When the newer one has the age of `durationMs`, all
 * keys that are only in the older one have all their points again, and it is dropped. It is dropped earlier when the newer one
 * is full.
 */
export class MemoryLimiter {
  readonly #rate: Rate;
  readonly #keysPerMap: number;
  readonly #now: () => number;
  #newer = new Map<string, number>();
  #older = new Map<string, number>();
  #startMs: number;

  /**
   * @param maxKeys keys that are kept; of more, those that called last
   * @param now a clock in milliseconds that does not go back
   */
  constructor(rate: Rate, maxKeys: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#keysPerMap = Math.ceil(maxKeys / 2);
    this.#now = now;
    this.#startMs = now();
  }

  /** Takes points of a key, at most all. Returns 0, or the milliseconds until there are enough, and takes none. */
  consume(key: string, points: number): number {
    const { points: all, durationMs } = this.#rate;
    const now = this.#now();
    this.#rotate(now);
    const fullAt = Math.max(this.#newer.get(key) ?? this.#older.get(key) ?? 0, now);
    const nextFullAt = fullAt + (Math.min(points, all) * durationMs) / all;
    const missingMs = nextFullAt - now - durationMs;
    // Less than that is a rounding error.
    const isRefused = missingMs > 1e-3;
    // Also keeps the key of a client that does not stop to call.
    this.#newer.set(key, isRefused ? fullAt : nextFullAt);
    return isRefused ? missingMs : 0;
  }

  #rotate(now: number): void {
    if (now - this.#startMs < this.#rate.durationMs && this.#newer.size < this.#keysPerMap) return;
    this.#older = this.#newer;
    this.#newer = new Map();
    this.#startMs = now;
  }
}
