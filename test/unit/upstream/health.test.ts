import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { backoffMs } from "../../../server/upstream/backoff.js";
import { UpstreamHealth } from "../../../server/upstream/health.js";
import { TestClock } from "../../support/clock.js";

/** A server whose streams are what `open` returns. */
function start(open: () => Promise<never>) {
  const transport: Transport = { unary: () => Promise.reject(new Error("not asked")), stream: open };
  const end = new AbortController();
  const clock = new TestClock();
  const onChange = vi.fn();
  const state = { isReachable: true };
  const target = { transport, signal: end.signal, isReachable: () => state.isReachable, onChange };
  return { clock, onChange, end, state, health: new UpstreamHealth(target, clock) };
}

test("a server that says nothing for five seconds is not serving", async () => {
  const { clock, health, onChange } = start(() => new Promise(() => {}));
  expect(health.statusOf("acme.A")).toBe("pending");
  await clock.pass(4900, 100);
  expect([health.statusOf("acme.A"), onChange.mock.calls.length]).toEqual(["pending", 0]);
  await clock.pass(100, 100);
  expect([health.statusOf("acme.A"), onChange.mock.calls.length]).toEqual(["NOT_SERVING", 1]);
});

test("streams that fail are opened again after longer and longer times, until the end", async () => {
  const openedAt: number[] = [];
  const { clock, health, end } = start(() => {
    openedAt.push(clock.now());
    return Promise.reject(new Error("no connection"));
  });
  health.statusOf("acme.A");
  expect(health.statusOf("acme.A")).toBe("pending");
  await clock.pass(60_000, 100);
  expect(health.statusOf("acme.A")).toBe("NOT_SERVING");
  const waits = openedAt.slice(1).map((at, index) => at - (openedAt[index] as number));
  expect(waits[0]).toBeGreaterThanOrEqual(800);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(8000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(12_100);
  end.abort();
  const { length } = openedAt;
  await clock.pass(60_000, 100);
  expect(openedAt).toHaveLength(length);
});

test("a server without a health service is asked for its own status again and again, and for that of a service once", async () => {
  let isReachable = true;
  let opened = 0;
  const { clock, health, state } = start(() => {
    opened++;
    return Promise.reject(new ConnectError("", isReachable ? Code.Unimplemented : Code.Unavailable));
  });
  health.statusOf("acme.A");
  await clock.pass(100, 100);
  health.statusOf("acme.A");
  await clock.pass(20_000, 100);
  expect(health.statusOf("acme.A")).toBe("SERVING");
  expect(opened).toBeGreaterThan(3);
  state.isReachable = false;
  expect(health.statusOf("acme.A")).toBe("NOT_SERVING");
  state.isReachable = true;
  isReachable = false;
  await clock.pass(13_000, 100);
  expect(health.statusOf("acme.A")).toBe("NOT_SERVING");
  isReachable = true;
  await clock.pass(13_000, 100);
  expect(health.statusOf("acme.A")).toBe("SERVING");
});

test("streams are opened again at once when a connection is there again, also those of a server that had no health service", async () => {
  let code = Code.Unavailable;
  let opened = 0;
  const { clock, health, onChange } = start(() => {
    opened++;
    return Promise.reject(new ConnectError("", code));
  });
  health.statusOf("acme.A");
  await clock.pass(30_000, 100);
  const before = opened;
  code = Code.Unimplemented;
  health.retry();
  await clock.pass(100, 100);
  expect(opened).toBe(before + 1);
  health.statusOf("acme.A");
  await clock.pass(100, 100);
  expect(health.statusOf("acme.A")).toBe("SERVING");
  code = Code.Unavailable;
  onChange.mockClear();
  health.retry();
  expect(onChange).toHaveBeenCalled();
  expect(health.statusOf("acme.A")).toBe("pending");
  await clock.pass(100, 100);
  expect(health.statusOf("acme.A")).toBe("NOT_SERVING");
});

test.each([
  [0, 1000],
  [1, 1000],
  [2, 1600],
  [3, 2560],
  [6, 10_000],
  [1000, 10_000],
])("after %i failures the next attempt waits for %i ms, a fifth more or less", (failures, meanMs) => {
  for (let round = 0; round < 50; round++) {
    const waitMs = backoffMs(failures);
    expect(waitMs).toBeGreaterThanOrEqual(meanMs * 0.8);
    expect(waitMs).toBeLessThanOrEqual(meanMs * 1.2);
  }
});
