// What a server serves now: a surface, which gives way to another when an upstream has another schema, and on a reload.
import { Code, ConnectError } from "@connectrpc/connect";
import type { ActiveCalls } from "./call/active.js";
import type { CallEnvironment } from "./call/call.js";
import type { Method } from "./call/method.js";
import type { MethodTable } from "./call/table.js";
import { checkReloadOptions } from "./check-options.js";
import type { Handler } from "./http/exchange.js";
import type { ServerHealth } from "./operate/health.js";
import type { ErrorReport } from "./operate/report.js";
import type { Settings } from "./options.js";
import { toUniversalHandler } from "./reference/universal-handler.js";
import { describeReload, type ReloadOptions, type ReloadReport } from "./reload.js";
import { createSurface, type Surface } from "./surface.js";
import type { Upstream } from "./upstream/upstream.js";
import { Upstreams } from "./upstream/upstreams.js";
import { isWithin } from "./within.js";

/** What a surface is made of, besides upstreams. */
export interface SurfaceParts {
  /** The server's own methods. */
  readonly table: MethodTable;
  readonly environment: CallEnvironment;
  readonly active: ActiveCalls;
  readonly settings: Settings;
  readonly health: ServerHealth;
  readonly probes: ReadonlyMap<string, Handler>;
  readonly report: ErrorReport;
}

/** What one upstream contributes. */
export interface UpstreamState {
  readonly url: string;
  /** Full names of the services that are served from it. */
  readonly services: readonly string[];
  /** Number of routes to them. */
  readonly routes: number;
  readonly repairs: readonly string[];
  readonly unserved: readonly string[];
  /** Why nothing is known of it; undefined if its schema is known. */
  readonly problem: string | undefined;
}

/** Milliseconds that a reload waits for the schemas of new upstreams. */
const schemaTimeoutMs = 10_000;

export class LiveSurface {
  readonly upstreams: Upstreams;
  readonly #parts: SurfaceParts;
  #httpRules: Settings["httpRules"];
  #current: Surface;
  #warned: ReadonlySet<string> = new Set();
  #lastReload: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** @throws TypeError that names an option, or RoutingError */
  constructor(parts: SurfaceParts) {
    const { settings, health, report } = parts;
    this.#parts = parts;
    this.#httpRules = settings.httpRules;
    this.upstreams = new Upstreams(settings.upstreams ?? [], {
      onSchema: (upstream) => this.#renew(upstream),
      onError: (error) => report(error, "upstream schema"),
      onHealth: () => health.refresh(),
    });
    this.#current = this.#make(this.upstreams.all, this.#httpRules);
    this.#warn();
  }

  /** Whether the services of all upstreams are served. */
  get isReady(): boolean {
    return this.upstreams.problem === undefined;
  }

  get current(): Surface {
    return this.#current;
  }

  /** What comes from an upstream now. */
  stateOf({ url, schema, problem }: Upstream): UpstreamState {
    const { api } = this.#current;
    const own = new Set(schema?.services);
    return {
      url,
      services: api.services.filter((service) => own.has(service)).map(({ typeName }) => typeName),
      routes: api.bindings.filter(({ method }) => own.has(method.parent)).length,
      repairs: schema?.repairs ?? [],
      unserved: schema?.unserved ?? [],
      problem: schema === undefined ? problem.message : undefined,
    };
  }

  /** As `Server.reload`. Reloads happen one after the other. */
  reload(options: ReloadOptions): Promise<ReloadReport> {
    const reload = this.#lastReload.then(() => this.#reload(options));
    this.#lastReload = reload.catch(() => {});
    return reload;
  }

  close(): void {
    this.#isClosed = true;
    this.upstreams.close();
  }

  async #reload(options: ReloadOptions): Promise<ReloadReport> {
    checkReloadOptions(options);
    const { httpRules = this.#httpRules, upstreams = this.upstreams.all.map((each) => each.options) } = options;
    const replacement = await this.upstreams.prepare(upstreams, schemaTimeoutMs);
    const before = this.#current;
    try {
      if (this.#isClosed) throw new Error("reload: the server is closed");
      this.#current = this.#make(replacement.all, httpRules);
    } catch (error) {
      this.upstreams.abandon(replacement);
      throw error;
    }
    this.#httpRules = httpRules;
    this.upstreams.replace(replacement);
    this.#settle();
    for (const upstream of replacement.dropped) void this.#retire(upstream);
    return describeReload(before.api, this.#current.api, replacement);
  }

  /** Serves the methods of another schema from now on. Throws, and changes nothing, if they cannot be served. */
  #renew(upstream: Upstream): void {
    // A reload asks for its schema, and has not decided yet.
    if (!this.upstreams.all.includes(upstream)) return;
    this.#current = this.#make(this.upstreams.all, this.#httpRules);
    this.#settle();
  }

  #make(upstreams: readonly Upstream[], httpRules: Settings["httpRules"]): Surface {
    const { table, environment, settings, probes } = this.#parts;
    const tables = [table, ...this.upstreams.tables(upstreams, settings, toUniversalHandler)];
    const docs = withComments(settings.docs, upstreams);
    const passUnknown = this.upstreams.passUnknown(upstreams, settings, environment);
    return createSurface(
      { tables, hasUpstreams: upstreams.length > 0, passUnknown },
      environment,
      { ...settings, httpRules, docs },
      probes,
      () => this.upstreams.problem,
    );
  }

  #settle(): void {
    this.#warn();
    this.#parts.health.refresh();
  }

  /** Warns of what is wrong, and was not before. */
  #warn(): void {
    const { upstreams } = this;
    // While services are missing, rules of theirs would look like mistakes.
    const ofAll = upstreams.problem === undefined ? [...this.#current.warnings, ...upstreams.overlaps] : [];
    const warnings = new Set([...upstreams.notes, ...ofAll]);
    for (const warning of warnings) if (!this.#warned.has(warning)) this.#parts.settings.onWarning?.(warning);
    this.#warned = warnings;
  }

  /** Closes an upstream after the last call on it. */
  async #retire(upstream: Upstream): Promise<void> {
    const { active, settings } = this.#parts;
    const isOnIt = ({ spec }: Method) => this.upstreams.ownerOf(spec.method.parent) === upstream;
    if (!(await isWithin(active.ended(isOnIt), settings.drainTimeoutMs))) {
      active.cancelAll(new ConnectError("the upstream was removed by a reload", Code.Unavailable), isOnIt);
    }
    upstream.close();
  }
}

/** The comments of descriptor sets belong to the documents. */
function withComments(docs: Settings["docs"], upstreams: readonly Upstream[]): Settings["docs"] {
  const sets = upstreams.flatMap(({ options }) => options.descriptorSet ?? []);
  if (docs === false || sets.length === 0) return docs;
  const own = docs === true ? {} : docs;
  // Protobuf messages that follow each other are one message, with the items of all in its lists.
  return { ...own, descriptorSet: Buffer.concat([own.descriptorSet ?? new Uint8Array(), ...sets]) };
}
