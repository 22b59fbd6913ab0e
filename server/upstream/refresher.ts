// Reads something again when there is reason to: one reading at a time, reasons close together as one reading, and again
// after a failure.
import { Code, ConnectError } from "@connectrpc/connect";
import { withJitter } from "../../client/jitter.js";
import { type CancelTimer, type Clock, systemClock } from "../clock.js";

/** Why to read again. */
export type Reason =
  /** At the start. */
  | "start"
  /** The operator asks for it. */
  | "asked"
  /** A connection was lost, or another one is there. */
  | "connection"
  /** A response contradicts what was read. */
  | "contradiction";

/** Milliseconds from a reason to the reading: reasons come in groups, such as the loss of several connections. */
const delaysMs: Readonly<Record<Reason, number>> = { start: 0, asked: 0, connection: 50, contradiction: 50 };

/**
 * Milliseconds from the end of a reading to the next for the same reason. A server may accept connections and close them, and a
 * method may respond with UNIMPLEMENTED forever.
 */
const pausesMs: Readonly<Record<Reason, number>> = { start: 0, asked: 0, connection: 250, contradiction: 10_000 };

/**
 * A server that cannot be reached is tried at least every 1.2 s, so that its services are served within 2 s of its start, also
 * behind a proxy that accepts connections. A server that sends what cannot be used is left alone for longer.
 */
const backoff = { firstMs: 200, factor: 1.6, unreachableMs: 1000, otherMs: 10_000 };

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Refresher {
  readonly #read: () => Promise<void>;
  readonly #clock: Clock;
  #cancelTimer: CancelTimer = () => {};
  #dueMs = Number.POSITIVE_INFINITY;
  #waitMs = backoff.firstMs;
  #isReading = false;
  #hasRead = false;
  #isClosed = false;
  /** Reasons for the next reading. */
  readonly #reasons = new Set<Reason>();
  /** When the last reading for a reason ended. */
  readonly #endedMs = new Map<Reason, number>();
  #waiting: Waiting[] = [];

  /** @param read rejects if it is to be tried again */
  constructor(read: () => Promise<void>, clock: Clock = systemClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Reads soon, or once more after the reading that is under way. */
  request(reason: Reason): void {
    this.#reasons.add(reason);
    if (this.#isReading) return;
    const earliestMs = (this.#endedMs.get(reason) ?? Number.NEGATIVE_INFINITY) + pausesMs[reason];
    this.#plan(Math.max(this.#clock.now() + delaysMs[reason], earliestMs));
  }

  /** Reads now, or after the reading that is under way. Rejects if that fails; it is then tried again. */
  refresh(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.request("asked");
    });
  }

  /** Reads no more. */
  close(reason: Error): void {
    this.#isClosed = true;
    this.#cancelTimer();
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  /** The earliest of several plans counts. */
  #plan(dueMs: number): void {
    if (this.#isClosed || dueMs >= this.#dueMs) return;
    this.#cancelTimer();
    this.#dueMs = dueMs;
    this.#cancelTimer = this.#clock.schedule(() => void this.#run(), Math.max(0, dueMs - this.#clock.now()));
  }

  async #run(): Promise<void> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#isReading = true;
    const waiting = this.#waiting.splice(0);
    const reasons = [...this.#reasons];
    this.#reasons.clear();
    try {
      await this.#read();
      this.#waitMs = backoff.firstMs;
      // The first reading waits for a connection, which is no reason for another.
      if (!this.#hasRead) this.#reasons.delete("connection");
      this.#hasRead = true;
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      this.#retry(error);
      for (const { reject } of waiting) reject(error);
    }
    this.#isReading = false;
    for (const reason of reasons) this.#endedMs.set(reason, this.#clock.now());
    for (const reason of this.#reasons) this.request(reason);
  }

  #retry(error: unknown): void {
    const { factor, unreachableMs, otherMs } = backoff;
    const maxMs = ConnectError.from(error).code === Code.Unavailable ? unreachableMs : otherMs;
    const waitMs = Math.min(this.#waitMs, maxMs);
    this.#waitMs = Math.min(waitMs * factor, otherMs);
    this.#plan(this.#clock.now() + withJitter(waitMs));
  }
}
