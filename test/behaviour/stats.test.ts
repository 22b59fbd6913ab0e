// What `server.stats()` returns, of own and of forwarded calls.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createServer } from "../../server/index.js";
import type { UpstreamOptions } from "../../server/upstream/options.js";
import { startServer } from "../support/server.js";
import { openWay, testRules } from "../support/ways.js";

const grpc = { protocol: "grpc" } as const;

/** Resolves when the server forwards. */
async function startProxy(upstream: UpstreamOptions) {
  const server = createServer({ port: 0, routes: () => {}, upstreams: [upstream] });
  await server.listen();
  while (!server.health.isServing()) await delay(5);
  return server;
}

describe("server.stats()", () => {
  test("is JSON, and starts with zeros", () => {
    const server = createServer({ routes: () => {}, upstreams: [{ url: "localhost:1" }] });
    const stats = server.stats();
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    const { refused, ...others } = stats;
    expect(Object.values(refused).every((count) => count === 0)).toBe(true);
    expect(others).toEqual({
      connections: { opening: 0, http1: 0, http2: 0 },
      accepted: 0,
      resets: { client: 0, server: 0 },
      bytes: { received: 0, sent: 0 },
      activeCalls: 0,
      upstreams: [
        {
          url: "localhost:1",
          addresses: { idle: 0, connecting: 0, ready: 0, failing: 0 },
          connections: 0,
          activeCalls: 0,
          waitingCalls: 0,
          retries: 0,
        },
      ],
    });
  });

  test("has the calls under way, and the connections that they are on: own and forwarded", async () => {
    await using own = await startServer();
    const proxy = await startProxy({ url: own.url });
    using way = openWay(proxy.url, grpc);
    const stop = new AbortController();
    const call = way.client.unary({ text: "long", waitMs: 60_000 }, { signal: stop.signal });
    call.catch(() => {});
    await expect.poll(() => own.server.stats().activeCalls).toBe(1);
    const stats = proxy.stats();
    expect(stats.activeCalls).toBe(1);
    expect(stats.connections).toEqual({ opening: 0, http1: 0, http2: 1 });
    expect(stats.bytes.received).toBeGreaterThan(0);
    // The other call on its connection is the watch of its health.
    const { activeCalls, ...upstream } = stats.upstreams[0] ?? expect.fail("an upstream");
    expect(activeCalls).toBeGreaterThanOrEqual(1);
    expect(upstream).toEqual({
      url: own.url,
      addresses: { idle: 0, connecting: 0, ready: 1, failing: 0 },
      connections: 1,
      waitingCalls: 0,
      retries: 0,
    });
    stop.abort();
    await expect.poll(() => proxy.stats()).toMatchObject({ activeCalls: 0, resets: { client: 1, server: 0 } });
    await proxy.close();
  });

  test("counts the attempts after the first of calls to an upstream", async () => {
    let calls = 0;
    await using own = await startServer({
      implementation: {
        unary() {
          if (++calls < 3) throw new ConnectError("not now", Code.Unavailable);
          return { text: "now" };
        },
      },
    });
    const retryPolicy = {
      maxAttempts: 4,
      initialBackoff: "0.001s",
      maxBackoff: "0.001s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const proxy = await startProxy({ url: own.url, serviceConfig: { methodConfig: [{ name: [{}], retryPolicy }] } });
    using way = openWay(proxy.url, grpc);
    expect((await way.client.unary({})).text).toBe("now");
    expect(proxy.stats().upstreams[0]?.retries).toBe(2);
    await proxy.close();
  });

  test("goes with the methods that are served, of which calls are reported", async () => {
    await using own = await startServer({ httpRules: testRules });
    const { methods } = own.server;
    const protocolsOf = new Map(methods.map(({ method, protocols }) => [method.path, [...protocols].sort()]));
    expect(protocolsOf.get("/manywire.test.v1.TestService/Unary")).toEqual(["connect", "grpc", "grpc-web", "rest"]);
    expect(protocolsOf.get("/grpc.health.v1.Health/Check")).toEqual(["connect", "grpc", "grpc-web"]);
    using way = openWay(own.url, grpc);
    await way.client.unary({});
    const [finished] = own.finished;
    expect(methods.map(({ method }) => method)).toContain(finished?.method);
  });
});
