import { describe, expect, test } from "vitest";
import { type RateLimitOptions, rateLimit } from "../../../server/interceptors/index.js";
import { networkOf } from "../../../server/interceptors/rate-limit/keys.js";
import { MemoryLimiter } from "../../../server/interceptors/rate-limit/memory-limiter.js";

/** A limiter with 10 points in 1 s, and its clock. */
function open({ maxKeys = 100 } = {}) {
  const clock = { nowMs: 5000 };
  const limiter = new MemoryLimiter({ points: 10, durationMs: 1000 }, maxKeys, () => clock.nowMs);
  return { clock, take: (key: string, points = 1) => Math.round(limiter.consume(key, points)) };
}

describe("a key", () => {
  test("may use all points at once, and then waits for the next", () => {
    const { take } = open();
    expect(Array.from({ length: 12 }, () => take("a"))).toEqual([...new Array(10).fill(0), 100, 100]);
    expect(take("b")).toBe(0);
  });

  test("gets points back evenly, and never more than all", () => {
    const { take, clock } = open();
    expect(take("a", 10)).toBe(0);
    clock.nowMs += 300;
    expect([take("a"), take("a"), take("a"), take("a")]).toEqual([0, 0, 0, 100]);
    clock.nowMs += 60_000;
    expect([take("a", 10), take("a")]).toEqual([0, 100]);
  });

  test("waits until there are as many points as a call costs, at most all", () => {
    const { take, clock } = open();
    expect([take("a", 8), take("a", 5), take("a", 2)]).toEqual([0, 300, 0]);
    expect(take("a", 1000)).toBe(1000);
    clock.nowMs += 1000;
    expect(take("a", 1000)).toBe(0);
  });

  test("has the exact rate over a long time, with all of its calls", () => {
    const { take, clock } = open();
    let passed = 0;
    for (let ms = 0; ms < 60_000; ms += 7, clock.nowMs += 7) if (take("a") === 0) passed++;
    expect(passed).toBeGreaterThanOrEqual(608);
    expect(passed).toBeLessThanOrEqual(610);
  });
});

test("more keys than are kept make room for themselves: those that called last are kept", () => {
  const { take } = open({ maxKeys: 100 });
  take("often", 10);
  take("once", 10);
  for (let count = 0; count < 1000; count++) {
    take(`key ${count}`);
    if (count % 10 === 0) expect(take("often")).toBe(100);
  }
  expect(take("once", 10)).toBe(0);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["", ""],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
  ["2001:0DB8::", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["fe80::1:2:3:4", "fe80:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
])("the network of the address %j is %j", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

const limiter = { consume: () => Promise.resolve() };

test.each<[object, string]>([
  [{}, "rateLimit: points: expected a whole number from 1 to 2147483647, found 0"],
  [{ points: 1 }, "rateLimit: durationSeconds: expected a whole number from 1 to 2147483647, found 0"],
  [{ points: 1.5, durationSeconds: 1 }, "rateLimit: points: expected a whole number from 1 to 2147483647, found 1.5"],
  [{ points: 1, duration: 1 }, 'rateLimit: unknown option "duration"'],
  [
    { points: 1, durationSeconds: 1, key: "ip" },
    'rateLimit: key: expected "peer", "principal", { header: "x-api-key" } or a function, found "ip"',
  ],
  [
    { points: 1, durationSeconds: 1, methods: "Greeter" },
    'rateLimit: methods: expected package.Service/Method, package.Service/* or *, found "Greeter"',
  ],
  [
    { points: 1, durationSeconds: 1, cost: -1 },
    "rateLimit: cost: expected a whole number from 0 to 2147483647, found -1",
  ],
  [{ points: 1, durationSeconds: 1, storeTimeoutMs: 5 }, "rateLimit: storeTimeoutMs: expected it with limiter"],
  [{ points: 1, limiter }, "rateLimit: points: expected it without limiter"],
  [{ limiter: {} }, "rateLimit: limiter: expected a limiter of rate-limiter-flexible, found an object"],
  [{ limiter, whenStoreFails: "open" }, 'rateLimit: whenStoreFails: expected "allow" or "refuse", found "open"'],
  [{ limiter, onStoreError: 1 }, "rateLimit: onStoreError: expected a function, found 1"],
])("refuses the options %j", (options, message) => {
  expect(() => rateLimit(options as RateLimitOptions)).toThrow(message);
});
