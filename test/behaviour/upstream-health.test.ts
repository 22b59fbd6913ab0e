// Health checks of services that are forwarded, and of the proxy itself.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import type { ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { failureOf } from "../support/outcome.js";
import { startServer, type TestServer, type TestServerOptions } from "../support/server.js";
import { startProxy } from "./proxy.js";

const service = TestService.typeName;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN, UNKNOWN } = Status;

/** An upstream, which ends with the test, and whose streams of statuses may be open then. */
async function startUpstream(options: TestServerOptions = {}): Promise<TestServer> {
  const upstream = await startServer({ mayCutCalls: true, drainTimeoutMs: 100, ...options });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

async function open(urls: readonly string[], options: Partial<ServerOptions> = {}) {
  const proxy = await startProxy(urls, options);
  const transport = createTransport({ protocol: "grpc", baseUrl: proxy.url });
  onTestFinished(() => transport.close());
  const client = createClient(Health, transport);
  const check = async (name: string) => (await client.check({ service: name }, { timeoutMs: 10_000 })).status;
  const ready = async () => (await fetch(`${proxy.url}/readyz`)).status;
  return { proxy, client, check, ready };
}

/** A running Watch: its statuses one at a time. */
function watch(client: Awaited<ReturnType<typeof open>>["client"], name: string) {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const statuses = client.watch({ service: name }, { signal: end.signal })[Symbol.asyncIterator]();
  return async () => (await statuses.next()).value?.status;
}

describe("a forwarded service", () => {
  test("has the status that its upstream gives it, which a Watch follows", async () => {
    const { server, url } = await startUpstream();
    const { client, check, ready } = await open([url]);
    const next = watch(client, service);
    expect(await next()).toBe(SERVING);
    for (const [status, expected] of [
      ["NOT_SERVING", NOT_SERVING],
      ["UNKNOWN", UNKNOWN],
      ["SERVING", SERVING],
    ] as const) {
      server.health.set(service, status);
      expect(await next()).toBe(expected);
      expect(await check(service)).toBe(expected);
    }
    server.health.set(service, "NOT_SERVING");
    await next();
    const { statuses } = await client.list({});
    expect([statuses[service]?.status, statuses[""]?.status]).toEqual([NOT_SERVING, SERVING]);
    expect([await check(""), await ready()]).toEqual([SERVING, 200]);
  });

  test("has the status of its upstream as a whole if the upstream gives it none", async () => {
    const overall = { status: NOT_SERVING };
    const { url } = await startUpstream({
      routes: (router) =>
        router.service(Health, {
          async *watch({ service: name }, { signal }) {
            yield name === "" ? overall : { status: SERVICE_UNKNOWN };
            await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          },
        }),
    });
    expect(await (await open([url])).check(service)).toBe(NOT_SERVING);
  });

  test("is SERVING if its upstream has no health service, or no status at all, while it can be reached", async () => {
    const without = await startUpstream({ routes: (router) => router.service(Health, {}) });
    const { check } = await open([without.url]);
    expect(await check(service)).toBe(SERVING);
    await without[Symbol.asyncDispose]();
    await expect.poll(() => check(service)).toBe(NOT_SERVING);
    const empty = await startUpstream({
      routes: (router) =>
        router.service(Health, {
          // biome-ignore lint/correctness/useYield: it fails as some servers do that know Check only
          async *watch() {
            throw new ConnectError("unknown service", Code.NotFound);
          },
        }),
    });
    expect(await (await open([empty.url])).check(service)).toBe(SERVING);
  });

  test("is NOT_SERVING while its upstream is away; the proxy itself is SERVING and ready", async () => {
    const first = await startUpstream();
    const other = await startUpstream({ implementation: {}, routes: (router) => router.service(Greeter, {}) });
    const { client, check, ready } = await open([first.url, other.url]);
    const next = watch(client, service);
    expect(await next()).toBe(SERVING);
    await first[Symbol.asyncDispose]();
    expect(await next()).toBe(NOT_SERVING);
    expect([await check(service), await check(Greeter.typeName)]).toEqual([NOT_SERVING, SERVING]);
    expect([await check(""), await ready()]).toEqual([SERVING, 200]);
    await startUpstream({ port: first.port });
    expect(await next()).toBe(SERVING);
  });

  test("has the status that the application sets, if it sets one", async () => {
    const { server, url } = await startUpstream();
    const { proxy, check } = await open([url]);
    proxy.health.set(service, "NOT_SERVING");
    expect(await check(service)).toBe(NOT_SERVING);
    expect(proxy.health.get(service)).toBe("NOT_SERVING");
    server.health.set(service, "SERVING");
    expect(await check(service)).toBe(NOT_SERVING);
  });

  test("is NOT_SERVING once the proxy shuts down", async () => {
    const { url } = await startUpstream();
    const { proxy, client } = await open([url], { drainDelayMs: 100 });
    const next = watch(client, service);
    expect(await next()).toBe(SERVING);
    void proxy.close();
    expect(await next()).toBe(NOT_SERVING);
  });
});

test("a service of the server's own has the status that the application sets", async () => {
  const { server, url } = await startUpstream();
  const { proxy, check } = await open([url], {
    routes: (router) => router.rpc(TestService.method.unary, () => ({ text: "ours" })),
  });
  server.health.set(service, "NOT_SERVING");
  expect(await check(service)).toBe(SERVING);
  proxy.health.set(service, "NOT_SERVING");
  server.health.set(service, "SERVING");
  expect(await check(service)).toBe(NOT_SERVING);
});

test("a service that no upstream has is unknown", async () => {
  const { url } = await startUpstream();
  const { client, proxy } = await open([url]);
  expect((await failureOf(client.check({ service: "acme.Nothing" }))).code).toBe(Code.NotFound);
  expect(await watch(client, "acme.Nothing")()).toBe(SERVICE_UNKNOWN);
  expect(proxy.health.get("acme.Nothing")).toBeUndefined();
});

test("the application's own overall status stays when a schema arrives", async () => {
  const { url } = await startUpstream();
  const { proxy, check, ready } = await open([url]);
  proxy.health.set("", "NOT_SERVING");
  expect([await check(""), await ready()]).toEqual([NOT_SERVING, 503]);
});
