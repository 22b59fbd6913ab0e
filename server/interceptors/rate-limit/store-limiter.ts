// Limits calls by a limiter of rate-limiter-flexible, whose store several processes share:
// https://github.com/animir/node-rate-limiter-flexible
import { Code, ConnectError } from "@connectrpc/connect";
import { isWithin } from "../../within.js";

/** A limiter of rate-limiter-flexible, such as `RateLimiterRedis`. */
export interface SharedLimiter {
  /** Rejects with an object that has `msBeforeNext` if the key has not so many points, and with an Error if the store fails. */
  consume(key: string, points?: number): Promise<unknown>;
}

export interface StoreOptions {
  readonly limiter: SharedLimiter;
  readonly whenStoreFails: "allow" | "refuse";
  readonly onStoreError: (error: Error) => void;
  readonly storeTimeoutMs: number;
}

/** Time between two reports. While a store is away, every call has an error. */
const reportIntervalMs = 10_000;

export class StoreLimiter {
  readonly #options: StoreOptions;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /**
   * Takes points of a key. Returns 0, or the milliseconds until there are enough.
   *
   * @throws ConnectError `unavailable` if the store fails, and calls are to be refused then
   */
  async consume(key: string, points: number): Promise<number> {
    try {
      await this.#withTimeout(this.#options.limiter.consume(key, points));
      return 0;
    } catch (reason) {
      if (isExceeded(reason)) return Math.max(1, reason.msBeforeNext);
      this.#report(reason);
      if (this.#options.whenStoreFails === "allow") return 0;
      throw new ConnectError("the rate limit cannot be checked", Code.Unavailable, undefined, undefined, reason);
    }
  }

  /** Clients of stores may wait without an end for a connection. */
  async #withTimeout(consumed: Promise<unknown>): Promise<void> {
    const { storeTimeoutMs } = this.#options;
    if (await isWithin(consumed, storeTimeoutMs)) return;
    throw new Error(`no response of the store within ${storeTimeoutMs} ms`);
  }

  #report(reason: unknown): void {
    const now = performance.now();
    if (now - this.#reportedAt < reportIntervalMs) return;
    this.#reportedAt = now;
    const cause = reason instanceof Error ? reason.message : String(reason);
    this.#options.onStoreError(new Error(`rateLimit: the store of the limiter failed: ${cause}`, { cause: reason }));
  }
}

function isExceeded(reason: unknown): reason is { readonly msBeforeNext: number } {
  if (typeof reason !== "object" || reason === null || reason instanceof Error) return false;
  return "msBeforeNext" in reason && typeof reason.msBeforeNext === "number";
}
