// What a peer may do for nothing: the one place that counts abuse. Sizes are checked where they are read.
import { ConnectionError, ErrorCode } from "./errors.js";
import type { ConnectionLimits } from "./limits.js";

/** How many frames without content a frame with content pays for: windows of stream and connection, a ping, one to spare. */
const controlsPerFrame = 4;

export class Budget {
  readonly #controls: Allowance;
  readonly #resets: Allowance;
  readonly #streamErrors: Allowance;
  readonly #refusals: Allowance;

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: ConnectionLimits, now: number) {
    this.#controls = new Allowance("frames without content", limits.controlBurst, limits.controlsPerSecond, now);
    this.#resets = new Allowance("streams reset", limits.resetBurst, limits.resetsPerSecond, now);
    this.#streamErrors = new Allowance("stream errors", limits.streamErrors, 1, now);
    this.#refusals = new Allowance("streams over the limit", limits.refusedStreams, 1, now);
  }

  /** A frame that costs the peer nothing. @throws ConnectionError if it was one too many, as all of these */
  spendControl(now: number): void {
    this.#controls.spend(now);
  }

  /** RST_STREAM of the peer on a stream that was open. */
  spendReset(now: number): void {
    this.#resets.spend(now);
  }

  /** A frame that makes us reset a stream. */
  spendStreamError(now: number): void {
    this.#streamErrors.spend(now);
  }

  /** A stream over the limit. */
  spendRefusal(now: number): void {
    this.#refusals.spend(now);
  }

  /** HEADERS or DATA of ours, or a request: the peer may respond with window updates and pings. */
  earnControls(): void {
    this.#controls.earn(controlsPerFrame);
  }

  /** A stream has ended without a reset. */
  earnReset(): void {
    this.#resets.earn(1);
  }
}

/** A number of things that may be done at once, and that become free again with time. */
class Allowance {
  readonly #name: string;
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #since: number;

  constructor(name: string, burst: number, perSecond: number, now: number) {
    this.#name = name;
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#left = burst;
    this.#since = now;
  }

  spend(now: number): void {
    if (now > this.#since) {
      this.#left = Math.min(this.#burst, this.#left + (now - this.#since) * this.#perMs);
      this.#since = now;
    }
    if (this.#left < 1) throw new ConnectionError(ErrorCode.enhanceYourCalm, `too many ${this.#name}`);
    this.#left--;
  }

  earn(count: number): void {
    if (this.#left < this.#burst) this.#left += count;
  }
}
