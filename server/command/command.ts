// The command: reads its settings, serves the Greeter until it is told to end, or prints its OpenAPI document, and turns
// failures into one line and an exit code. Standard output is for the caller (banner, help), standard error for the log.
import type { Logger } from "pino";
import { descriptors } from "../../gen/hello_world_descriptors.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import { greeter } from "../greeter.js";
import type { TlsOptions } from "../listen/tls.js";
import type { DocsOptions } from "../openapi/options.js";
import { type BufferedSink, createLogger, logCalls, logConnectionErrors, prettify } from "../operate/log.js";
import type { ServerOptions } from "../options.js";
import { toYamlText } from "../pages/docs.js";
import { createServer, type Server } from "../server.js";
import { formatBanner, type Served } from "./banner.js";
import { describeTls, readTls } from "./certificates.js";
import { parseCommandLine, version } from "./command-line.js";
import { type Config, type Environment, readConfig, SettingError } from "./config.js";
import { readHttpRules } from "./http-rules.js";
import { followProcess, type ProcessEvents } from "./lifecycle.js";
import { explainStartError } from "./start-error.js";

/** The process as the command sees it; `process` is one, but for its log. */
export interface CommandProcess extends ProcessEvents {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; isTTY?: boolean; hasColors?: () => boolean };
  exitCode?: number | string | null | undefined;
}

/** Resolves when the server listens, or when there is nothing more to do. `openLog` is called once, if there is a log. */
export async function run(process: CommandProcess, openLog: () => BufferedSink): Promise<void> {
  try {
    const line = parseCommandLine(process.argv.slice(2));
    if (line.kind === "print") process.stdout.write(line.text);
    else if (line.kind === "openapi")
      process.stdout.write(await printOpenApi(readConfig(line.flags, process.env), line.format));
    else await serve(readConfig(line.flags, process.env), process, openLog);
  } catch (error) {
    // Of several mistakes each has its own line.
    process.stderr.write(`${(error as Error).message.replace(/^/gm, "error: ")}\n`);
    process.exitCode = error instanceof SettingError ? error.exitCode : 1;
  }
}

async function serve(config: Config, process: CommandProcess, openLog: () => BufferedSink): Promise<void> {
  const tls = readTls(config);
  const httpRules = await readHttpRules(config);
  const log = openLog();
  const logger = await openLogger(config, process.stderr, log);
  const server = await listen(config, { tls, httpRules }, logger);
  const renew = tls && (() => renewTls(server, config));
  followProcess(process, { server, logger, log, renewTls: renew, now: () => performance.now() });
  logger.info({ url: server.url }, "listening");
  if (config.hasBanner) process.stdout.write(formatBanner(version(), describe(server, config, tls)));
}

async function printOpenApi(config: Config, format: "json" | "yaml"): Promise<string> {
  const httpRules = await readHttpRules(config);
  try {
    const document = createGreeterServer(config, { httpRules, docs }).openApi();
    return format === "yaml" ? toYamlText(document) : `${JSON.stringify(document, undefined, 2)}\n`;
  } catch (error) {
    throw explainStartError(error, config);
  }
}

async function openLogger({ log }: Config, stderr: CommandProcess["stderr"], sink: BufferedSink): Promise<Logger> {
  const isPretty = log.format === "pretty" || (log.format === "auto" && stderr.isTTY === true);
  return createLogger(log.level, isPretty ? await prettify(sink, stderr.hasColors?.() ?? false) : sink);
}

/** What files say. */
type Files = Pick<ServerOptions, "tls" | "httpRules">;

async function listen(config: Config, files: Files, logger: Logger): Promise<Server> {
  try {
    const observers = {
      onCall: logCalls(logger),
      onConnectionError: logConnectionErrors(logger),
      onWarning: (message: string) => logger.warn(message),
    };
    const server = createGreeterServer(config, {
      ...files,
      ...observers,
      docs: config.options.docs !== false && docs,
    });
    await server.listen();
    return server;
  } catch (error) {
    throw explainStartError(error, config);
  }
}

/** @throws what `createServer` throws */
function createGreeterServer({ options }: Config, others: Partial<ServerOptions>): Server {
  return createServer({ ...options, ...others, routes: (router) => router.service(Greeter, greeter) });
}

const docs: DocsOptions = {
  title: "Greeter",
  version: version(),
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  descriptorSet: descriptors,
};

function renewTls(server: Server, config: Config): void {
  const tls = readTls(config);
  if (tls !== undefined) server.reloadTls(tls);
}

/** Whether this is a dependency of some project, not a checkout. */
const isInstalled = import.meta.url.includes("/node_modules/");

function describe(server: Server, config: Config, tls: TlsOptions | undefined): Served {
  return {
    url: server.url,
    client: isInstalled ? "npx -p manywire manywire-client" : "npm run client --",
    hasReflection: config.options.reflection !== false,
    tls: tls && describeTls(tls, config.tls),
  };
}
