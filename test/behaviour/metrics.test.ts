// Metrics of calls over every protocol, own and forwarded, and of connections and upstreams.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Code, type ConnectError } from "@connectrpc/connect";
import { Counter, Registry } from "prom-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { createServer, type Server, type ServerOptions } from "../../server/index.js";
import { createMetrics, type Metrics, type MetricsOptions, renderMetrics } from "../../server/operate/metrics/index.js";
import type { UpstreamOptions } from "../../server/upstream/options.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { startServer, type TestServer } from "../support/server.js";
import { openWay, testRules, type Way, ways } from "../support/ways.js";

const service = TestService.typeName;

/** Metrics without those of the process. */
const quiet = (options: MetricsOptions = {}): Metrics => createMetrics({ processMetrics: false, ...options });

/** Samples by name and labels, in the order of their text: `a_total{b="c"}` → 1. */
async function samplesOf(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const { text } = await metrics.render();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

/** The samples that are not 0, without durations. */
async function countsOf(metrics: Metrics): Promise<Record<string, number>> {
  const samples = [...(await samplesOf(metrics))];
  return Object.fromEntries(
    samples.filter(([name, value]) => value !== 0 && name.startsWith("grpc_") && !/_(?:sum|bucket)[{]/.test(name)),
  );
}

function labelsOf(type: string, method: string, { protocol = "connect" }: Way): string {
  return `grpc_type="${type}",grpc_service="${service}",grpc_method="${method}",protocol="${protocol}"`;
}

/** Own calls, in both lanes, and forwarded ones, as bytes and as messages. */
const setups: Record<string, (metrics: Metrics) => Promise<string>> = {
  "own calls": async (metrics) => (await startWatched(metrics)).url,
  "own calls in Connect's handlers": async (metrics) => (await startWatched(metrics, { fastLane: false })).url,
  "forwarded calls": async (metrics) => forward(metrics),
  "forwarded calls with an interceptor": async (metrics) =>
    forward(metrics, {}, { interceptors: [(next) => (request) => next(request)] }),
};

async function startWatched(metrics: Metrics, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = await startServer({ httpRules: testRules, onCall: metrics.observer, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  metrics.watch(server.server);
  return server;
}

async function forward(
  metrics: Metrics,
  upstream: Partial<UpstreamOptions> = {},
  options: Partial<ServerOptions> = {},
): Promise<string> {
  const own = await startServer();
  const proxy = await startProxy(metrics, { url: own.url, ...upstream }, options);
  // The proxy first: it has calls to the other server.
  onTestFinished(async () => {
    await proxy.close();
    await own[Symbol.asyncDispose]();
  });
  return proxy.url;
}

async function startProxy(
  metrics: Metrics,
  upstream: UpstreamOptions,
  options: Partial<ServerOptions> = {},
): Promise<Server> {
  const server = createServer({
    port: 0,
    routes: () => {},
    upstreams: [upstream],
    httpRules: testRules,
    onCall: metrics.observer,
    ...options,
  });
  await metrics.watch(server).listen();
  while (!server.health.isServing()) await delay(5);
  return server;
}

async function drain(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of replies);
}

const cases = Object.keys(setups).flatMap((setup) =>
  Object.entries(ways).map(([way, options]) => [setup, way, options] as const),
);

describe.each(cases)("%s over %s", (setup, _, way) => {
  test("are counted by method, code and protocol, with their messages", async () => {
    const metrics = quiet();
    const url = (await setups[setup]?.(metrics)) ?? "";
    using open = openWay(url, way);
    const { client } = open;
    await client.unary({ text: "a" });
    await client.unary({ text: "b" });
    await client.unary({ failure: { code: Code.NotFound } }).catch((error: ConnectError) => error);
    await drain(client.serverStream({ count: 3 }));
    const all = (type: string, method: string, values: Record<string, number>) => {
      const labels = labelsOf(type, method, way);
      return Object.entries(values).map(([name, value]) => [
        name.includes("=") ? `grpc_server_handled_total{${labels},grpc_${name}}` : `grpc_server_${name}{${labels}}`,
        value,
      ]);
    };
    await expect
      .poll(() => countsOf(metrics))
      .toEqual(
        Object.fromEntries([
          ...all("unary", "Unary", {
            started_total: 3,
            'code="OK"': 2,
            'code="NotFound"': 1,
            msg_received_total: 3,
            msg_sent_total: 2,
            handling_seconds_count: 3,
          }),
          ...all("server_stream", "ServerStream", {
            started_total: 1,
            'code="OK"': 1,
            msg_received_total: 1,
            msg_sent_total: 3,
            handling_seconds_count: 1,
          }),
        ]),
      );
  });
});

describe("metrics", () => {
  test("start with 0 for every method, protocol and code", async () => {
    const metrics = quiet();
    await startWatched(metrics, { httpRules: { rules: testRules.rules.slice(0, 1) } });
    const samples = await samplesOf(metrics);
    const handled = [...samples].filter(([name]) => name.startsWith("grpc_server_handled_total"));
    expect(handled.every(([, value]) => value === 0)).toBe(true);
    const of = (method: string) =>
      handled.filter(([name]) => name.includes(`grpc_service="${service}",grpc_method="${method}"`));
    // 17 codes in three protocols, and in REST where the method has a route.
    expect([of("Unary").length, of("BidiStream").length]).toEqual([17 * 4, 17 * 3]);
    expect(
      samples.get(`grpc_server_started_total{${labelsOf("bidi_stream", "BidiStream", { protocol: "grpc" })}}`),
    ).toBe(0);
    expect(samples.get('manywire_refused_total{reason="malformed_request"}')).toBe(0);
    expect(samples.get('manywire_connections{http_version="opening"}')).toBe(0);
  });

  test("start with the first call where there are more methods than the limit", async () => {
    const metrics = quiet({ maxZeroMethods: 5 });
    const { url } = await startWatched(metrics);
    expect([...(await samplesOf(metrics)).keys()].filter((name) => name.startsWith("grpc_"))).toEqual([]);
    using open = openWay(url, { protocol: "grpc" });
    await open.client.unary({});
    const names = [...(await samplesOf(metrics)).keys()].filter((name) => name.startsWith("grpc_server_started"));
    expect(names).toEqual([`grpc_server_started_total{${labelsOf("unary", "Unary", { protocol: "grpc" })}}`]);
  });

  test("have the calls in flight", async () => {
    const metrics = quiet();
    const { url } = await startWatched(metrics);
    using open = openWay(url, { protocol: "grpc" });
    const stop = new AbortController();
    const call = open.client.unary({ text: "long", waitMs: 60_000 }, { signal: stop.signal }).catch(() => {});
    const inFlight = async () => (await samplesOf(metrics)).get('manywire_calls_in_flight{protocol="grpc"}');
    await expect.poll(inFlight).toBe(1);
    stop.abort();
    await call;
    await expect.poll(inFlight).toBe(0);
    const labels = labelsOf("unary", "Unary", { protocol: "grpc" });
    expect((await samplesOf(metrics)).get(`grpc_server_handled_total{${labels},grpc_code="Canceled"}`)).toBe(1);
  });

  test("have durations in cumulative buckets", async () => {
    const metrics = quiet({ bucketsSeconds: [0.05, 60] });
    const { url } = await startWatched(metrics);
    using open = openWay(url, { protocol: "grpc" });
    await open.client.unary({});
    await open.client.unary({ text: "slow", waitMs: 100 });
    const samples = await samplesOf(metrics);
    const labels = labelsOf("unary", "Unary", { protocol: "grpc" });
    const bucket = (le: string) => samples.get(`grpc_server_handling_seconds_bucket{${labels},le="${le}"}`);
    expect([bucket("0.05"), bucket("60"), bucket("+Inf")]).toEqual([1, 2, 2]);
    expect(samples.get(`grpc_server_handling_seconds_sum{${labels}}`)).toBeGreaterThanOrEqual(0.1);
  });

  test.each([[[]], [[0.1, 0.1]], [[0]], [[Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])(
    "reject the buckets %j",
    (bucketsSeconds) => {
      expect(() => createMetrics({ bucketsSeconds })).toThrow(/^bucketsSeconds: expected positive numbers, ascending/);
    },
  );

  test("have connections, bytes, refusals and resets", async () => {
    const metrics = quiet();
    const { url } = await startWatched(metrics);
    using open = openWay(url, { protocol: "grpc" });
    await open.client.unary({});
    await request(url, { method: "GET", path: "/", headers: { host: "a b" } });
    const samples = await samplesOf(metrics);
    expect(samples.get('manywire_connections{http_version="2"}')).toBe(1);
    expect(samples.get("manywire_connections_accepted_total")).toBe(2);
    expect(samples.get('manywire_refused_total{reason="malformed_request"}')).toBe(1);
    expect(samples.get('manywire_stream_resets_total{by="client"}')).toBe(0);
    expect(samples.get("manywire_received_bytes_total")).toBeGreaterThan(100);
    expect(samples.get("manywire_sent_bytes_total")).toBeGreaterThan(100);
  });

  test("have the connections, codes, durations and retries of upstreams", async () => {
    const metrics = quiet();
    const own = await startServer();
    const proxy = await startProxy(metrics, { url: own.url });
    using open = openWay(proxy.url, { protocol: "connect" });
    await open.client.unary({});
    await open.client.unary({ failure: { code: Code.Aborted } }).catch(() => {});
    const upstream = `upstream="${own.url}"`;
    await expect
      .poll(async () => Object.fromEntries([...(await samplesOf(metrics))].filter(([name]) => name.includes(upstream))))
      .toMatchObject({
        [`manywire_upstream_connections{${upstream}}`]: 1,
        [`manywire_upstream_addresses{${upstream},state="ready"}`]: 1,
        [`manywire_upstream_calls_waiting{${upstream}}`]: 0,
        [`manywire_upstream_retries_total{${upstream}}`]: 0,
        [`manywire_upstream_handled_total{${upstream},grpc_code="OK"}`]: 1,
        [`manywire_upstream_handled_total{${upstream},grpc_code="Aborted"}`]: 1,
        [`manywire_upstream_handling_seconds_count{${upstream}}`]: 2,
      });
    await proxy.close();
    await own[Symbol.asyncDispose]();
  });

  test("name methods that are passed on without a schema `unknown`, whatever callers call", async () => {
    const metrics = quiet();
    await using own = await startServer();
    const proxy = await startProxy(metrics, { url: own.url, passUnknownMethods: true });
    for (const method of ["A", "B", "C"]) {
      const headers = { "content-type": "application/grpc", te: "trailers" };
      await request(proxy.url, { path: `/some.Service/${method}`, headers, body: "", httpVersion: "2" });
    }
    const names = [...(await samplesOf(metrics)).entries()].filter(([, value]) => value > 0).map(([name]) => name);
    const unknown = names.filter((name) => name.includes("unknown"));
    expect(unknown.some((name) => name.startsWith("grpc_server_started_total{"))).toBe(true);
    expect(names.filter((name) => name.includes("some.Service"))).toEqual([]);
    expect((await samplesOf(metrics)).get(unknown.find((name) => name.includes("started")) ?? "")).toBe(3);
    await proxy.close();
  });

  test("keep the counts of methods over a reload", async () => {
    const metrics = quiet();
    const own = await startServer();
    const proxy = await startProxy(metrics, { url: own.url });
    using open = openWay(proxy.url, { protocol: "grpc" });
    await open.client.unary({});
    await proxy.reload({ upstreams: [{ url: own.url, maxConnections: 2 }] });
    await open.client.unary({});
    const started = `grpc_server_started_total{${labelsOf("unary", "Unary", { protocol: "grpc" })}}`;
    expect((await samplesOf(metrics)).get(started)).toBe(2);
    await proxy.close();
    await own[Symbol.asyncDispose]();
  });

  test("of several servers, and of upstreams with one URL, are added up", async () => {
    const metrics = quiet();
    const [first, second] = [await startWatched(metrics), await startWatched(metrics)];
    for (const { url } of [first, second]) {
      using open = openWay(url, { protocol: "grpc" });
      await open.client.unary({});
    }
    const samples = await samplesOf(metrics);
    expect(samples.get("manywire_connections_accepted_total")).toBe(2);
    expect(samples.get(`grpc_server_started_total{${labelsOf("unary", "Unary", { protocol: "grpc" })}}`)).toBe(2);
    const lines = (await metrics.render()).text.split("\n").map((line) => line.slice(0, line.lastIndexOf(" ")));
    const series = lines.filter((line) => line !== "" && !line.startsWith("#"));
    expect(new Set(series).size).toBe(series.length);
  });
});

describe("the text of metrics", () => {
  test("has the metrics of docs/observability.md, and no others", async () => {
    const page = readFileSync(new URL("../../docs/observability.md", import.meta.url), "utf8");
    const { text } = await quiet().render();
    const served = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    const rows = page.split("\n").filter((line) => /^\| `(?:grpc|manywire)_/.test(line));
    const written = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(served.sort()).toEqual(written.sort());
  });

  test("is served at /metrics of the same port, to GET and HEAD", async () => {
    const metrics = quiet();
    const { url } = await startWatched(metrics, { fallback: metrics.fallback });
    const response = await request(url, { method: "GET", path: "/metrics" });
    expect([response.status, response.headers["content-type"], response.headers["cache-control"]]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
      "no-store",
    ]);
    expect(response.text).toContain('manywire_connections{http_version="1.1"} 1\n');
    expect((await request(url, { method: "HEAD", path: "/metrics" })).status).toBe(200);
    const refused = await request(url, { method: "POST", path: "/metrics", body: "" });
    expect([refused.status, refused.headers.allow]).toEqual([405, "GET, HEAD"]);
    expect((await request(url, { method: "GET", path: "/other" })).status).toBe(404);
  });

  test("is OpenMetrics for those that accept it", async () => {
    const metrics = quiet();
    const { url } = await startWatched(metrics, { fallback: metrics.fallback });
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const get = (headers: Record<string, string>) => request(url, { method: "GET", path: "/metrics", headers });
    const response = await get({ accept });
    expect(response.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(response.text).toContain("# TYPE manywire_connections_accepted counter\n");
    expect(response.text).toContain("\nmanywire_connections_accepted_total 1\n");
    expect(response.text.endsWith("# EOF\n")).toBe(true);
    // The other form is as before.
    expect((await get({})).text).toContain("# TYPE manywire_connections_accepted_total counter\n");
  });

  test("goes with other metrics of a registry, and needs no process metrics there", async () => {
    const registry = new Registry();
    new Counter({ name: "orders_total", help: "Orders.", registers: [registry] }).inc(3);
    const metrics = createMetrics({ registry });
    const { text } = await metrics.render();
    expect(text).toContain("orders_total 3\n");
    expect(text).not.toContain("process_cpu");
    expect(await registry.metrics()).toContain("manywire_connections_accepted_total 0\n");
    expect(() => createMetrics({ registry })).toThrow(/grpc_server_started_total has already been registered/);
  });

  test("has the metrics of the process by default", async () => {
    const { text } = await createMetrics().render();
    for (const name of [
      "process_cpu_seconds_total",
      "nodejs_eventloop_lag_p99_seconds",
      "nodejs_heap_size_used_bytes",
    ]) {
      expect(text).toContain(`\n${name} `);
    }
  });

  test("of several processes has sums", async () => {
    const [first, second] = [quiet(), quiet()];
    const servers = [await startWatched(first), await startWatched(second)];
    for (const { url } of servers) {
      using open = openWay(url, { protocol: "grpc" });
      await open.client.unary({});
    }
    // As a worker sends it to its primary.
    const snapshots = await Promise.all([first, second].map(async (one) => structuredClone(await one.snapshot())));
    const { text } = await renderMetrics(snapshots);
    const labels = labelsOf("unary", "Unary", { protocol: "grpc" });
    expect(text).toContain(`grpc_server_started_total{${labels}} 2\n`);
    expect(text).toContain(`grpc_server_handling_seconds_count{${labels}} 2\n`);
    expect(text).toContain("manywire_connections_accepted_total 2\n");
    expect((await renderMetrics([])).text.trim()).toBe("");
  });
});
