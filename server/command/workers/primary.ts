// The primary process of several workers: one log, one banner, one drain. It serves nothing itself.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { ListenAddress } from "../../listen/bind.js";
import type { BufferedSink } from "../../operate/log.js";
import type { Config } from "../config.js";
import { followProcess } from "../lifecycle.js";
import { checkMetrics, listenForMetrics } from "../metrics.js";
import { ConfigWatch } from "../reload.js";
import { openLogger } from "../serve.js";
import { explainStartError } from "../start-error.js";
import { openControl } from "../status/control.js";
import { SharedPorts } from "./shared-port.js";
import { WorkerMetrics } from "./worker-metrics.js";
import { forkWorker } from "./worker-process.js";
import { Workers } from "./workers.js";

/** What workers read when they start. */
export interface WorkerSources {
  readonly config: Config;
  /** Reads the settings again; undefined if workers would find all as it was. */
  readonly load: (() => Config | Promise<Config>) | undefined;
}

/** Resolves when all workers listen. @throws what a worker says that cannot start */
export async function serveWithWorkers({ config, load }: WorkerSources, openLog: () => BufferedSink): Promise<void> {
  const log = openLog();
  const logger = await openLogger(config, process.stderr, log);
  const stderr = { isTTY: process.stderr.isTTY === true, hasColors: process.stderr.hasColors?.() ?? false };
  const ports = new SharedPorts();
  const metrics = new WorkerMetrics();
  const open = (address: ListenAddress) =>
    ports.open(address).catch((error) => {
      throw explainStartError(error, config, { module: undefined });
    });
  const workers = new Workers({
    fork: (role) => forkWorker(role, { write: (lines) => log.write(lines), open, metrics }),
    ports,
    logger,
    stderr,
    now: () => performance.now(),
    delay: (ms, signal) => delay(ms, undefined, { signal }),
  });
  process.on("exit", () => workers.kill());
  const reload = load && createReload(load, config, workers, logger);
  // Says what is wrong before workers start.
  await checkMetrics(config);
  const metricsPort = await listenForMetrics(config, () => metrics.read());
  const closeMetrics = async () => metricsPort?.close();
  try {
    const control = await openControl(config, () => workers.read());
    const closeAll = () => Promise.all([control.close(), closeMetrics()]);
    const server = { close: () => workers.close().finally(closeAll) };
    followProcess(process, { server, logger, log, reload, now: () => performance.now() });
    if (metricsPort !== undefined) logger.info({ url: `${metricsPort.url}/metrics` }, "serving metrics");
    const { url, banner } = await control.during(() => workers.start(config.workers));
    logger.info({ url, workers: config.workers }, "listening");
    if (config.hasBanner) process.stdout.write(banner);
  } catch (error) {
    await closeMetrics();
    throw error;
  }
}

/** Replaces all workers when it is called, and when files change if that is wanted. */
function createReload(
  load: () => Config | Promise<Config>,
  first: Config,
  workers: Workers,
  logger: Logger,
): () => void {
  const reload = async () => {
    try {
      const config = await load();
      await workers.replace(config.workers);
      logger.info({ workers: config.workers }, "reloaded");
      watch.follow(config);
    } catch (error) {
      logger.error({ reason: (error as Error).message }, "not reloaded; workers that are left stay as they are");
    }
  };
  const watch = new ConfigWatch(() => void reload());
  watch.follow(first);
  return () => void reload();
}
