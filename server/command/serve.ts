// Serves a service with the settings of the command until a signal ends the process: listens, logs, prints the banner.
import type { Logger } from "pino";
import type { LiveSurface, UpstreamState } from "../live-surface.js";
import type { Api } from "../openapi/document.js";
import { type BufferedSink, createLogger, logCalls, logConnectionErrors, prettify } from "../operate/log.js";
import type { ServerOptions } from "../options.js";
import { describeFirstMethod } from "../pages/first-method.js";
import { SettingError } from "../program/setting-error.js";
import { version } from "../program/version.js";
import { createServerAndApi, type Server, type ServerParts } from "../server.js";
import { isWithin } from "../within.js";
import { formatBanner, type Served } from "./banner.js";
import { describeTls, readTls } from "./certificates.js";
import type { Config, Environment, LogSettings } from "./config.js";
import { readHttpRules } from "./http-rules.js";
import { followProcess, type ProcessEvents } from "./lifecycle.js";
import { Reloader } from "./reload.js";
import { mergeOptions, type Service } from "./service.js";
import { explainStartError } from "./start-error.js";

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
  const tls = readTls(config);
  const options = mergeOptions(service.options, config, { tls, httpRules: await readHttpRules(config) });
  const log = openLog();
  const logger = await openLogger(config, process.stderr, log);
  const { server, api, live } = await listen(service, config, withLog(options, logger, config.log));
  const reload = chooseReload(service, config, { server, live }, logger);
  followProcess(process, { server, logger, log, reload, now: () => performance.now() });
  await isWithin(live.upstreams.ready, firstSchemaMs);
  logger.info({ url: server.url }, "listening");
  logUpstreams(live, logger);
  if (isUnreachable(options, process.env)) {
    logger.warn("only this machine can connect to 127.0.0.1; --host :: listens for other machines");
  }
  if (config.hasBanner) {
    const upstreams = live.upstreams.all.map((each) => live.stateOf(each));
    const served = describe(service, config, { server, api: api(), options, upstreams });
    process.stdout.write(formatBanner(version(), served));
  }
  return server;
}

/** Writes one line per error to standard error, and sets the exit code. */
export function reportStartError(error: unknown, process: Pick<ServingProcess, "stderr" | "exitCode">): void {
  // Of several mistakes each has its own line.
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text.replace(/^/gm, "error: ")}\n`);
  process.exitCode = error instanceof SettingError ? error.exitCode : 1;
}

async function openLogger({ log }: Config, stderr: ServingProcess["stderr"], sink: BufferedSink): Promise<Logger> {
  const isPretty = log.format === "pretty" || (log.format === "auto" && stderr.isTTY === true);
  return createLogger(log.level, isPretty ? await prettify(sink, stderr.hasColors?.() ?? false) : sink);
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

async function listen(service: Service, config: Config, options: ServerOptions): Promise<ServerParts> {
  try {
    const parts = createServerAndApi(options);
    await parts.server.listen();
    return parts;
  } catch (error) {
    throw explainStartError(error, config, service);
  }
}

/** Milliseconds that the banner waits for the schemas of upstreams. */
const firstSchemaMs = 3000;

/** What SIGHUP does: reads again what is in files, if anything is. */
function chooseReload(
  { read }: Service,
  config: Config,
  { server, live }: Pick<ServerParts, "server" | "live">,
  logger: Logger,
): (() => void) | undefined {
  if (read === undefined) return config.tls.cert === undefined ? undefined : () => renewTls(server, config, logger);
  const reloader = new Reloader({ server, logger, config, read, refresh: () => live.upstreams.refresh() });
  return () => void reloader.request();
}

function renewTls(server: Server, config: Config, logger: Logger): void {
  try {
    const tls = readTls(config);
    if (tls !== undefined) server.reloadTls(tls);
    logger.info("certificates read again");
  } catch (error) {
    logger.error({ reason: (error as Error).message }, "certificates not read again; the old ones stay");
  }
}

/** A line for each upstream, when its schema is known. */
function logUpstreams(live: LiveSurface, logger: Logger): void {
  for (const upstream of live.upstreams.all) {
    void upstream.ready.then(() => {
      const { url, services, routes } = live.stateOf(upstream);
      logger.info({ upstream: url, services, routes }, "serving an upstream");
    });
  }
}

/** Whether the process seems to run in a container, where the default address cannot be reached. */
function isUnreachable({ host, path }: ServerOptions, { PORT, KUBERNETES_SERVICE_HOST }: Environment): boolean {
  return host === undefined && path === undefined && (PORT !== undefined || KUBERNETES_SERVICE_HOST !== undefined);
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
