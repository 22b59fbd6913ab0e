// Forwarded calls that their callers end, by a deadline or by leaving: the upstream learns of it in time, and not before.
import { setTimeout as delay } from "node:timers/promises";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type Server } from "../../server/index.js";
import { collect, failureOf } from "../support/outcome.js";
import { startServer, type TestServer } from "../support/server.js";
import { deadlineHeader, openWay, testRules, type Way, ways } from "../support/ways.js";

/** Longer than any test waits. */
const lateMs = 60_000;
const timeoutMs = 200;
/** How much of it may be lost on the way. */
const toleranceMs = 50;
/** How late an upstream may learn that a caller has left. */
const promptMs = 100;

type Client = ReturnType<typeof openWay>["client"];

/** Calls that do not end by themselves, by method. */
const calls: Record<string, (client: Client, text: string, options: CallOptions) => Promise<unknown>> = {
  unary: (client, text, options) => client.unary({ text, waitMs: lateMs }, options),
  serverStream: (client, text, options) => collect(client.serverStream({ text, count: 2, waitMs: lateMs }, options)),
  clientStream: (client, text, options) => client.clientStream(endless({ text }), options),
  bidiStream: (client, text, options) => collect(client.bidiStream(endless({ text }), options)),
};

/** Requests of which one comes at once, and no other. */
function endless<T>(first: T): AsyncIterable<T> {
  const requests = createWritableIterable<T>();
  void requests.write(first);
  return requests;
}

let upstream: TestServer;
let proxy: Server;

beforeAll(async () => {
  upstream = await startServer({ mayCutCalls: true });
  proxy = createServer({ port: 0, routes: () => {}, upstreams: [{ url: upstream.url }], httpRules: testRules });
  await proxy.listen();
  while (!proxy.health.isServing()) await delay(5);
});
afterAll(async () => {
  await proxy.close();
  await upstream[Symbol.asyncDispose]();
});

/** Streams in both directions at the same time need HTTP/2. */
const methodsOf = ({ httpVersion }: Way) =>
  Object.entries(calls).filter(([method]) => httpVersion !== "1.1" || method !== "bidiStream");

const table = Object.entries(ways).flatMap(([name, way]) =>
  methodsOf(way).map(([method, call]) => ({ name, way, method, call })),
);

// A busy machine can be late once.
describe.each(table)("$method over $name", { retry: 2 }, ({ way, call, name, method }) => {
  let count = 0;
  const nextText = () => `${method} over ${name} ${++count}`;

  test("ends at its deadline, of which the upstream sees what is left", async () => {
    using through = openWay(proxy.url, way);
    const text = nextText();
    // Opens the connections: what is measured is the call.
    await through.client.unary({ text: "first" });
    const startMs = performance.now();
    const failure = failureOf(call(through.client, text, { headers: deadlineHeader(way, timeoutMs) }));
    const context = await upstream.seen.started(text);
    const [leftMs = Number.NaN, passedMs] = [context.timeoutMs(), performance.now() - startMs];
    expect(leftMs).toBeLessThanOrEqual(timeoutMs);
    expect(leftMs).toBeGreaterThan(timeoutMs - passedMs - toleranceMs);
    expect((await failure).code).toBe(Code.DeadlineExceeded);
    await upstream.seen.ended(text);
    expect(context.signal.aborted).toBe(true);
  });

  test.each([
    ["cancels it", (controller: AbortController) => controller.abort()],
    ["closes the connection", (_controller: AbortController, close: () => void) => close()],
  ])("is cancelled when the caller %s, and not before", async (_how, leave) => {
    const through = openWay(proxy.url, way);
    const text = nextText();
    const controller = new AbortController();
    const failure = failureOf(call(through.client, text, { signal: controller.signal }));
    const { signal } = await upstream.seen.started(text);
    await delay(promptMs);
    expect(signal.aborted).toBe(false);
    const leftMs = performance.now();
    const cancelled = new Promise<number>((resolve) => {
      signal.addEventListener("abort", () => resolve(performance.now() - leftMs));
    });
    leave(controller, () => through[Symbol.dispose]());
    expect(await cancelled).toBeLessThan(promptMs);
    expect(ConnectError.from(signal.reason).code).toBe(Code.Canceled);
    await failure;
    through[Symbol.dispose]();
  });
});
