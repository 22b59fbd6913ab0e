// Refuses calls while the event loop is late, just as many as make it late. Under overload requests wait in the sockets until
// the loop comes to read them, so a turn of the loop is as long as they have waited. All connections share the refusals evenly.
import type { CancelTimer, Clock } from "../../clock.js";

/** The loop is looked at so many times in the time that a turn may take. */
const looksPerTurn = 4;

/** For so many turns a loop may be late before calls are refused: a garbage collection or one slow call is no overload. */
const graceTurns = 5;

/**
 * What one turn adds to the average share of the calls that were admitted. At a quarter the length of the turns approaches
 * its limit without swinging: at more than a half it overshoots.
 */
const weight = 1 / 4;

/** Some calls are always admitted, or a server whose streams keep it busy could not learn that it has room again. */
const minShare = 0.01;

/**
 * A turn of the loop serves what has arrived during the one before. If it takes twice as long as it may, half of the share
 * that was admitted is admitted in the next one.
 */
export class LagLimit {
  readonly #maxLagMs: number;
  readonly #clock: Clock;
  readonly #look: () => void;
  /** Stops the timer; undefined while there are no calls, so that an idle process sleeps. */
  #stop: CancelTimer | undefined;
  #lookedMs = 0;
  /** When the loop was first late, since it was last in time. */
  #lateSinceMs: number | undefined;
  #isShedding = false;
  #refusedMs = 0;
  /** Calls since the last look. */
  #offered = 0;
  #admitted = 0;
  /** Average share of the calls that were admitted, and that of the calls until the next look. */
  #average = 1;
  #share = 1;
  /** What calls have saved up: at 1 the next one is admitted. */
  #credit = 0;

  /** @param clock its timers must run before the loop reads what has arrived */
  constructor(maxLagMs: number, clock: Clock) {
    this.#maxLagMs = maxLagMs;
    this.#clock = clock;
    this.#look = () => this.#measure();
  }

  /** Whether the next call may begin. */
  admits(): boolean {
    if (this.#stop === undefined) this.#start();
    this.#offered++;
    if (this.#lateSinceMs !== undefined && !this.#admitsLate()) return false;
    this.#admitted++;
    return true;
  }

  #start(): void {
    this.#lookedMs = this.#clock.now();
    this.#schedule();
  }

  #schedule(): void {
    this.#stop = this.#clock.schedule(this.#look, this.#maxLagMs / looksPerTurn);
  }

  /** Whether a call may begin although the loop was late. */
  #admitsLate(): boolean {
    const nowMs = this.#clock.now();
    if (!this.#isShedding && !this.#isGraceOver(nowMs)) return true;
    this.#isShedding = true;
    this.#credit += this.#share;
    // A turn that began with too many calls does not get longer.
    const isOverdue = nowMs - this.#lookedMs > 2 * this.#maxLagMs;
    if (this.#credit >= 1 && !isOverdue) {
      this.#credit--;
      return true;
    }
    this.#credit = Math.min(this.#credit, 1);
    this.#refusedMs = nowMs;
    return false;
  }

  #isGraceOver(nowMs: number): boolean {
    return this.#lateSinceMs !== undefined && nowMs - this.#lateSinceMs > graceTurns * this.#maxLagMs;
  }

  #measure(): void {
    const nowMs = this.#clock.now();
    const turnMs = nowMs - this.#lookedMs;
    const isCalm = this.#isShedding ? nowMs - this.#refusedMs > graceTurns * this.#maxLagMs : turnMs <= this.#maxLagMs;
    if (isCalm) this.#recover();
    else this.#adjust(turnMs, nowMs);
    const isIdle = isCalm && this.#offered === 0;
    this.#lookedMs = nowMs;
    this.#offered = 0;
    this.#admitted = 0;
    if (isIdle) this.#stop = undefined;
    else this.#schedule();
  }

  #recover(): void {
    this.#isShedding = false;
    this.#lateSinceMs = undefined;
    this.#average = 1;
    this.#share = 1;
    this.#credit = 0;
  }

  #adjust(turnMs: number, nowMs: number): void {
    this.#lateSinceMs ??= nowMs;
    if (this.#offered > 0) this.#average += weight * (this.#admitted / this.#offered - this.#average);
    this.#average = Math.max(this.#average, minShare);
    this.#share = Math.min(1, (this.#average * this.#maxLagMs) / turnMs);
  }
}
