// `--metrics` and `--metrics-port`: what the command serves to Prometheus.
import { respond } from "../http/exchange.js";
import { ListenError } from "../listen/bind.js";
import { createListener } from "../listen/listener.js";
import { loadPackage } from "../load-package.js";
import { createFallback, type Fallback } from "../mount/fallback.js";
import type { Metrics, MetricsSnapshot } from "../operate/metrics/index.js";
import type { ServerOptions } from "../options.js";
import { SettingError } from "../program/setting-error.js";
import { isWithin } from "../within.js";
import type { Config } from "./config.js";

/** Returns the metrics of all processes that serve the port, by those of this one. */
export type GatherMetrics = (own: Metrics) => Promise<readonly MetricsSnapshot[]>;

const gatherOwn: GatherMetrics = async (own) => [await own.snapshot()];

/** Makes the metrics that the settings ask for; undefined if they ask for none. @throws SettingError */
export async function openMetrics(config: Config): Promise<Metrics | undefined> {
  return (await checkMetrics(config))?.createMetrics();
}

/** Loads what makes the metrics that the settings ask for; undefined if they ask for none. @throws SettingError */
export async function checkMetrics(config: Config): Promise<typeof import("../operate/metrics/index.js") | undefined> {
  const { isServed, port } = config.metrics;
  if (port === undefined && config.given.has("--metrics-host")) {
    throw new SettingError(`${config.nameOf("--metrics-host")}: expected --metrics-port to go with it`, 2);
  }
  if (!isServed && port === undefined) return undefined;
  return await loadMetrics(config);
}

/** Loaded only here: most servers have no metrics. */
async function loadMetrics({ metrics, nameOf }: Config) {
  const name = nameOf(metrics.isServed ? "--metrics" : "--metrics-port");
  try {
    return await loadPackage(name, "prom-client", () => import("../operate/metrics/index.js"));
  } catch (error) {
    throw new SettingError(error instanceof Error ? error.message : String(error), 1);
  }
}

/** Adds what counts calls, and with `--metrics` the path. Paths of the service itself come after it. */
export async function withMetrics(
  options: ServerOptions,
  config: Config,
  metrics: Metrics | undefined,
  gather: GatherMetrics = gatherOwn,
): Promise<ServerOptions> {
  if (metrics === undefined) return options;
  const { onCall, fallback } = options;
  const observed = { ...options, onCall: [metrics.observer, onCall ?? []].flat() };
  if (!config.metrics.isServed) return observed;
  const { serveMetrics } = await loadMetrics(config);
  const serve = serveMetrics(() => gather(metrics));
  return { ...observed, fallback: async (request) => (await serve(request)) ?? (await fallback?.(request)) };
}

/** What serves metrics on a port of their own. */
export interface MetricsPort {
  readonly url: string;
  close(): Promise<void>;
}

/** Milliseconds for a scrape to end. */
const closeMs = 1000;

/**
 * Listens on the port that the settings have for metrics; undefined if they have none. It lives on while the server drains.
 *
 * @param read returns the metrics of all processes
 * @throws SettingError
 */
export async function listenForMetrics(
  config: Config,
  read: () => Promise<readonly MetricsSnapshot[]>,
): Promise<MetricsPort | undefined> {
  const { host, port } = config.metrics;
  if (port === undefined) return undefined;
  const { serveMetrics } = await loadMetrics(config);
  const listener = createListener({ address: { host, port }, handler: toHandler(serveMetrics(read)) });
  try {
    await listener.listen();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const flag = ["EADDRINUSE", "EACCES"].includes(error.code) ? "--metrics-port" : "--metrics-host";
    throw new SettingError(`${config.nameOf(flag)}: ${error.message}`, 1);
  }
  return {
    url: listener.url,
    async close() {
      listener.stop();
      if (!(await isWithin(listener.closed, closeMs))) listener.destroy();
    },
  };
}

/** Scrapers send no bodies. */
function toHandler(fallback: Fallback): ReturnType<typeof createFallback> {
  return createFallback(fallback, 0, (exchange) => {
    respond(exchange, 404, { "content-type": "text/plain; charset=utf-8" }, "not found: see /metrics\n");
  });
}
