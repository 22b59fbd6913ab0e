// What becomes of the calls of a proxy when an upstream is killed, comes back, or stands still: those under way fail, each in
// its own protocol, and those of other upstreams do not notice.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { createServer, type Server } from "../../server/index.js";
import { BulkService } from "../gen/manywire/test/limits/v1/bulk_pb.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { failureOf } from "../support/outcome.js";
import { type Child, startChild } from "../support/process/child.js";
import { startServer, type TestServer } from "../support/server.js";
import { deadlineHeader, openWay, testRules, type Way, ways } from "../support/ways.js";

let upstream: Child;
let neighbour: TestServer;
let proxy: Server;

beforeAll(async () => {
  upstream = await startChild({});
  neighbour = await startServer({
    routes: (router) => router.service(BulkService, { take: () => ({ count: 1 }) }),
  });
  proxy = createServer({
    port: 0,
    routes: () => {},
    httpRules: testRules,
    upstreams: [
      { url: upstream.url, services: [TestService.typeName] },
      { url: neighbour.url, services: [BulkService.typeName] },
    ],
  });
  await proxy.listen();
  while (!proxy.health.isServing()) await delay(5);
}, 120_000);
afterAll(async () => {
  await proxy.close();
  await neighbour[Symbol.asyncDispose]();
  await upstream.close();
});

/** A call that has ended, in milliseconds of `performance.now()`. The code is 0 for success. */
interface EndedCall {
  readonly startMs: number;
  readonly endMs: number;
  readonly code: number;
}

interface Load {
  readonly calls: readonly EndedCall[];
  /** Resolves when a call that begins after now has succeeded. */
  isServed(): Promise<void>;
  stop(): Promise<void>;
}

/** Calls again and again, two at the same time. */
function startLoad(call: () => Promise<unknown>): Load {
  const calls: EndedCall[] = [];
  let isStopped = false;
  const work = async () => {
    while (!isStopped) {
      const startMs = performance.now();
      const code = await call().then(
        () => 0,
        (reason: unknown) => ConnectError.from(reason).code,
      );
      calls.push({ startMs, endMs: performance.now(), code });
      if (code !== 0) await delay(20);
    }
  };
  const working = Promise.all([work(), work()]);
  return {
    calls,
    async isServed() {
      const fromMs = performance.now();
      while (!calls.some(({ startMs, code }) => startMs >= fromMs && code === 0)) await delay(5);
    },
    async stop() {
      isStopped = true;
      await working;
    },
  };
}

function openNeighbour() {
  const transport = createTransport({ protocol: "grpc", baseUrl: proxy.url });
  const client = createClient(BulkService, transport);
  return { call: () => client.take({}, { timeoutMs: 2000 }), [Symbol.dispose]: () => transport.close() };
}

const codesOf = (calls: readonly EndedCall[]) => [...new Set(calls.map(({ code }) => code))].sort((a, b) => a - b);

test("an upstream that is killed under load costs the calls under way, and is used again when it is back", async () => {
  using other = openNeighbour();
  const clients = Object.values(ways).map((way) => openWay(proxy.url, way));
  const loads = clients.map(({ client }) => startLoad(() => client.unary({ text: "load", waitMs: 10 })));
  const neighbours = startLoad(other.call);
  await Promise.all(loads.map((load) => load.isServed()));
  await delay(200);

  const killedMs = performance.now();
  upstream.process.kill("SIGKILL");
  await upstream.exit;
  await delay(300);
  upstream = await startChild({ port: Number(new URL(upstream.url).port) });
  await Promise.all(loads.map((load) => load.isServed()));
  const backMs = performance.now();
  await delay(200);
  await Promise.all([...loads, neighbours].map((load) => load.stop()));
  for (const client of clients) client[Symbol.dispose]();

  for (const { calls } of loads) {
    const failed = calls.filter(({ code }) => code !== 0);
    expect(codesOf(failed)).toEqual([Code.Unavailable]);
    expect(failed.filter(({ startMs, endMs }) => endMs < killedMs || startMs > backMs)).toEqual([]);
  }
  expect(codesOf(neighbours.calls)).toEqual([0]);
}, 40_000);

test("an upstream that stands still leaves deadlines, cancellation and other upstreams alone", async () => {
  using other = openNeighbour();
  const clients = Object.entries(ways).map(([name, way]) => ({ name, way, through: openWay(proxy.url, way) }));
  const callAll = <Result>(call: (through: ReturnType<typeof openWay>, way: Way) => Promise<Result>) =>
    Promise.all(clients.map(async ({ name, way, through }) => [name, await call(through, way)]));
  const everywhere = <Result>(result: Result) => clients.map(({ name }) => [name, result]);
  const callWell = ({ client }: ReturnType<typeof openWay>) => client.unary({ text: "well" }).then(({ text }) => text);
  expect(await callAll(callWell)).toEqual(everywhere("well"));

  upstream.process.kill("SIGSTOP");
  onTestFinished(() => void upstream.process.kill("SIGCONT"));
  const neighbours = startLoad(other.call);
  const late = callAll(async ({ client }, way) => {
    const headers = deadlineHeader(way, 300);
    return (await failureOf(client.unary({ text: "late" }, { headers }))).code;
  });
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 300);
  const left = callAll(async ({ client }) => {
    return (await failureOf(client.unary({ text: "left" }, { signal: leaving.signal }))).code;
  });
  expect(await late).toEqual(everywhere(Code.DeadlineExceeded));
  expect(await left).toEqual(everywhere(Code.Canceled));
  await neighbours.stop();
  expect(codesOf(neighbours.calls)).toEqual([0]);
  expect(neighbours.calls.length).toBeGreaterThan(1);

  upstream.process.kill("SIGCONT");
  expect(await callAll(callWell)).toEqual(everywhere("well"));
  for (const { through } of clients) through[Symbol.dispose]();
}, 40_000);
