import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { once, runAtOnce, runInSlices, type Work } from "../../server/slices.js";

/** Five steps, each longer than a slice. */
function* spin(): Work<string> {
  for (let step = 0; step < 5; step++) {
    const end = performance.now() + 11;
    while (performance.now() < end);
    yield;
  }
  return "done";
}

// biome-ignore lint/correctness/useYield: work that fails at once
function* fail(): Work<string> {
  throw new Error("no");
}

describe("work in slices", () => {
  it("lets other work go on, and resolves with its result", async () => {
    let isOver = false;
    const work = runInSlices(spin()).finally(() => {
      isOver = true;
    });
    let turns = 0;
    for (; !isOver; turns++) await setImmediate();
    expect(await work).toBe("done");
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it("can be done at once", () => {
    expect(runAtOnce(spin())).toBe("done");
  });

  it("fails with its error", async () => {
    await expect(runInSlices(fail())).rejects.toThrow("no");
    expect(() => runAtOnce(fail())).toThrow("no");
  });
});

describe("what is made once", () => {
  it("is shared by all who ask, also while it is made", async () => {
    let count = 0;
    const make = once(async () => {
      await setImmediate();
      count += 1;
      return count;
    });
    expect(await Promise.all([make(), make()])).toEqual([1, 1]);
    expect(await make()).toBe(1);
  });

  it("is made again after a failure", async () => {
    let count = 0;
    const make = once(async () => {
      count += 1;
      if (count === 1) throw new Error("no");
      return count;
    });
    await expect(make()).rejects.toThrow("no");
    expect(await make()).toBe(2);
  });
});
