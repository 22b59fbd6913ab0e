// How long a failed call waits until it is sent again, and whether it is:
// https://github.com/grpc/proposal/blob/0070717f/A6-client-retries.md
import { Code, type ConnectError } from "@connectrpc/connect";
import { withJitter } from "../jitter.js";

/** When, and how often, failed calls are sent again. */
export interface RetryPolicy {
  /** Attempts, the first one included. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
  /** Codes of calls that are sent again. */
  readonly codes: ReadonlySet<Code>;
}

/** The waits of one call, which grow. */
export class Backoff {
  readonly policy: RetryPolicy;
  readonly #random: () => number;
  #nextMs: number;

  /** @param random returns a number from 0 to 1 */
  constructor(policy: RetryPolicy, random: () => number) {
    this.policy = policy;
    this.#random = random;
    this.#nextMs = policy.initialBackoffMs;
  }

  /** Returns the next wait in milliseconds: 80 to 120 % of what the policy says. */
  next(): number {
    const { maxBackoffMs, backoffMultiplier } = this.policy;
    const ms = Math.min(this.#nextMs, maxBackoffMs);
    this.#nextMs = Math.min(this.#nextMs * backoffMultiplier, maxBackoffMs);
    return withJitter(ms, this.#random);
  }

  /** Begins again with the first wait. */
  reset(): void {
    this.#nextMs = this.policy.initialBackoffMs;
  }
}

/** Tokens of one transport. While half of them are gone, no call is sent again. */
export class RetryThrottle {
  readonly #maxTokens: number;
  readonly #tokenRatio: number;
  #tokens: number;

  /** @param tokenRatio tokens for a call that succeeds; one that fails costs 1 */
  constructor(maxTokens: number, tokenRatio: number) {
    this.#maxTokens = maxTokens;
    this.#tokenRatio = tokenRatio;
    this.#tokens = maxTokens;
  }

  get isExhausted(): boolean {
    return this.#tokens <= this.#maxTokens / 2;
  }

  onSuccess(): void {
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio);
  }

  onFailure(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}

const int32Max = 2 ** 31 - 1;

/** Returns what a server asks for, in milliseconds, "never" if it wants no retry, and undefined if it says nothing. */
export function readPushback({ metadata }: ConnectError): number | "never" | undefined {
  const value = metadata.get("grpc-retry-pushback-ms");
  if (value === null) return undefined;
  const ms = /^(?:0|[1-9]\d{0,9})$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
  return ms <= int32Max ? ms : "never";
}

/**
 * Returns the time that an HTTP response with 503 or 429 asks for, in milliseconds, or 0.
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function readRetryAfter({ code, metadata }: ConnectError): number {
  const value = metadata.get("retry-after");
  if (value === null || (code !== Code.Unavailable && code !== Code.ResourceExhausted)) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
