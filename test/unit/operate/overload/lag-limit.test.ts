import { describe, expect, test } from "vitest";
import type { Clock } from "../../../../server/clock.js";
import { LagLimit } from "../../../../server/operate/overload/lag-limit.js";
import { Random, seed } from "../../../support/random.js";

const maxLagMs = 50;
const serviceMs = 0.2;
const refusalMs = 0.01;

/** What became of a call. */
interface Served {
  readonly atMs: number;
  readonly turn: number;
  readonly waitedMs: number;
  readonly isAdmitted: boolean;
}

/** An event loop whose calls take time: each turn runs the timers that are due, and then the calls that have arrived. */
class Loop implements Clock {
  #nowMs = 0;
  #turn = 0;
  #timer: { readonly dueMs: number; readonly act: () => void } | undefined;
  readonly limit = new LagLimit(maxLagMs, this);

  now(): number {
    return this.#nowMs;
  }

  schedule(act: () => void, delayMs: number): () => void {
    this.#timer = { dueMs: this.#nowMs + delayMs, act };
    return () => {
      this.#timer = undefined;
    };
  }

  get isIdle(): boolean {
    return this.#timer === undefined;
  }

  /** Serves calls that arrive at these times. Returns what became of each. */
  serve(arrivals: readonly { readonly atMs: number; readonly takesMs?: number }[]) {
    const served: Served[] = [];
    let next = 0;
    while (next < arrivals.length) {
      const dueMs = Math.min(arrivals[next]?.atMs ?? 0, this.#timer?.dueMs ?? Number.POSITIVE_INFINITY);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      this.#runTimer();
      const turnMs = this.#nowMs;
      this.#turn++;
      for (let call = arrivals[next]; call !== undefined && call.atMs <= turnMs; call = arrivals[++next]) {
        const isAdmitted = this.limit.admits();
        this.#nowMs += isAdmitted ? (call.takesMs ?? serviceMs) : refusalMs;
        served.push({ atMs: call.atMs, turn: this.#turn, waitedMs: this.#nowMs - call.atMs, isAdmitted });
      }
    }
    return served;
  }

  /** Lets time pass without calls. */
  rest(ms: number): void {
    const endMs = this.#nowMs + ms;
    while (this.#timer !== undefined && this.#timer.dueMs <= endMs) {
      this.#nowMs = Math.max(this.#nowMs, this.#timer.dueMs);
      this.#runTimer();
    }
    this.#nowMs = endMs;
  }

  #runTimer(): void {
    const timer = this.#timer;
    if (timer === undefined || timer.dueMs > this.#nowMs) return;
    this.#timer = undefined;
    timer.act();
  }
}

/** Calls at random times, so many for each that the loop could serve. */
function* arrivals(load: number, fromMs: number, toMs: number, random: Random) {
  const everyMs = serviceMs / load;
  for (let atMs = fromMs; atMs < toMs; atMs += -Math.log(1 - random.below(1_000_000) / 1_000_000) * everyMs)
    yield { atMs };
}

function measure(served: readonly Served[], fromMs: number, toMs: number) {
  const during = served.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const waits = during.filter(({ isAdmitted }) => isAdmitted).map(({ waitedMs }) => waitedMs);
  waits.sort((a, b) => a - b);
  return {
    /** Of what the loop could serve. */
    goodput: (waits.length * serviceMs) / (toMs - fromMs),
    admitted: waits.length / during.length,
    p50Ms: waits[Math.floor(waits.length / 2)] ?? 0,
    p99Ms: waits[Math.floor(waits.length * 0.99)] ?? 0,
  };
}

describe(`a loop whose turns may take ${maxLagMs} ms (seed ${seed})`, () => {
  test.each([0.3, 0.5, 0.8, 0.9])("refuses nothing at a load of %d", (load) => {
    const served = new Loop().serve([...arrivals(load, 0, 10_000, new Random(seed))]);
    expect(served.every(({ isAdmitted }) => isAdmitted)).toBe(true);
  });

  test.each([1.2, 1.5, 2, 3])("at a load of %d serves four fifths of what it can, each within two turns", (load) => {
    const served = new Loop().serve([...arrivals(load, 0, 10_000, new Random(seed))]);
    const found = measure(served, 2000, 10_000);
    expect(found.goodput).toBeGreaterThan(0.8);
    expect(found.p99Ms).toBeLessThan(2 * maxLagMs);
  });

  test("begins to refuse within a second of an overload", () => {
    const served = new Loop().serve([...arrivals(3, 0, 1000, new Random(seed))]);
    expect(served.findIndex(({ isAdmitted }) => !isAdmitted)).toBeGreaterThan(0);
    expect(Math.max(...served.map(({ waitedMs }) => waitedMs))).toBeLessThan(1000);
  });

  test("admits all again within a second after an overload", () => {
    const random = new Random(seed);
    const served = new Loop().serve([...arrivals(3, 0, 5000, random), ...arrivals(0.5, 5000, 10_000, random)]);
    expect(measure(served, 6000, 10_000).admitted).toBe(1);
  });

  test("refuses calls of every connection alike", () => {
    // Sockets are read in the same order each turn, so a limit on the time of a turn would refuse those of the last.
    const served = new Loop().serve([...arrivals(3, 0, 10_000, new Random(seed))]).filter(({ atMs }) => atMs > 2000);
    const turns = new Map<number, typeof served>();
    for (const call of served) turns.set(call.turn, [...(turns.get(call.turn) ?? []), call]);
    const shareOf = (calls: typeof served) => calls.filter(({ isAdmitted }) => isAdmitted).length / calls.length;
    const all = [...turns.values()];
    const first = all.flatMap((calls) => calls.slice(0, calls.length / 2));
    const last = all.flatMap((calls) => calls.slice(calls.length / 2));
    expect(Math.abs(shareOf(first) - shareOf(last))).toBeLessThan(0.02);
  });

  test.each([100, 300, 1000])("refuses nothing after one call that takes %d ms at a low load", (takesMs) => {
    const calls = [...arrivals(0.2, 0, 5000, new Random(seed))];
    const served = new Loop().serve(calls.map((call, index) => (index === 500 ? { ...call, takesMs } : call)));
    expect(served.every(({ isAdmitted }) => isAdmitted)).toBe(true);
  });

  test("refuses nothing of a burst that takes 250 ms", () => {
    const served = new Loop().serve(Array.from({ length: 1250 }, () => ({ atMs: 1 })));
    expect(served.every(({ isAdmitted }) => isAdmitted)).toBe(true);
  });

  test("serves calls that take longer than a turn one by one", () => {
    const calls = Array.from({ length: 300 }, (_, index) => ({ atMs: index * 50, takesMs: 150 }));
    const served = new Loop().serve(calls);
    const late = served.slice(50);
    const admitted = late.filter(({ isAdmitted }) => isAdmitted);
    expect(admitted.length / late.length).toBeGreaterThan(0.2);
    expect(Math.max(...admitted.map(({ waitedMs }) => waitedMs))).toBeLessThan(1000);
  });

  test("sleeps when no calls come", () => {
    const loop = new Loop();
    loop.serve([...arrivals(3, 0, 2000, new Random(seed))]);
    expect(loop.isIdle).toBe(false);
    loop.rest(2000);
    expect(loop.isIdle).toBe(true);
    const served = loop.serve([{ atMs: 5000 }]);
    expect(served.map(({ isAdmitted }) => isAdmitted)).toEqual([true]);
  });
});
