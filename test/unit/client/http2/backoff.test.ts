import { expect, onTestFinished, test, vi } from "vitest";
import { Backoff } from "../../../../client/http2/backoff.js";

function open(maxMs: number, random: () => number) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  let overs = 0;
  const backoff = new Backoff({ maxMs, random, onOver: () => overs++ });
  /** Fails an attempt, and returns the milliseconds until the next. */
  const waitOf = () => {
    backoff.begin();
    backoff.fail();
    const before = overs;
    let ms = 0;
    for (; overs === before; ms++) vi.advanceTimersByTime(1);
    return ms;
  };
  return { backoff, waitOf, overs: () => overs };
}

test.each([
  [0.5, [1000, 1600, 2560, 4096, 6553, 10_000, 10_000]],
  [0, [800, 1280, 2048, 3276, 5242, 8000, 8000]],
  [1, [1200, 1920, 3072, 4915, 7864, 12_000, 12_000]],
])("with the random number %s, the times between attempts are %j", (random, expected) => {
  const { waitOf } = open(10_000, () => random);
  expect(expected.map(waitOf)).toEqual(expected);
});

test("a success makes the next failure the first", () => {
  const { backoff, waitOf } = open(10_000, () => 0.5);
  for (let count = 0; count < 4; count++) waitOf();
  backoff.succeed();
  expect(backoff.isWaiting).toBe(false);
  expect(waitOf()).toBe(1000);
});

test("attempts that calls ask for come at once after the first failure, then after 200 ms, and make the time no longer", () => {
  const { backoff, waitOf } = open(10_000, () => 0.5);
  backoff.begin();
  backoff.fail();
  expect([backoff.isWaiting, backoff.mayHurry]).toEqual([true, true]);
  for (let count = 0; count < 5; count++) {
    backoff.begin();
    expect(backoff.isWaiting).toBe(false);
    backoff.fail();
    expect(backoff.mayHurry).toBe(false);
    vi.advanceTimersByTime(199);
    expect(backoff.mayHurry).toBe(false);
    vi.advanceTimersByTime(1);
    expect(backoff.mayHurry).toBe(true);
  }
  expect(waitOf()).toBe(1000);
  expect(waitOf()).toBe(1600);
});

test("nothing comes after stop", () => {
  const { backoff, overs } = open(10_000, () => 0.5);
  backoff.begin();
  backoff.fail();
  backoff.stop();
  vi.advanceTimersByTime(60_000);
  expect(overs()).toBe(0);
});
