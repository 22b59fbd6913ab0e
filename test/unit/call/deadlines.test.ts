import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Deadline, Deadlines } from "../../../server/call/deadlines.js";
import { Random, seed } from "../../support/random.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Deadlines, and the names of those that have passed, in their order. */
function open() {
  const deadlines = new Deadlines();
  const passed: string[] = [];
  const add = (name: string, inMs: number) => {
    const deadline = new Deadline(performance.now() + inMs, () => passed.push(name));
    deadlines.add(deadline);
    return deadline;
  };
  return { deadlines, passed, add };
}

describe("deadlines", () => {
  test("pass in their order, each at its time", () => {
    const { add, passed, deadlines } = open();
    add("c", 300);
    add("a", 100);
    add("b", 200);
    vi.advanceTimersByTime(99);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual(["a"]);
    vi.advanceTimersByTime(1000);
    expect([passed, deadlines.size]).toEqual([["a", "b", "c"], 0]);
  });

  test("that are deleted do not pass, and stop no other", () => {
    const { add, passed, deadlines } = open();
    const first = add("a", 100);
    add("b", 200);
    deadlines.delete(first);
    deadlines.delete(first);
    vi.advanceTimersByTime(1000);
    expect(passed).toEqual(["b"]);
  });

  test("pass soon if they have passed already, and never a part of a millisecond too early", () => {
    const { add, passed } = open();
    add("late", -5);
    add("part", 0.5);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(passed).toEqual(["late"]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual(["late", "part"]);
  });

  test("can be added and deleted by one that passes", () => {
    const { add, passed, deadlines } = open();
    const deleted = add("deleted", 100.5);
    deadlines.add(
      new Deadline(performance.now() + 100, () => {
        deadlines.delete(deleted);
        add("added", 50);
      }),
    );
    vi.advanceTimersByTime(149);
    expect(passed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual(["added"]);
  });

  test("pass also if what is called at one of them throws", () => {
    const { add, passed, deadlines } = open();
    const onPassed = () => {
      throw new Error("thrown");
    };
    deadlines.add(new Deadline(performance.now() + 100, onPassed));
    add("same", 100);
    add("later", 200);
    expect(() => vi.advanceTimersByTime(100)).toThrow("thrown");
    vi.advanceTimersByTime(1000);
    expect(passed).toEqual(["same", "later"]);
  });

  test("have one timer, which is not set anew when a call ends, and keeps no process running without calls", () => {
    vi.useRealTimers();
    const { add, deadlines } = open();
    const set = vi.spyOn(globalThis, "setTimeout");
    const first = [add("", 10_000), add("", 20_000)];
    for (const each of first) deadlines.delete(each);
    const timer = set.mock.results[0]?.value as NodeJS.Timeout;
    expect([set.mock.calls.length, timer.hasRef()]).toEqual([1, false]);
    const last = add("", 30_000);
    expect([set.mock.calls.length, timer.hasRef()]).toEqual([1, true]);
    deadlines.delete(last);
    clearTimeout(timer);
  });

  test("pass when timers of their own would, however calls come and go", () => {
    const random = new Random(seed);
    const { add, passed, deadlines } = open();
    const expected: string[] = [];
    const calls = new Map<string, { deadline: Deadline; timer: NodeJS.Timeout }>();
    for (let step = 0; step < 2000; step++) {
      const name = `${step}`;
      if (random.chance(0.6)) {
        // No two at the same time, whose order is of no interest.
        const inMs = 1 + random.below(100) + step / 10_000;
        const onTimer = () => {
          expected.push(name);
          calls.delete(name);
        };
        calls.set(name, { deadline: add(name, inMs), timer: setTimeout(onTimer, Math.ceil(inMs)) });
      } else if (calls.size > 0) {
        const [gone, { deadline, timer }] = random.pick([...calls]);
        deadlines.delete(deadline);
        clearTimeout(timer);
        calls.delete(gone);
      }
      if (random.chance(0.2)) vi.advanceTimersByTime(random.below(10));
      expect(deadlines.size).toBe(calls.size);
      expect(new Set(passed)).toEqual(new Set(expected));
    }
    vi.advanceTimersByTime(1000);
    expect([passed.length, deadlines.size]).toEqual([expected.length, 0]);
    expect(passed.length).toBeGreaterThan(200);
  });
});
