// Serves a service with the settings of the command until a signal ends the process: listens, logs, prints the banner.
import type { Logger } from "pino";
import { systemClock } from "../clock.js";
import type { Accept } from "../listen/bind.js";
import type { LiveSurface, UpstreamState } from "../live-surface.js";
import type { Api } from "../openapi/document.js";
import {
  type BufferedSink,
  createLogger,
  type LogFields,
  logCalls,
  logConnectionErrors,
  prettify,
} from "../operate/log.js";
import type { Metrics } from "../operate/metrics/index.js";
import type { ServerOptions } from "../options.js";
import { describeFirstMethod } from "../pages/first-method.js";
import { SettingError } from "../program/setting-error.js";
import { version } from "../program/version.js";
import { createServerAndApi, type Server, type ServerParts } from "../server.js";
import { isWithin } from "../within.js";
import type { RenewKeys } from "./auth.js";
import { formatBanner, type Served } from "./banner.js";
import { describeTls, readTls } from "./certificates.js";
import type { Config, Environment, LogSettings } from "./config.js";
import { readHttpRules } from "./http-rules.js";
import { openInterceptors } from "./interceptors.js";
import { followProcess, type ProcessEvents } from "./lifecycle.js";
import { type GatherMetrics, listenForMetrics, openMetrics, withMetrics } from "./metrics.js";
import { Reloader } from "./reload.js";
import { mergeOptions, type Service } from "./service.js";
import { explainStartError } from "./start-error.js";
import { openControl } from "./status/control.js";
import { readReport } from "./status/status.js";
import { loadTracing, type Tracing } from "./tracing.js";

/** The process as the command sees it; `process` is one, but for its log. */
export interface ServingProcess extends ProcessEvents {
  readonly env: Environment;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; isTTY?: boolean; hasColors?: () => boolean };
  exitCode?: number | string | null | undefined;
}

/**
 * Resolves when the server listens. `openLog` is called once.
 *
 * @throws SettingError, or what the service throws
 */
export async function serve(
  service: Service,
  config: Config,
  process: ServingProcess,
  openLog: () => BufferedSink,
): Promise<Server> {
  const prepared = await prepare(service, config, process.stderr, openLog);
  const { parts, metrics, logger, log } = prepared;
  const { server, live } = parts;
  const metricsPort = metrics && (await listenForMetrics(config, async () => [await metrics.snapshot()]));
  try {
    const seen = async () => ({ url: server.url, report: readReport(parts), workers: [] });
    const control = await openControl(config, seen);
    await control.during(() => listen(prepared));
    const reload = chooseReload(prepared);
    // Metrics and status are there until the last call has ended.
    const close = async () => {
      try {
        await server.close();
      } finally {
        control.close();
        await metricsPort?.close();
      }
    };
    followProcess(process, { server: { close }, logger, log, reload, now: () => performance.now() });
  } catch (error) {
    await metricsPort?.close();
    throw error;
  }
  if (metricsPort !== undefined) logger.info({ url: `${metricsPort.url}/metrics` }, "serving metrics");
  await isWithin(live.upstreams.ready, firstSchemaMs);
  logger.info({ url: server.url }, "listening");
  logUpstreams(live, logger);
  warnIfUnreachable(prepared, process.env);
  if (config.hasBanner) process.stdout.write(bannerOf(prepared));
  return server;
}

/** A server that does not listen yet, and its log. */
export interface Prepared {
  readonly service: Service;
  readonly config: Config;
  readonly options: ServerOptions;
  readonly parts: ServerParts;
  /** Undefined if the settings ask for none. */
  readonly metrics: Metrics | undefined;
  readonly renewKeys: RenewKeys | undefined;
  readonly logger: Logger;
  readonly log: BufferedSink;
}

/** What a process that shares its port with others does differently. */
interface Setup {
  /** Fields of every line of its log. */
  readonly fields?: LogFields;
  /** Where connections come from. */
  readonly accept?: Accept;
  /** Reads the metrics of all these processes. Default: those of this process. */
  readonly gatherMetrics?: GatherMetrics;
}

/** Reads files, opens the log and makes the server. @throws as `serve` */
export async function prepare(
  service: Service,
  config: Config,
  stderr: ServingProcess["stderr"],
  openLog: () => BufferedSink,
  { fields, accept, gatherMetrics }: Setup = {},
): Promise<Prepared> {
  const tls = readTls(config);
  const { interceptors, renewKeys } = await openInterceptors(config);
  const options = mergeOptions(service.options, config, { tls, httpRules: await readHttpRules(config), interceptors });
  const metrics = await openMetrics(config);
  const observed = await withMetrics(options, config, metrics, gatherMetrics);
  const tracing = await loadTracing(config);
  const log = openLog();
  const logger = await openLogger(config, stderr, log, fields);
  if (tracing?.warning !== undefined) logger.warn(tracing.warning);
  const parts = await explained({ service, config }, () =>
    createServerAndApi(withLog(withTracing(observed, tracing), logger, config.log), accept),
  );
  metrics?.watch(parts.server);
  return { service, config, options, parts, metrics, renewKeys, logger, log };
}

/** Listens. @throws SettingError that names the setting */
export async function listen(prepared: Prepared): Promise<void> {
  await explained(prepared, () => prepared.parts.server.listen());
}

async function explained<Result>(
  { service, config }: Pick<Prepared, "service" | "config">,
  step: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throw explainStartError(error, config, service);
  }
}

/** Example calls of the server. */
export function bannerOf({ service, config, options, parts }: Prepared): string {
  const { server, api, live } = parts;
  const upstreams = live.upstreams.all.map((each) => live.stateOf(each));
  return formatBanner(version(), describe(service, config, { server, api: api(), options, upstreams }));
}

/** Writes one line per error to standard error, and sets the exit code. */
export function reportStartError(error: unknown, process: Pick<ServingProcess, "stderr" | "exitCode">): void {
  // Of several mistakes each has its own line.
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text.replace(/^/gm, "error: ")}\n`);
  process.exitCode = error instanceof SettingError ? error.exitCode : 1;
}

/** A log as the settings say, in the form that suits standard error. */
export async function openLogger(
  { log }: Config,
  stderr: ServingProcess["stderr"],
  sink: BufferedSink,
  fields?: LogFields,
): Promise<Logger> {
  const isPretty = log.format === "pretty" || (log.format === "auto" && stderr.isTTY === true);
  return createLogger(log.level, isPretty ? await prettify(sink, stderr.hasColors?.() ?? false) : sink, fields);
}

function withTracing(options: ServerOptions, tracing: Tracing | undefined): ServerOptions {
  if (tracing === undefined) return options;
  return { ...options, onCall: [tracing.hooks, ...[options.onCall ?? []].flat()] };
}

/** The service's own callbacks are called after the log has its line. */
function withLog(options: ServerOptions, logger: Logger, { sample }: LogSettings): ServerOptions {
  return {
    ...options,
    onCall: [logCalls(logger, { sample }), options.onCall].flat().filter((observer) => observer !== undefined),
    onConnectionError: callBoth(logConnectionErrors(logger), options.onConnectionError),
    onWarning: callBoth((message) => logger.warn(message), options.onWarning),
  };
}

type Callback<Arguments extends unknown[]> = ((...args: Arguments) => void) | undefined;

function callBoth<Arguments extends unknown[]>(
  first: Callback<Arguments>,
  second: Callback<Arguments>,
): Callback<Arguments> {
  if (first === undefined || second === undefined) return first ?? second;
  return (...args) => {
    first(...args);
    // An observer may be asynchronous: its promise is the result, so that a rejection is reported.
    return second(...args);
  };
}

/** Milliseconds that the banner waits for the schemas of upstreams. */
export const firstSchemaMs = 3000;

/** What SIGHUP does: reads again what is in files, if anything is. */
function chooseReload({ service, config, parts, renewKeys, logger }: Prepared): (() => void) | undefined {
  const { server, live } = parts;
  const { read } = service;
  if (read !== undefined) {
    const refresh = () => live.upstreams.refresh();
    const reloader = new Reloader({ server, logger, config, read, renewKeys, refresh, clock: systemClock });
    return () => void reloader.request();
  }
  const steps = [
    ...(config.tls.cert === undefined ? [] : [() => renew("certificates", logger, () => renewTls(server, config))]),
    ...(renewKeys === undefined ? [] : [() => renew("keys", logger, async () => (await renewKeys(config))())]),
  ];
  return steps.length === 0 ? undefined : () => steps.forEach((step) => void step());
}

/** Reads files again by `read`, and logs what became of it. */
async function renew(what: string, logger: Logger, read: () => void | Promise<void>): Promise<void> {
  try {
    await read();
    logger.info(`${what} read again`);
  } catch (error) {
    logger.error({ reason: (error as Error).message }, `${what} not read again; the old ones stay`);
  }
}

function renewTls(server: Server, config: Config): void {
  const tls = readTls(config);
  if (tls !== undefined) server.reloadTls(tls);
}

/** A line for each upstream, when its schema is known. */
export function logUpstreams(live: LiveSurface, logger: Logger): void {
  for (const upstream of live.upstreams.all) {
    void upstream.ready.then(() => {
      const { url, services, routes } = live.stateOf(upstream);
      logger.info({ upstream: url, services, routes }, "serving an upstream");
    });
  }
}

/** Warns of an address that nothing outside can reach. */
export function warnIfUnreachable({ options, logger }: Prepared, environment: Environment): void {
  if (!isUnreachable(options, environment)) return;
  logger.warn("only this machine can connect to 127.0.0.1; --host :: listens for other machines");
}

/** Whether the process seems to run in a container, where the default address cannot be reached. */
function isUnreachable({ host, path, fd }: ServerOptions, { PORT, KUBERNETES_SERVICE_HOST }: Environment): boolean {
  const isDefault = host === undefined && path === undefined && fd === undefined;
  return isDefault && (PORT !== undefined || KUBERNETES_SERVICE_HOST !== undefined);
}

interface Started {
  readonly server: Server;
  readonly api: Api;
  readonly options: ServerOptions;
  readonly upstreams: readonly UpstreamState[];
}

function describe(service: Service, config: Config, { server, api, options, upstreams }: Started): Served {
  return {
    url: server.url,
    ...describeFirstMethod(api),
    upstreams,
    client: service.client,
    hasPage: options.docs !== false,
    tls: options.tls && describeTls(options.tls, config.tls),
  };
}
