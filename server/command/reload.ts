// Reads settings and files again while the server serves: all is checked before anything changes, and what is wrong changes
// nothing.
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { CancelTimer, Clock } from "../clock.js";
import type { ReloadReport } from "../reload.js";
import type { Server } from "../server.js";
import { AbsentUpstreamError } from "../upstream/absent-upstream-error.js";
import type { UpstreamOptions } from "../upstream/options.js";
import type { RenewKeys } from "./auth.js";
import { readTls } from "./certificates.js";
import type { Config } from "./config.js";
import { readHttpRules } from "./http-rules.js";
import type { Sources } from "./service.js";
import { type Flag, onlyFlags, settings } from "./settings.js";
import { explainStartError } from "./start-error.js";
import { watchFiles } from "./watch-files.js";

export interface ReloaderParts {
  readonly server: Pick<Server, "reload" | "reloadTls">;
  readonly logger: Logger;
  /** What the server was started with. */
  readonly config: Config;
  readonly renewKeys: RenewKeys | undefined;
  /** Reads the schemas of upstreams again. Those that cannot be read are reported, and stay. */
  readonly refresh: () => Promise<void>;
  /** Reads settings and upstreams. @throws SettingError */
  readonly read: () => Promise<Sources>;
  readonly clock: Clock;
}

/** Settings that a reload replaces. Others need a restart. */
const reloadable: ReadonlySet<Flag> = new Set<Flag>([
  ...onlyFlags,
  ...([
    "--watch",
    "--schema-cache",
    "--http-rules",
    "--tls-cert",
    "--tls-key",
    "--tls-client-ca",
    "--api-keys",
  ] as const),
]);

/** Files that a reload replaces, but that are there or not from the start on. */
const switches: ReadonlySet<Flag> = new Set<Flag>(["--tls-cert", "--api-keys"]);

const noRules = { rules: [] };

/** A change is noticed once files have stayed the same for this long. */
const watchIntervalMs = 500;
/** A reload that failed only because an upstream is away is tried again after this time. */
const retryMs = 5000;

/** What is to be tried again: as it was read, because files may be half way to something else by then. */
interface Pending {
  readonly sources: Sources;
  /** Why it has failed, which is said once. */
  readonly reason: string;
}

/** Watches the files that settings name, as long as they ask for it. */
export class ConfigWatch {
  readonly #onChange: () => void;
  #config: Config | undefined;
  #isWatching = false;

  /** @param onChange called when files have changed */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** From now on it is about these settings. */
  follow(config: Config): void {
    this.#config = config;
    if (!config.isWatching || this.#isWatching) return;
    this.#isWatching = true;
    void watchFiles({
      list: () => (this.#config === undefined ? [] : listFiles(this.#config)),
      onChange: this.#onChange,
      untilNext: async () => {
        await delay(watchIntervalMs, undefined, { ref: false });
        this.#isWatching = this.#config?.isWatching === true;
        return this.#isWatching;
      },
    });
  }
}

export class Reloader {
  readonly #parts: ReloaderParts;
  #config: Config;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #cancelRetry: CancelTimer | undefined;
  /** What an upstream that is away has kept from being served. */
  #pending: Pending | undefined;
  readonly #watch = new ConfigWatch(() => void this.request());

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#watch.follow(parts.config);
  }

  /** Reloads; once more if it is called meanwhile, however often. Resolves when nothing is left to do. */
  request(): Promise<void> {
    this.#isWanted = true;
    return this.#start();
  }

  #start(): Promise<void> {
    this.#cancelRetry?.();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    do {
      const pending = this.#isWanted ? undefined : this.#pending;
      this.#isWanted = false;
      this.#pending = await this.#reload(pending);
    } while (this.#isWanted);
    if (this.#pending !== undefined) this.#cancelRetry = this.#parts.clock.schedule(() => void this.#start(), retryMs);
  }

  /** @param pending what is tried again; undefined to read anew. Returns what is to be tried again, if anything is */
  async #reload(pending: Pending | undefined): Promise<Pending | undefined> {
    const { logger } = this.#parts;
    let sources = pending?.sources;
    try {
      sources ??= await this.#parts.read();
      const { config, upstreams } = sources;
      const report = await this.#apply(config, upstreams);
      logger.info(summarize(report), "reloaded");
      this.#warn(config);
      this.#config = config;
      this.#watch.follow(config);
      void this.#parts.refresh().catch(() => {});
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const waiting = error instanceof AbsentUpstreamError ? sources : undefined;
      const facts = { reason, ...(waiting && { retryMs }) };
      if (reason !== pending?.reason) logger.error(facts, "not reloaded; nothing changed");
      return waiting && { sources: waiting, reason };
    }
  }

  async #apply(config: Config, upstreams: readonly UpstreamOptions[]): Promise<ReloadReport> {
    const { server, renewKeys } = this.#parts;
    const tls = readTls(config);
    const httpRules = (await readHttpRules(config)) ?? noRules;
    const replaceKeys = await renewKeys?.(config);
    try {
      const report = await server.reload({ upstreams, httpRules });
      replaceKeys?.();
      if (tls !== undefined && this.#config.tls.cert !== undefined) server.reloadTls(tls);
      return report;
    } catch (error) {
      throw explainStartError(error, config, { module: undefined });
    }
  }

  /** Names the settings that are others now, and need a restart. */
  #warn(config: Config): void {
    const { config: first, logger } = this.#parts;
    const flags = settings
      .map(({ flag }) => flag)
      .filter((flag) => {
        if (switches.has(flag) && first.given.has(flag) !== config.given.has(flag)) return true;
        return !reloadable.has(flag) && !isDeepStrictEqual(first.given.get(flag)?.value, config.given.get(flag)?.value);
      });
    const names: string[] = flags.map((flag) => config.nameOf(flag));
    const limitsOf = ({ rateLimits }: Config) => rateLimits.map(({ options }) => options);
    if (!flags.includes("--rate-limit") && !isDeepStrictEqual(limitsOf(first), limitsOf(config))) {
      names.push("rate-limits");
    }
    if (!isDeepStrictEqual(withoutKeys(first), withoutKeys(config))) names.push("auth");
    if (names.length === 0) return;
    logger.warn({ settings: names }, "some settings change only with a restart");
  }
}

/** What of `auth` needs a restart: all but the keys themselves. */
function withoutKeys({ auth }: Config): object {
  const { apiKeys, ...others }: { apiKeys?: object } = auth?.value ?? {};
  return { ...others, apiKeys: apiKeys && { ...apiKeys, keys: undefined } };
}

/** Files and folders that settings name. */
export function listFiles({ file, upstreams, httpRules, apiKeys, tls }: Config): readonly string[] {
  const paths = [
    ...[file, httpRules, apiKeys, tls.cert, tls.key, tls.clientCa],
    ...upstreams.flatMap(({ files }) => Object.values(files).map((given) => given?.value)),
  ];
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** Names of upstreams and services, and numbers of routes, as far as they changed. */
function summarize({ upstreams, services, routes }: ReloadReport): object {
  const lists = {
    upstreamsAdded: upstreams.added,
    upstreamsRemoved: upstreams.removed,
    upstreamsChanged: upstreams.changed,
    servicesAdded: services.added,
    servicesRemoved: services.removed,
  };
  const numbers = { routesAdded: routes.added.length, routesRemoved: routes.removed.length };
  return Object.fromEntries([
    ...Object.entries(lists).filter(([, list]) => list.length > 0),
    ...Object.entries(numbers).filter(([, number]) => number > 0),
  ]);
}
