// All that a server serves at one time: methods, routes, documents, probes. Nothing in it changes; a server whose services
// change makes another one, and calls under way keep theirs.
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallEnvironment } from "./call/call.js";
import type { Method } from "./call/method.js";
import { listUnmatched, prepareInterceptors } from "./call/method-interceptor.js";
import type { MethodTable } from "./call/table.js";
import { createDispatch } from "./dispatch.js";
import type { Exchange, Handler } from "./http/exchange.js";
import { type Caller, createCaller } from "./in-process/call.js";
import { createFallback } from "./mount/fallback.js";
import { servePrefix } from "./mount/prefix.js";
import type { Api } from "./openapi/document.js";
import type { OpenApiDocument } from "./openapi/types.js";
import type { Settings } from "./options.js";
import { createDocs, describeApi } from "./pages/docs.js";
import type { Pages } from "./pages/pages.js";
import { createReferenceLane } from "./reference/reference-lane.js";
import { createFastLane } from "./rpc/fast-lane.js";
import type { Lane } from "./rpc/handler.js";
import { createTranscoder } from "./transcode/transcoder.js";
import { createForwardLane } from "./upstream/lane.js";
import { isForwarded } from "./upstream/table.js";
import type { PassUnknown } from "./upstream/unknown-methods.js";

/** All that a server serves. */
export interface Surface {
  /** Serves any request: a service, what the application adds, or a refusal. */
  readonly handle: Handler;
  /** Calls a method from inside the process. */
  readonly call: Caller;
  readonly api: Api;
  /** Returns the OpenAPI document, which it builds in one step. */
  readonly openApi: () => OpenApiDocument;
  /** A sentence for each likely mistake in the routes, and for each fault of interceptors with forwarded methods. */
  readonly warnings: readonly string[];
}

/** What a surface serves over the RPC protocols. */
export interface ServedMethods {
  readonly tables: readonly Pick<MethodTable, "methods" | "services">[];
  /** Whether some are those of other servers, which may have others later. */
  readonly hasUpstreams: boolean;
  /** Serves calls of methods that no table has. */
  readonly passUnknown: PassUnknown | undefined;
}

/**
 * Makes a surface of methods. Of two methods with one path, the first counts.
 *
 * @param problem returns why methods may be missing that will be served later
 * @throws RoutingError with everything that is wrong in the routes
 */
export function createSurface(
  { tables, hasUpstreams, passUnknown }: ServedMethods,
  environment: CallEnvironment,
  settings: Settings,
  probes: ReadonlyMap<string, Handler>,
  problem: () => ConnectError | undefined,
): Surface {
  const methods = mergeMethods(tables);
  const all = tables.flatMap(({ services }) => services);
  const forwarded = [...methods.values()].filter(isForwarded);
  const foreign = new Set(forwarded.map(({ spec }) => spec.method));
  const transcoder = createTranscoder(
    { methods, services: all, isForeign: (method) => foreign.has(method), mayGrow: hasUpstreams },
    environment,
    settings.rest,
    settings.httpRules,
    probes.keys(),
  );
  const api: Api = { methods, services: firstOfEachName(all), bindings: transcoder.bindings, rest: settings.rest };
  const refuse = createRefuse(settings, (exchange) => transcoder.refuse(exchange, problem()));
  const docs = guardPages(createDocs(api, settings.docs), settings);
  const unmatched = listUnmatched(settings.interceptors ?? [], methods.values());
  // Other servers may have the methods later.
  if (unmatched.length > 0 && !hasUpstreams) throw new TypeError(unmatched.join("\n"));
  const createLane = laneMaker(settings);
  const lanes = new Map([...methods].map(([path, method]) => [path, createLane(method, environment)]));
  const dispatch = createDispatch({ methods, lanes, probes, transcoder, docs, passUnknown, problem }, refuse);
  const { requestPathPrefix } = settings;
  return {
    handle: requestPathPrefix === undefined ? dispatch : servePrefix(requestPathPrefix, dispatch, refuse),
    call: createCaller({ methods, lanes, problem }),
    api,
    openApi: () => describeApi(api, settings.docs),
    // Own methods were prepared for at the start, which their faults stop.
    warnings: [...transcoder.warnings, ...prepareInterceptors(forwarded), ...unmatched],
  };
}

function laneMaker({ fastLane }: Settings): (method: Method, environment: CallEnvironment) => Lane {
  if (!fastLane) return createReferenceLane;
  return (method, environment) => {
    const lane = createFastLane(method, environment);
    return isForwarded(method) ? createForwardLane(method, environment, lane) : lane;
  };
}

function mergeMethods(tables: readonly Pick<MethodTable, "methods">[]): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const table of tables) {
    for (const [path, method] of table.methods) if (!methods.has(path)) methods.set(path, method);
  }
  return methods;
}

function firstOfEachName(services: readonly DescService[]): readonly DescService[] {
  const byName = new Map<string, DescService>();
  for (const service of services) if (!byName.has(service.typeName)) byName.set(service.typeName, service);
  return [...byName.values()];
}

/** What serves requests that no service does: the application's own, or a refusal. */
function createRefuse({ fallback, fallbackMaxBytes }: Settings, refuse: (exchange: Exchange) => void): Handler {
  const passOn: Handler = (exchange) => (exchange.passOn ?? (() => refuse(exchange)))();
  return fallback === undefined ? passOn : createFallback(fallback, fallbackMaxBytes, passOn);
}

/** Pages that a guard may refuse. */
function guardPages(pages: Pages, { docs, fallbackMaxBytes }: Settings): Pages {
  const guard = typeof docs === "object" ? docs.guard : undefined;
  if (guard === undefined) return pages;
  return {
    get(path) {
      const page = pages.get(path);
      return page && createFallback(guard, fallbackMaxBytes, page);
    },
  };
}
