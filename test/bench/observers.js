// Measures what observers of calls cost: CPU time of a server per unary call of gRPC, with metrics, with tracing and without, in turns.
//
//   npm run build && node test/bench/observers.js [rounds] [seconds]
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createClient } from "@connectrpc/connect";
import { context, propagation } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { importFrom, root } from "./schema.js";
import { spread } from "./statistics.js";

/** @typedef {import("@opentelemetry/sdk-trace-base").Sampler} Sampler */

const dist = join(root, "dist");
const atOnce = 64;

/** Name → options of `createServer`. @type {Record<string, () => Promise<object>>} */
const modes = {
  off: async () => ({}),
  "an empty observer": async () => ({ onCall: { start() {}, end() {} } }),
  metrics: async () => {
    const { createMetrics } = await importFrom(dist, "server/operate/metrics/index.js");
    const metrics = createMetrics();
    return { onCall: metrics.observer, fallback: metrics.fallback };
  },
  "tracing without an SDK": async () => ({ onCall: await createTracing() }),
  "tracing, 1 in 100 sampled": async () => ({ onCall: await createTracing(new TraceIdRatioBasedSampler(0.01)) }),
  "tracing, every call": async () => ({ onCall: await createTracing(new AlwaysOnSampler()) }),
};

/** With a sampler, an SDK is registered whose spans are thrown away in batches. @param {Sampler} [sampler] */
async function createTracing(sampler) {
  const { createTracing } = await importFrom(dist, "server/operate/tracing/index.js");
  if (sampler === undefined) return createTracing();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  /** @type {import("@opentelemetry/sdk-trace-base").SpanExporter} */
  const exporter = { export: (_, done) => done({ code: 0 }), shutdown: async () => {} };
  const spanProcessors = [new BatchSpanProcessor(exporter)];
  return createTracing({ tracerProvider: new BasicTracerProvider({ sampler, spanProcessors }) });
}

/** The server, in a process of its own. @param {string} mode */
async function serve(mode) {
  const { createServer } = await importFrom(dist, "server/index.js");
  const { Greeter } = await importFrom(dist, "gen/hello_world_pb.js");
  const server = createServer({
    port: 0,
    routes: (/** @type {any} */ router) =>
      router.service(Greeter, { sayHello: (/** @type {any} */ { name }) => ({ message: `Hello, ${name}!` }) }),
    ...(await modes[mode]?.()),
  });
  await server.listen();
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.on("disconnect", () => process.exit());
  process.send?.(server.url);
}

/** @param {string} mode */
async function start(mode) {
  const child = fork(import.meta.filename, ["serve", mode]);
  const [url] = await once(child, "message");
  const { createTransport } = await importFrom(dist, "client/index.js");
  const { Greeter } = await importFrom(dist, "gen/hello_world_pb.js");
  /** @type {any} */
  const client = createClient(Greeter, createTransport({ protocol: "grpc", baseUrl: url }));
  const usedUs = async () => {
    child.send("usage");
    const [{ user, system }] = await once(child, "message");
    return user + system;
  };
  /** @param {number} seconds @returns {Promise<number>} CPU time of the server per call in µs */
  const measure = async (seconds) => {
    const before = await usedUs();
    const endMs = performance.now() + seconds * 1000;
    let calls = 0;
    const call = async () => {
      while (performance.now() < endMs) {
        await client.sayHello({ name: "you" });
        calls++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, call));
    return ((await usedUs()) - before) / calls;
  };
  return { mode, measure, child };
}

async function compare(rounds = 20, seconds = 1) {
  const servers = await Promise.all(Object.keys(modes).map(start));
  for (const { measure } of servers) await measure(3);
  /** @type {Map<string, number[]>} */
  const found = new Map(servers.map(({ mode }) => [mode, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { mode, measure } of round % 2 === 0 ? servers : servers.toReversed()) {
      found.get(mode)?.push(await measure(seconds));
    }
  }
  const off = found.get("off") ?? [];
  for (const [mode, values] of found) {
    const more = spread(values.map((value, round) => value - (off[round] ?? Number.NaN))).median;
    const { median, min, max } = spread(values);
    const numbers = [median, min, max, more].map((value) => value.toFixed(2));
    process.stdout.write(`${mode}: µs per call ${numbers[0]} (${numbers[1]} to ${numbers[2]}), ${numbers[3]} more\n`);
  }
  for (const { child } of servers) child.disconnect();
}

if (process.argv[2] === "serve") await serve(process.argv[3] ?? "off");
else await compare(...process.argv.slice(2).map(Number));
