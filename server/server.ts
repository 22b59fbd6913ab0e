// The whole path of a request, one call per stage: listen → method table → lane, or a page, or a refusal.
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health as HealthService } from "../gen/grpc/health/v1/health_pb.js";
import { ActiveCalls } from "./call/active.js";
import type { CallEnvironment } from "./call/call.js";
import { contextValuesOf } from "./call/context-values.js";
import { Deadlines } from "./call/deadlines.js";
import { prepareInterceptors } from "./call/method-interceptor.js";
import { joinObservers } from "./call/observer.js";
import { createMethodTable, type MethodTable } from "./call/table.js";
import { checkOptions } from "./check-options.js";
import { promptClock } from "./clock.js";
import { Counters } from "./counters.js";
import type { Filter } from "./http/filter.js";
import type { Caller } from "./in-process/call.js";
import type { Accept, ListenAddress } from "./listen/bind.js";
import { createListener } from "./listen/listener.js";
import type { NodeHandler } from "./listen/node-handler.js";
import type { TlsOptions } from "./listen/tls.js";
import { LiveSurface } from "./live-surface.js";
import { createFetch, type FetchHandler } from "./mount/fetch.js";
import type { Api } from "./openapi/document.js";
import type { OpenApiDocument } from "./openapi/types.js";
import { createCors } from "./operate/cors/cors.js";
import { drain, retire } from "./operate/drain.js";
import { createHealth, type Health } from "./operate/health.js";
import { type CallRefusal, OverloadAdmission } from "./operate/overload/admission.js";
import { resolveCallLimits } from "./operate/overload/limits.js";
import { createProbes } from "./operate/probes.js";
import { createReport, type ErrorReport } from "./operate/report.js";
import { createNetworks, type Networks } from "./operate/trust/networks.js";
import { createTrustedProxies } from "./operate/trust/trusted-proxies.js";
import { logUnexpected, writeUnexpected } from "./operate/unexpected.js";
import { resolveOptions, type ServerOptions, type Settings } from "./options.js";
import { toUniversalHandler } from "./reference/universal-handler.js";
import { reflectionRoutes } from "./reflection/reflection.js";
import type { ReloadOptions, ReloadReport } from "./reload.js";
import { listMethods, readStats, type ServedMethod, type ServerStats } from "./stats.js";
import { isOfTools } from "./upstream/tools.js";

/** A server on one port (or Unix socket), for every protocol. */
export interface Server extends AsyncDisposable {
  /** Starts listening. Rejects with an `Error` that names address and cause, if it cannot. */
  listen(): Promise<void>;
  /**
   * Stops: health checks fail, no new connection is accepted, calls under way may finish within the drain time. `await using`
   * calls it, too.
   */
  close(): Promise<void>;
  /** Where it listens: `http://127.0.0.1:50051`, `https://…` with TLS, `unix:/path` for a socket. Known once `listen` has resolved. */
  readonly url: string;
  /**
   * Serves a request of a server of Node that you have: `http.createServer(server.handler)`, `app.use(server.handler)`. A
   * request for another path goes to `next`, or gets 404 without it. Needs no `listen`.
   */
  readonly handler: NodeHandler;
  /**
   * Serves a request as `fetch` has it, for the route handlers of frameworks: Connect, gRPC-Web and REST, without streams of
   * requests and replies at the same time. Needs no `listen`.
   */
  readonly fetch: FetchHandler;
  /**
   * Calls a method from inside the process, own or forwarded, with JSON: for tests, tools and protocols of your own. It is a
   * call like any other, over Connect: with interceptors, limits, deadline, `onCall` and drain. Needs no `listen`.
   *
   * ```ts
   * const response = await server.call({ method: "hello_world.Greeter/SayHello", json: '{"name":"you"}' });
   * console.log(await response.message());
   * ```
   */
  readonly call: Caller;
  /** The statuses that health checks see. */
  readonly health: Health;
  /** The methods that are served now, own and forwarded: those that `onCall` can report. */
  readonly methods: readonly ServedMethod[];
  /** Returns numbers of this moment, and counters since the server was made: connections, refusals, bytes, calls, upstreams. */
  stats(): ServerStats;
  /**
   * Returns the OpenAPI document of `/openapi.json` as plain data; also before `listen`, and where `docs` is false. Builds
   * it in one step on every call, which blocks the event loop: 0.5 s for 1,000 methods. `/openapi.json` is built in steps.
   */
  openApi(): OpenApiDocument;
  /**
   * Replaces upstreams and HTTP rules without losing a call. First it reads the schemas of new upstreams and builds all routes:
   * what is wrong rejects, and changes nothing. An upstream whose options are equal to those before keeps its connections and
   * its schema. Calls under way keep the methods that they began with; an upstream that is gone is closed after the last of
   * them, or after `drainTimeoutMs`.
   */
  reload(options: ReloadOptions): Promise<ReloadReport>;
  /** Uses other certificates for new connections; open ones live on. Throws, and changes nothing, if they cannot be used. */
  reloadTls(tls: TlsOptions): void;
}

/** Makes a server. It does nothing before `listen`. Throws if `routes` or an option is wrong; of wrong routes, all at once. */
export function createServer(options: ServerOptions): Server {
  return createServerAndApi(options).server;
}

/** A server, and what the command tells of it. */
export interface ServerParts {
  readonly server: Server;
  /** What is served now. */
  readonly api: () => Api;
  readonly live: LiveSurface;
  /** Stops as `close` does, where other processes go on serving the port: at once, and without failing health checks. */
  readonly retire: () => Promise<void>;
}

/** Makes a server with its parts. @param accept where its connections come from, if it does not accept them itself */
export function createServerAndApi(options: ServerOptions, accept?: Accept): ServerParts {
  checkOptions(options);
  const settings = resolveOptions(options);
  const table = createMethodTable(settings, toUniversalHandler);
  const active = new ActiveCalls();
  const counters = new Counters();
  const services = () => live.current.api.services;
  const health = createHealth(services, {
    get isReady() {
      return live.isReady;
    },
    statusOf: (service) => (isRegistered(table, service) ? undefined : live.upstreams.statusOf(service)),
  });
  registerRoutes(table, health, settings, services);
  const faults = prepareInterceptors(table.methods.values());
  if (faults.length > 0) throw new TypeError(faults.join("\n"));
  followShutdownSignals(table, active);

  const report = createReport(settings.onConnectionError);
  const environment: CallEnvironment = {
    active,
    deadlines: new Deadlines(),
    admission: createAdmission(settings.limits, counters),
    observers: joinObservers(settings.onCall, report),
    onError: reportUnexpected(settings, report),
    contextValues: contextValuesOf(settings),
    report,
  };
  const probes = createProbes(health);
  const live = new LiveSurface({ table, environment, active, settings, health, probes, report });
  const isTrusted = trustedNetworks(settings);
  const listener = createListener({
    handler(exchange) {
      live.upstreams.start();
      return live.current.handle(exchange);
    },
    filters: createFilters(settings, isTrusted),
    proxies: isTrusted && { includes: isTrusted, sendHeaders: settings.proxyProtocol === true },
    address: addressOf(settings),
    accept,
    tls: settings.tls,
    limits: settings.limits,
    http2: settings.http2,
    onError: report,
    counters,
  });
  let closing: Promise<void> | undefined;
  const closeBy = (end: () => Promise<void>) => {
    closing ??= end().finally(() => live.close());
    return closing;
  };
  const close = () => closeBy(() => drain(listener, active, health, settings));
  const server: Server = {
    health,
    get url() {
      return listener.url;
    },
    async listen() {
      await listener.listen();
      live.upstreams.start();
    },
    close,
    [Symbol.asyncDispose]: close,
    handler: listener.handleNode,
    fetch: createFetch((exchange) => listener.onRequest(exchange, undefined)),
    async call(request) {
      live.upstreams.start();
      return live.current.call(request);
    },
    get methods() {
      return listMethods(live.current.api);
    },
    stats: () => readStats(listener, counters, active, live.upstreams),
    openApi: () => live.current.openApi(),
    reload: (options) => live.reload(options),
    reloadTls: (tls) => listener.reloadTls(tls),
  };
  return {
    server,
    api: () => live.current.api,
    live,
    retire: () => closeBy(() => retire(listener, active, settings.drainTimeoutMs)),
  };
}

/** What refuses calls when there are too many; undefined if no limit is set. */
function createAdmission(given: Settings["limits"], counters: Counters): OverloadAdmission | undefined {
  const limits = resolveCallLimits(given);
  if (limits.concurrentCalls === 0 && limits.maxLagMs === 0) return undefined;
  const onRefusal = (reason: CallRefusal) => counters.refuse(reason);
  return new OverloadAdmission(limits, { isExempt: isOfTools, onRefusal, clock: promptClock });
}

function addressOf({ fd, path, host, port }: Settings): ListenAddress {
  if (fd !== undefined) return { fd };
  return path === undefined ? { host, port } : { path };
}

/** Where unexpected errors of handlers go. */
function reportUnexpected({ logger, onCall }: Settings, report: ErrorReport): CallEnvironment["onError"] {
  if (logger !== undefined) return logUnexpected(logger, report);
  // A function is the application's own. Objects are those of libraries, which count and do not tell.
  const isTold = [onCall].flat().some((observer) => typeof observer === "function");
  return isTold ? undefined : writeUnexpected;
}

/** The networks of trusted proxies. @throws RangeError that names the option */
function trustedNetworks({ trustProxy, proxyProtocol = false }: Settings): Networks | undefined {
  if (trustProxy !== undefined) return createNetworks("trustProxy", trustProxy);
  if (proxyProtocol) throw new RangeError("proxyProtocol: requires trustProxy");
  return undefined;
}

function createFilters({ cors = false }: Settings, isTrusted: Networks | undefined): Filter[] {
  const filters: Filter[] = [];
  if (isTrusted !== undefined) filters.push(createTrustedProxies(isTrusted));
  if (cors !== false) filters.push(createCors(cors === true ? { origins: "*" } : cors));
  return filters;
}

/** The user's services, then ours where the user has not registered them. */
function registerRoutes(
  table: MethodTable,
  health: Health,
  options: Settings,
  served: () => readonly DescService[],
): void {
  options.routes(table.router);
  const router = options.interceptBuiltIns ? table.router : table.plainRouter;
  if (!isRegistered(table, HealthService.typeName)) health.routes(router);
  const isReflected = isRegistered(table, "grpc.reflection.v1.ServerReflection");
  if (options.reflection && !isReflected) reflectionRoutes(served)(router);
}

function isRegistered({ services }: MethodTable, name: string): boolean {
  return services.some(({ typeName }) => typeName === name);
}

/** Connect's option `shutdownSignal` ends the calls of the methods that it was given for. */
function followShutdownSignals(table: MethodTable, active: ActiveCalls): void {
  const signals = new Set([...table.methods.values()].map(({ options }) => options.shutdownSignal));
  for (const signal of signals) {
    signal?.addEventListener("abort", () => {
      const error = ConnectError.from(signal.reason, Code.Unavailable);
      active.cancelAll(error, (method) => method.options.shutdownSignal === signal);
    });
  }
}
