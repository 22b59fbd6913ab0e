// Reads command line and environment. Errors name the invalid setting.
import { availableParallelism } from "node:os";
import type { LogLevel } from "../operate/log.js";
import type { ServerOptions } from "../options.js";
import { SettingError } from "../program/setting-error.js";
import { readActivation } from "./activation.js";
import type { ConfigFile } from "./config-file.js";
import { type RateLimitSettings, rateLimitsOf } from "./rate-limit-settings.js";
import { environmentName, type Flag, type Given, metricsHost, type Setting, settings } from "./settings.js";
import { type UpstreamSettings, upstreamsOf } from "./upstream-settings.js";

/** What the environment holds: `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** All settings that were given. Files have not been read yet. */
export interface Config {
  /** Options of `createServer`, but for certificates and routes. What was not set is absent. */
  readonly options: Omit<ServerOptions, "routes">;
  readonly tls: TlsFiles;
  readonly log: LogSettings;
  readonly metrics: MetricsSettings;
  /** Whether to trace calls with OpenTelemetry. */
  readonly isTracing: boolean;
  readonly hasBanner: boolean;
  /** Path of the file with rules of `google.api.Http`. */
  readonly httpRules: string | undefined;
  readonly upstreams: readonly UpstreamSettings[];
  /** How often clients may call: that of the flag or its key first. */
  readonly rateLimits: readonly RateLimitSettings[];
  /** Whether requests are checked by rules of their descriptors. */
  readonly validates: boolean;
  /** What tokens have to have, and the URL of their keys. */
  readonly jwt: JwtSettings;
  /** Path of the file with API keys. */
  readonly apiKeys: string | undefined;
  /** `auth` of the configuration file. */
  readonly auth: Given<object> | undefined;
  /** Path of the configuration file, which has been read. */
  readonly file: string | undefined;
  /** Path of the file that keeps schemas. */
  readonly schemaCache: string | undefined;
  /** Whether to reload when files change. */
  readonly isWatching: boolean;
  /** Processes that serve the port; with 1 there is no other process than this one. */
  readonly workers: number;
  /** Path of the socket that tells the status. */
  readonly control: string | undefined;
  /** What was given, by flag. */
  readonly given: ReadonlyMap<Flag, Given>;
  /**
   * The name under which a setting was given: `--port`, `MANYWIRE_PORT` or `proxy.yaml: line 1, column 7: port`; its flag if it
   * was not given.
   */
  nameOf(flag: Flag): string;
}

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: "auto" | "json" | "pretty";
  /** Share of the calls that end well and are logged, from 0 to 1. */
  readonly sample: number;
}

/** Where metrics are served. */
export interface MetricsSettings {
  /** Whether at `/metrics` of the server's own port. */
  readonly isServed: boolean;
  /** A port of their own; undefined for none. */
  readonly port: number | undefined;
  readonly host: string;
}

/** Texts of the flags. */
export interface JwtSettings {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly jwks: string | undefined;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly clientCa: string | undefined;
}

/** Reads the settings as `readConfig` does, those of the file that `--config` names as well. @throws SettingError */
export async function loadConfig(line: ReadonlyMap<Flag, string>, environment: Environment): Promise<Config> {
  const config = readConfig(line, environment);
  if (config.file === undefined) return config;
  // Loaded only here: most starts have no such file.
  const { readConfigFile } = await import("./config-file.js");
  return readConfig(line, environment, readConfigFile(config.nameOf("--config"), config.file));
}

/**
 * Reads the settings: what the command line gives, else what the environment gives, where an empty variable gives nothing,
 * else what the configuration file gives.
 *
 * @param line flag → text, as on the command line
 * @throws SettingError
 */
export function readConfig(line: ReadonlyMap<Flag, string>, environment: Environment, file?: ConfigFile): Config {
  const given = new Map<Flag, Given>(file?.settings);
  for (const setting of settings) {
    const variable = environmentName(setting.flag);
    const text = line.get(setting.flag);
    const inherited = environment[variable] ?? "";
    if (text !== undefined) given.set(setting.flag, readSetting(setting, setting.flag, text));
    else if (inherited !== "") given.set(setting.flag, readSetting(setting, variable, inherited));
  }
  readPlatformPort(given, environment);
  const value = <Value>(flag: Flag) => given.get(flag)?.value as Value | undefined;
  const workers = value<number | "auto">("--workers") ?? 1;
  const fd = readActivation(environment, process.pid);
  return {
    options: { ...toOptions(given), ...(fd !== undefined && { fd }) },
    tls: { cert: value("--tls-cert"), key: value("--tls-key"), clientCa: value("--tls-client-ca") },
    log: {
      level: value("--log-level") ?? "info",
      format: value("--log-format") ?? "auto",
      sample: value("--log-sample") ?? 1,
    },
    metrics: {
      isServed: value("--metrics") ?? false,
      port: value("--metrics-port"),
      host: value("--metrics-host") ?? metricsHost,
    },
    isTracing: value("--tracing") ?? false,
    hasBanner: value("--no-banner") ?? true,
    httpRules: value("--http-rules"),
    upstreams: given.has("--upstream") ? upstreamsOf(given) : (file?.upstreams ?? []),
    rateLimits: [...rateLimitsOf(given), ...(file?.rateLimits ?? [])],
    validates: value("--validate") ?? false,
    jwt: { issuer: value("--jwt-issuer"), audience: value("--jwt-audience"), jwks: value("--jwt-jwks") },
    apiKeys: value("--api-keys"),
    auth: file?.auth,
    file: value("--config"),
    schemaCache: value("--schema-cache"),
    isWatching: value("--watch") ?? false,
    control: value("--control"),
    workers: workers === "auto" ? availableParallelism() : workers,
    given,
    nameOf: (flag) => given.get(flag)?.name ?? flag,
  };
}

/** Platforms that run containers give the port as `PORT`. It counts last. */
function readPlatformPort(given: Map<Flag, Given>, { PORT = "" }: Environment): void {
  const setting = settings.find(({ flag }) => flag === "--port");
  if (PORT === "" || setting === undefined || given.has("--port") || given.has("--path")) return;
  given.set("--port", readSetting(setting, "PORT", PORT));
}

function readSetting({ kind }: Setting, name: string, text: string): Given {
  const value = kind.parse(text);
  if (value === undefined) {
    throw new SettingError(`${name}: expected ${kind.expected}, found ${JSON.stringify(text)}`, 2);
  }
  return { name, value };
}

function toOptions(given: ReadonlyMap<Flag, Given>): Config["options"] {
  const options: Record<string, unknown> = {};
  const groups: Record<string, Record<string, unknown>> = { limits: {} };
  for (const { flag, option } of settings) {
    const value = given.get(flag)?.value;
    if (option === undefined || value === undefined) continue;
    const [first, name] = option.split(".") as [string, string?];
    if (name === undefined) options[first] = value;
    else groups[first] = { ...groups[first], [name]: value };
  }
  // `--docs off` leaves nothing for other settings of the documents to change.
  return { ...options, ...groups, ...(options.docs === false && { docs: false }) };
}
