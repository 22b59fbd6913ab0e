// Calls over a rate limit end with `resource_exhausted`, over every protocol, and say when the client may call again.
import { Code, type ConnectError } from "@connectrpc/connect";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { describe, expect, test } from "vitest";
import { RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { apiKeys, type RateLimitOptions, rateLimit } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { failureOf } from "../support/outcome.js";
import { openWay, type Way } from "../support/ways.js";
import { calls, describeGuarded, type Guarded, startGuarded } from "./guarded.js";
import { fronts } from "./proxy.js";

const key = { header: "x-client" };
let clients = 0;
/** The headers of a client that no other test has. */
const newClient = () => ({ headers: { "x-client": `client ${clients++}` } });

/** What a refusal says of the time to wait: in seconds, in milliseconds, and in the detail, in seconds. */
function waitOf(error: ConnectError) {
  const [info] = error.findDetails(RetryInfoSchema);
  const seconds = Number(info?.retryDelay?.seconds) + (info?.retryDelay?.nanos ?? 0) / 1e9;
  const { metadata } = error;
  return { after: metadata.get("retry-after"), pushback: metadata.get("grpc-retry-pushback-ms"), seconds };
}

const expectRefused = (error: ConnectError, { protocol }: Way) => {
  expect([error.code, error.rawMessage]).toEqual([Code.ResourceExhausted, "rate limit exceeded: retry after 30 s"]);
  const { after, pushback, seconds } = waitOf(error);
  expect(after).toBe("30");
  expect(seconds).toBeGreaterThan(25);
  expect(seconds).toBeLessThanOrEqual(30);
  const isGrpc = protocol === "grpc" || protocol === "grpc-web";
  expect(Number(pushback)).toBe(isGrpc ? Math.round(seconds * 1000) : 0);
};

describeGuarded(
  () => [rateLimit({ points: 2, durationSeconds: 60, key })],
  (open, guarded, way) => {
    test.each(Object.entries(calls))("a %s call over the limit is refused", async (_, call) => {
      using opened = open();
      const client = newClient();
      await call(opened.client, "first", client);
      await call(opened.client, "second", client);
      const text = `refused ${client.headers["x-client"]}`;
      expectRefused(await failureOf(call(opened.client, text, client)), way);
      expect(guarded().target.seen.has(text)).toBe(false);
      await call(opened.client, "of another client", newClient());
    });
  },
);

describe.each(Object.entries(fronts))("%s", (_, { unary, httpVersion, wire }) => {
  test("a refusal has the status 429 where the protocol has statuses, and retry-after", async () => {
    await using guarded = await startGuarded("own", [rateLimit({ points: 1, durationSeconds: 10 })], {
      httpRules: { rules: [{ selector: `${TestService.typeName}.Unary`, post: "/v1/unary", body: "*" }] },
    });
    const send = () => request(guarded.url, { ...unary({ text: "a" }), httpVersion });
    expect((await send()).status).toBe(200);
    const { status, headers } = await send();
    const isHttp = wire === "connect" || wire === "rest";
    expect(status).toBe(isHttp ? 429 : 200);
    expect(headers["retry-after"]).toBe(wire.startsWith("grpc-web") ? undefined : "10");
    expect(headers["grpc-retry-pushback-ms"] === undefined).toBe(wire !== "grpc");
  });
});

/** How many of some calls pass. */
async function countPassed({ url }: Guarded, headers: readonly Record<string, string>[]): Promise<number> {
  using opened = openWay(url, { protocol: "connect" });
  const outcomes = await Promise.allSettled(headers.map((each) => opened.client.unary({}, { headers: each })));
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}

const open = (options: Partial<RateLimitOptions>) =>
  startGuarded("own", [rateLimit({ points: 2, durationSeconds: 60, ...options })]);

describe("calls are counted", () => {
  test("by the address of the client", async () => {
    await using guarded = await open({});
    expect(await countPassed(guarded, [{}, {}, {}, { "x-client": "a" }])).toBe(2);
  });

  test("by the address that a trusted proxy names", async () => {
    await using guarded = await startGuarded("own", [rateLimit({ points: 1, durationSeconds: 60 })], {
      trustProxy: "loopback",
    });
    const of = (address: string) => ({ "x-forwarded-for": address });
    const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"];
    expect(await countPassed(guarded, addresses.map(of))).toBe(4);
  });

  test("by a header, and without it by the address", async () => {
    await using guarded = await open({ key });
    const headers = ["a", "a", "a", "b", "b"].map((name) => ({ "x-client": name }));
    expect(await countPassed(guarded, [...headers, {}, {}, {}])).toBe(6);
  });

  test("by who the client is, as an interceptor before has found out", async () => {
    const keys = { ada: "ada-0123456789abcdef", bob: "bob-0123456789abcdef" };
    const limit = rateLimit({ points: 2, durationSeconds: 60, key: "principal" });
    await using guarded = await startGuarded("own", [apiKeys({ keys }), limit]);
    const headers = [keys.ada, keys.ada, keys.ada, keys.bob].map((name) => ({ "x-api-key": name }));
    expect(await countPassed(guarded, headers)).toBe(3);
  });

  test("by what a function says, which exempts calls, too", async () => {
    await using guarded = await open({ key: ({ header }) => header.get("x-client") ?? undefined });
    expect(
      await countPassed(guarded, [{}, {}, {}, { "x-client": "a" }, { "x-client": "a" }, { "x-client": "a" }]),
    ).toBe(5);
  });

  test("with the cost that a function says", async () => {
    await using guarded = await open({ cost: ({ header }) => Number(header.get("x-cost") ?? 1) });
    expect(await countPassed(guarded, [{ "x-cost": "0" }, { "x-cost": "2" }, {}, { "x-cost": "0" }])).toBe(3);
  });

  test("for the methods that are named", async () => {
    await using guarded = await open({ methods: `${TestService.typeName}/Get` });
    expect(await countPassed(guarded, [{}, {}, {}])).toBe(3);
    using opened = openWay(guarded.url, { protocol: "connect" });
    await opened.client.get({});
    await opened.client.get({});
    expect((await failureOf(opened.client.get({}))).code).toBe(Code.ResourceExhausted);
  });
});

describe("a limiter of rate-limiter-flexible", () => {
  const shared = (options: Partial<RateLimitOptions>) => startGuarded("own", [rateLimit(options)]);

  test("counts, and says when the client may call again", async () => {
    await using guarded = await shared({ limiter: new RateLimiterMemory({ points: 2, duration: 60 }) });
    expect(await countPassed(guarded, [{}, {}])).toBe(2);
    using opened = openWay(guarded.url, { protocol: "grpc" });
    const { after, pushback } = waitOf(await failureOf(opened.client.unary({})));
    expect(after).toBe("60");
    expect(Number(pushback)).toBeGreaterThan(50_000);
  });

  const failing = { consume: () => Promise.reject(new Error("connect ECONNREFUSED")) };
  const hanging = { consume: () => new Promise(() => {}) };

  test.each([
    ["fails", failing, "rateLimit: the store of the limiter failed: connect ECONNREFUSED"],
    ["does not respond", hanging, "rateLimit: the store of the limiter failed: no response of the store within 20 ms"],
  ])("whose store %s lets calls pass, with one report", async (_, limiter, report) => {
    const reports: string[] = [];
    const onStoreError = ({ message }: Error) => reports.push(message);
    await using guarded = await shared({ limiter, onStoreError, storeTimeoutMs: 20 });
    expect(await countPassed(guarded, [{}, {}, {}])).toBe(3);
    expect(reports).toEqual([report]);
  });

  test("whose store fails refuses calls, if that is set", async () => {
    await using guarded = await shared({ limiter: failing, whenStoreFails: "refuse", onStoreError() {} });
    using opened = openWay(guarded.url, { protocol: "grpc" });
    const { code, rawMessage } = await failureOf(opened.client.unary({}));
    expect([code, rawMessage]).toEqual([Code.Unavailable, "the rate limit cannot be checked"]);
  });
});

test("the client waits as long as the server asks for, if its policy retries", async () => {
  await using guarded = await startGuarded("own", [rateLimit({ points: 4, durationSeconds: 1, cost: 4 })]);
  const retryPolicy = {
    ...{ maxAttempts: 2, initialBackoff: "0.001s", maxBackoff: "5s", backoffMultiplier: 1 },
    retryableStatusCodes: ["RESOURCE_EXHAUSTED"],
  };
  const serviceConfig = { methodConfig: [{ name: [{}], retryPolicy }] };
  for (const protocol of ["grpc", "grpc-web", "connect"] as const) {
    using opened = openWay(guarded.url, { protocol, serviceConfig });
    await opened.client.unary({});
    const startMs = performance.now();
    await opened.client.unary({});
    expect(performance.now() - startMs).toBeGreaterThan(800);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
});
