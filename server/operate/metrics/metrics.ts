// Metrics for Prometheus, by prom-client: of calls, connections and upstreams. They stand on an observer of calls and on
// `server.stats()`.
import { collectDefaultMetrics, Registry } from "prom-client";
import type { CallObserver } from "../../call/observer.js";
import type { Fallback } from "../../mount/fallback.js";
import type { Server } from "../../server.js";
import { CallCounter } from "./call-counts.js";
import { createFamilies, type Source } from "./families.js";
import { type MetricsSnapshot, type MetricsText, readSnapshot, renderMetrics, toRegistryMetric } from "./render.js";
import { serveMetrics } from "./serve.js";

export interface MetricsOptions {
  /** A registry of yours, which gets the metrics of manywire besides those that it has. Default: a new one. */
  readonly registry?: Registry | undefined;
  /**
   * Whether to add prom-client's metrics of the process: CPU time, memory, garbage collection, event loop lag. Default: true
   * for a new registry, false for yours.
   */
  readonly processMetrics?: boolean | undefined;
  /** Upper bounds of the buckets of call durations, in seconds, ascending. Default: from 0.0005 to 10. */
  readonly bucketsSeconds?: readonly number[] | undefined;
  /** Path that `fallback` serves. Default `/metrics`. */
  readonly path?: string | undefined;
  /**
   * Maximum number of methods whose series begin with 0 before their first call, so that `rate` and `increase` see it. A
   * method has about 140 of them, for all codes and protocols. With more methods, series begin with their first call. Default
   * 100.
   */
  readonly maxZeroMethods?: number | undefined;
}

/** Metrics of one server, or of several in one process. */
export interface Metrics {
  /** Counts calls: `createServer({ onCall: metrics.observer })`. */
  readonly observer: CallObserver;
  /** Serves the text at `/metrics`, to GET and HEAD: `createServer({ fallback: metrics.fallback })`. */
  readonly fallback: Fallback;
  readonly registry: Registry;
  /** Reads connections, refusals, upstreams and known methods of the server, too, from now on. Returns the server. */
  watch<Watched extends WatchedServer>(server: Watched): Watched;
  /** Returns all metrics of the registry as plain data: `renderMetrics` makes text of one or several. */
  snapshot(): Promise<MetricsSnapshot>;
  /** Returns the text. @param accept the request header of that name */
  render(accept?: string): Promise<MetricsText>;
}

/** What metrics read of a server. */
export type WatchedServer = Pick<Server, "stats" | "methods">;

const bucketsDefault: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/**
 * Makes metrics.
 *
 * @throws RangeError that names the option
 * @throws Error if the registry has a metric of the same name
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { registry = new Registry(), processMetrics = options.registry === undefined, path = "/metrics" } = options;
  const { bucketsSeconds = bucketsDefault, maxZeroMethods = 100 } = options;
  checkBuckets(bucketsSeconds);
  const counter = new CallCounter(bucketsSeconds);
  const servers: WatchedServer[] = [];
  const read = onceATurn(() => readSource(counter, servers, maxZeroMethods));
  for (const { name, help, type, collect } of createFamilies(bucketsSeconds)) {
    const collected = () => ({ help, type, aggregator: "sum", values: collect(read()) });
    registry.registerMetric(toRegistryMetric({ name, type }, collected));
  }
  if (processMetrics) addProcessMetrics(registry);
  const snapshot = () => readSnapshot(registry);
  return {
    observer: { start: (call) => counter.start(call), end: (call) => counter.end(call) },
    fallback: serveMetrics(async () => [await snapshot()], path),
    registry,
    watch(server) {
      servers.push(server);
      return server;
    },
    snapshot,
    render: async (accept) => renderMetrics([await snapshot()], accept),
  };
}

function checkBuckets(bounds: readonly number[]): void {
  const isAscending = bounds.every((bound, index) => bound > (bounds[index - 1] ?? 0) && Number.isFinite(bound));
  if (bounds.length > 0 && isAscending) return;
  throw new RangeError(`bucketsSeconds: expected positive numbers, ascending, found ${JSON.stringify(bounds)}`);
}

function readSource(counter: CallCounter, servers: readonly WatchedServer[], maxZeroMethods: number): Source {
  const served = servers.flatMap(({ methods }) => methods);
  if (served.length <= maxZeroMethods) {
    for (const { method, protocols } of served) {
      for (const protocol of protocols) counter.countsOf(method, protocol);
    }
  }
  return { methods: [...counter.methods], servers: servers.map((server) => server.stats()) };
}

/** A registry collects all of its metrics in one turn of the event loop, so that they agree with each other. */
function onceATurn<Value extends object>(read: () => Value): () => Value {
  let known: Value | undefined;
  return () => {
    if (known === undefined) {
      known = read();
      queueMicrotask(() => {
        known = undefined;
      });
    }
    return known;
  };
}

/** Gauges whose names end as those of counters, which Prometheus' linter rejects. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
