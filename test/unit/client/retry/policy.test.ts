// When a failed call is sent again: backoff, throttling, and what servers ask for.
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";
import { Backoff, RetryThrottle, readPushback, readRetryAfter } from "../../../../client/retry/policy.js";

const policy = {
  maxAttempts: 5,
  initialBackoffMs: 100,
  maxBackoffMs: 1000,
  backoffMultiplier: 3,
  codes: new Set([Code.Unavailable]),
};

const take = (count: number, backoff: Backoff) => Array.from({ length: count }, () => Math.round(backoff.next()));

afterEach(() => void vi.useRealTimers());

test.each([
  [0.5, policy, [100, 300, 900, 1000, 1000]],
  [0, policy, [80, 240, 720, 800, 800]],
  [1, policy, [120, 360, 1080, 1200, 1200]],
  [0.5, { ...policy, maxBackoffMs: 50 }, [50, 50]],
  [0.5, { ...policy, backoffMultiplier: 0.5 }, [100, 50, 25]],
])("with the random number %d, the waits grow as the policy says", (random, policy, waits) => {
  expect(take(waits.length, new Backoff(policy, () => random))).toEqual(waits);
});

test("waits begin again after a reset", () => {
  const backoff = new Backoff(policy, () => 0.5);
  take(2, backoff);
  backoff.reset();
  expect(take(2, backoff)).toEqual([100, 300]);
});

test("the throttle is exhausted while half of the tokens are gone", () => {
  const throttle = new RetryThrottle(4, 0.5);
  const steps = [..."ffssf"].map((step) => {
    if (step === "f") throttle.onFailure();
    else throttle.onSuccess();
    return throttle.isExhausted;
  });
  expect(steps).toEqual([false, true, false, false, true]);
});

test("the throttle has between no tokens and all", () => {
  const throttle = new RetryThrottle(2, 1);
  for (let count = 0; count < 10; count++) throttle.onFailure();
  throttle.onSuccess();
  throttle.onSuccess();
  expect(throttle.isExhausted).toBe(false);
  for (let count = 0; count < 10; count++) throttle.onSuccess();
  throttle.onFailure();
  expect(throttle.isExhausted).toBe(true);
});

const errorWith = (header: Record<string, string>, code = Code.Unavailable) => new ConnectError("", code, header);

test.each([
  ["0", 0],
  ["1500", 1500],
  ["2147483647", 2_147_483_647],
  ["2147483648", "never"],
  ["-1", "never"],
  ["01", "never"],
  ["1.5", "never"],
  ["+1", "never"],
  ["soon", "never"],
  ["", "never"],
  ["1, 2", "never"],
])("grpc-retry-pushback-ms: %s", (value, expected) => {
  expect(readPushback(errorWith({ "grpc-retry-pushback-ms": value }))).toBe(expected);
});

test("without a pushback the server says nothing", () => {
  expect(readPushback(errorWith({}))).toBeUndefined();
});

test.each([
  ["2", Code.Unavailable, 2000],
  ["2", Code.ResourceExhausted, 2000],
  ["2", Code.Internal, 0],
  ["Thu, 01 Jan 2026 00:00:03 GMT", Code.Unavailable, 3000],
  ["Thu, 01 Jan 2026 00:00:00 GMT", Code.Unavailable, 0],
  ["Wed, 31 Dec 2025 00:00:00 GMT", Code.Unavailable, 0],
  ["later", Code.Unavailable, 0],
])("Retry-After: %s, code %i", (value, code, expected) => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  expect(readRetryAfter(errorWith({ "retry-after": value }, code))).toBe(expected);
});
