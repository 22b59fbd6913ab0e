// The command: serves a service until a signal ends it, or prints its OpenAPI document, and turns failures into one line
// and an exit code. Standard output is for the caller (banner, help), standard error for the log.
import type { BufferedSink } from "../operate/log.js";
import { toYamlText } from "../pages/docs.js";
import { SettingError } from "../program/setting-error.js";
import { createServerAndApi } from "../server.js";
import { type CommandLine, parseCommandLine } from "./command-line.js";
import { type Config, loadConfig } from "./config.js";
import { greeterClient, greeterService } from "./greeter-service.js";
import { readHttpRules } from "./http-rules.js";
import { init } from "./init.js";
import { listFiles } from "./reload.js";
import type { ServingProcess } from "./serve.js";
import { mergeOptions, type Service } from "./service.js";
import { loadService } from "./service-module.js";
import { explainStartError } from "./start-error.js";
import type { WorkerRole } from "./workers/messages.js";
import { reportInRole, serveInRole, startWorkers, takeRole } from "./workers/role.js";

/** The process as the command sees it; `process` is one, but for its log. */
export interface CommandProcess extends ServingProcess {
  readonly argv: readonly string[];
}

/** Resolves when the server listens, or when there is nothing more to do. `openLog` is called once, if there is a log. */
export async function runCommand(process: CommandProcess, openLog: () => BufferedSink): Promise<void> {
  const role = await takeRole();
  try {
    await obey(parseCommandLine(process.argv.slice(2)), role, process, openLog);
  } catch (error) {
    await reportInRole(role, error, process);
  }
}

async function obey(
  line: CommandLine,
  role: WorkerRole | undefined,
  process: CommandProcess,
  openLog: () => BufferedSink,
): Promise<void> {
  if (line.kind === "print") {
    process.stdout.write(line.text);
    return;
  }
  if (line.kind === "init") {
    process.stdout.write(init(line.folder));
    return;
  }
  const load = () => loadConfig(line.flags, process.env);
  const config = await load();
  if (role === undefined && config.workers > 1 && line.kind !== "openapi") {
    const isReadAgain = line.module !== undefined || listFiles(config).length > 0;
    await startWorkers({ config, load: isReadAgain ? load : undefined }, openLog);
    return;
  }
  const isProxy = line.kind === "proxy" || (line.kind === "openapi" && config.upstreams.length > 0);
  const service = isProxy ? await openProxy(config, load) : await openService(line.module, config);
  if (line.kind === "openapi") process.stdout.write(await printOpenApi(service, config, line.format));
  else await serveInRole(role, service, config, process, openLog);
}

/** Loaded only here: most servers forward nothing. */
async function openProxy(config: Config, load: () => Promise<Config>): Promise<Service> {
  const { openUpstreams } = await import("./proxy-service.js");
  const read = async () => {
    const config = await load();
    return { config, upstreams: await openUpstreams(config) };
  };
  return {
    options: { routes: () => {}, upstreams: await openUpstreams(config) },
    module: undefined,
    client: undefined,
    read: listFiles(config).length > 0 ? read : undefined,
  };
}

async function openService(module: string | undefined, { given, nameOf }: Config): Promise<Service> {
  const flag = (["--config", "--upstream"] as const).find((one) => given.has(one));
  if (flag !== undefined) {
    throw new SettingError(`${nameOf(flag)}: expected the command proxy or openapi to go with it`, 2);
  }
  if (module === undefined) return { options: greeterService, module, client: greeterClient };
  return { options: await loadService(module), module, client: undefined };
}

async function printOpenApi(service: Service, config: Config, format: "json" | "yaml"): Promise<string> {
  const files = { tls: undefined, httpRules: await readHttpRules(config) };
  try {
    const options = mergeOptions(service.options, config, files);
    // The document is printed also where the server would not serve it.
    const docs = options.docs === false ? service.options.docs : options.docs;
    const { server, live } = createServerAndApi({ ...options, docs });
    await live.upstreams.learn();
    const document = server.openApi();
    live.close();
    return format === "yaml" ? toYamlText(document) : `${JSON.stringify(document, undefined, 2)}\n`;
  } catch (error) {
    throw explainStartError(error, config, service);
  }
}
