// Tokens that were verified, so that the next call with the same one needs no signature check.

/** A token that was verified. */
interface Verified<Claims> {
  readonly claims: Claims;
  /** When it has to be verified again, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** Longer tokens are not kept, so that 1,000 take 4 MB. */
const maxLength = 4096;

/** The last tokens that were used, up to a number. */
export class VerifiedTokens<Claims> {
  readonly #tokens = new Map<string, Verified<Claims>>();
  readonly #maxCount: number;
  readonly #now: () => number;

  /** @param now a clock in milliseconds since 1970 */
  constructor(maxCount: number, now: () => number = Date.now) {
    this.#maxCount = maxCount;
    this.#now = now;
  }

  /** Returns the claims of a token that is valid still. */
  get(token: string): Claims | undefined {
    const verified = this.#tokens.get(token);
    if (verified === undefined) return undefined;
    this.#tokens.delete(token);
    if (this.#now() >= verified.untilMs) return undefined;
    this.#tokens.set(token, verified);
    return verified.claims;
  }

  /** Keeps a token, in place of the one that was not used for the longest time. */
  add(token: string, verified: Verified<Claims>): void {
    if (this.#maxCount === 0 || token.length > maxLength) return;
    this.#tokens.set(token, verified);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > this.#maxCount && oldest !== undefined) this.#tokens.delete(oldest);
  }
}
