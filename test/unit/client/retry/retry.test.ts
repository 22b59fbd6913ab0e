// How often, and when, a call is sent again: by a fake clock, and a `send` whose outcomes are given.
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type RetryPolicy, RetryThrottle } from "../../../../client/retry/policy.js";
import { ReplayMemory } from "../../../../client/retry/replay-buffer.js";
import { Retry, type RetryContext } from "../../../../client/retry/retry.js";
import { Waits } from "../../../../client/retry/waits.js";
import { failureOf } from "../../../support/outcome.js";

const policy: RetryPolicy = {
  maxAttempts: 4,
  initialBackoffMs: 100,
  maxBackoffMs: 1000,
  backoffMultiplier: 2,
  codes: new Set([Code.Unavailable]),
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Outcome = ConnectError | "ok";

const unavailable = (header?: Record<string, string>) => new ConnectError("down", Code.Unavailable, header);
const pushback = (value: string) => unavailable({ "grpc-retry-pushback-ms": value });

interface Options {
  readonly policy?: RetryPolicy | undefined;
  readonly throttle?: RetryThrottle;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly context?: RetryContext;
  /** How long each attempt takes. */
  readonly takesMs?: number;
  readonly commitsAt?: number;
}

function contextOf(throttle?: RetryThrottle): RetryContext {
  return { throttle, memory: new ReplayMemory(0), waits: new Waits(), random: () => 0.5 };
}

/** Makes a call whose attempts have these outcomes. Returns when each was made, and with how much time left. */
function call(outcomes: readonly Outcome[], options: Options = {}) {
  const { timeoutMs, signal, takesMs = 0, context = contextOf(options.throttle) } = options;
  const retry = new Retry("policy" in options ? options.policy : policy, context);
  const start = performance.now();
  const attempts: { atMs: number; previous: number; timeoutMs: number | undefined }[] = [];
  const result = retry.unary({ signal, timeoutMs }, async ({ previous, timeoutMs, commit }) => {
    attempts.push({ atMs: Math.round(performance.now() - start), previous, timeoutMs });
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    if (previous === options.commitsAt) commit();
    const outcome = outcomes[previous];
    if (outcome === undefined) throw new Error("expected no further attempt");
    if (outcome !== "ok") throw outcome;
    return { header: new Headers() };
  });
  result.catch(() => {});
  return { attempts, result };
}

const times = ({ attempts }: ReturnType<typeof call>) => attempts.map(({ atMs }) => atMs);

describe("attempts are made", () => {
  test.each<[title: string, outcomes: Outcome[], atMs: number[], options?: Options]>([
    ["once if the call succeeds", ["ok"], [0]],
    ["until one succeeds", [unavailable(), unavailable(), "ok"], [0, 100, 300]],
    ["as often as the policy says", [unavailable(), unavailable(), unavailable(), unavailable()], [0, 100, 300, 700]],
    ["once if the code is not the policy's", [new ConnectError("", Code.Internal)], [0]],
    ["once without a policy", [unavailable()], [0], { policy: undefined }],
    ["when the server says", [pushback("2000"), "ok"], [0, 2000]],
    [
      "with the first wait after one that the server chose",
      [unavailable(), pushback("0"), unavailable(), "ok"],
      [0, 100, 100, 200],
    ],
    ["not again if the server says so", [pushback("-1")], [0]],
    ["not again if the server says what is no number", [pushback("no")], [0]],
    [
      "not later than the policy's last one, whatever the server says",
      [unavailable(), pushback("1")],
      [0, 100],
      { policy: { ...policy, maxAttempts: 2 } },
    ],
    ["after Retry-After", [unavailable({ "retry-after": "1" }), "ok"], [0, 1000]],
    ["not again if Retry-After is longer than the longest wait", [unavailable({ "retry-after": "2" })], [0]],
    ["not again after a response has begun", [unavailable(), unavailable()], [0, 100], { commitsAt: 1 }],
    ["not again if the deadline would come first", [unavailable(), unavailable()], [0, 100], { timeoutMs: 250 }],
    ["at once if the server says so", [pushback("0"), "ok"], [0, 0]],
  ])("%s", async (_, outcomes, atMs, options) => {
    const made = call(outcomes, options);
    await vi.runAllTimersAsync();
    expect(times(made)).toEqual(atMs);
    const last = outcomes.at(-1);
    if (last === "ok") expect((await made.result).header.get("grpc-previous-rpc-attempts")).toBe(attemptsBefore(made));
    else expect(await failureOf(made.result)).toBe(last);
  });
});

function attemptsBefore({ attempts }: ReturnType<typeof call>): string | null {
  return attempts.length === 1 ? null : String(attempts.length - 1);
}

test("the caller learns from the error how many attempts there were before", async () => {
  const { result } = call([unavailable(), new ConnectError("", Code.NotFound)]);
  await vi.runAllTimersAsync();
  expect((await failureOf(result)).metadata.get("grpc-previous-rpc-attempts")).toBe("1");
});

test("each attempt has what is left of the call's time", async () => {
  const { attempts } = call([unavailable(), unavailable(), "ok"], { timeoutMs: 1000, takesMs: 50 });
  await vi.runAllTimersAsync();
  expect(attempts.map(({ timeoutMs }) => timeoutMs)).toEqual([1000, 850, 600]);
});

test("a caller that leaves during a wait ends the call at once", async () => {
  const controller = new AbortController();
  const made = call([unavailable()], { signal: controller.signal });
  await vi.advanceTimersByTimeAsync(50);
  controller.abort();
  expect((await failureOf(made.result)).code).toBe(Code.Canceled);
  await vi.runAllTimersAsync();
  expect(times(made)).toEqual([0]);
  expect(vi.getTimerCount()).toBe(0);
});

test("no attempt follows one that the caller has ended", async () => {
  const controller = new AbortController();
  const made = call([unavailable()], { signal: controller.signal, takesMs: 10 });
  controller.abort();
  await vi.runAllTimersAsync();
  expect(times(made)).toEqual([0]);
});

test("closing ends all waits", async () => {
  const context = contextOf();
  const calls = [call([unavailable()], { context }), call([unavailable()], { context })];
  await vi.advanceTimersByTimeAsync(50);
  context.waits.endAll(new ConnectError("the transport was closed", Code.Canceled));
  for (const { result } of calls) expect((await failureOf(result)).message).toBe("[canceled] the transport was closed");
  expect(vi.getTimerCount()).toBe(0);
});

describe("while the throttle is exhausted", () => {
  test("failed calls are not sent again, and those that succeed open it", async () => {
    const throttle = new RetryThrottle(4, 1);
    const down = call([unavailable(), unavailable()], { throttle });
    await vi.runAllTimersAsync();
    expect(times(down).length).toBe(2);
    const refused = call([unavailable()], { throttle });
    await vi.runAllTimersAsync();
    expect(times(refused).length).toBe(1);
    for (let count = 0; count < 3; count++) await call(["ok"], { throttle, policy: undefined }).result;
    const open = call([unavailable(), "ok"], { throttle });
    await vi.runAllTimersAsync();
    expect(times(open).length).toBe(2);
  });

  test.each<[Outcome, boolean]>([
    [new ConnectError("", Code.InvalidArgument), false],
    [new ConnectError("", Code.InvalidArgument, { "grpc-retry-pushback-ms": "-1" }), true],
    [pushback("-1"), true],
  ])("%s costs a token: %s", async (outcome, costs) => {
    const throttle = new RetryThrottle(2, 1);
    await failureOf(call([outcome], { throttle }).result);
    expect(throttle.isExhausted).toBe(costs);
  });
});
