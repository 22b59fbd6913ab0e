// Serves the routes of google.api.http: finds the binding of a request and starts a call, or rejects the request.
import type { DescMethod, DescService, JsonValue, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CallEnvironment } from "../call/call.js";
import { toConnectError, toError } from "../call/error.js";
import type { Method } from "../call/method.js";
import { ownJson } from "../codec/json.js";
import { type Exchange, noSniff, respond, targetOf } from "../http/exchange.js";
import { shorten } from "../quote.js";
import { createErrorEncoder, type ErrorEncoder, type ErrorShape } from "../rest/error/errors.js";
import { codeToStatus } from "../rest/error/status.js";
import { checkPath } from "../rest/percent.js";
import { createNameFilter } from "../rest/read/query.js";
import { createRequestDecoder, type DecodeOptions } from "../rest/read/request.js";
import { createResponseEncoder, type EncodeOptions } from "../rest/response.js";
import type { Binding, RuleProblem } from "../rest/route/binding.js";
import { readHttpConfig } from "../rest/route/http-config.js";
import { createRoutes, type RoutingOptions } from "../rest/route/routes.js";
import { RoutingError, type RuleOptions, readRules } from "../rest/route/rules.js";
import { findUnreachable } from "../rest/route/unreachable.js";
import { parseFormat } from "../rpc/format.js";
import { bidiNeedsHttp2 } from "../rpc/refuse.js";
import { preferTypes } from "../schema/file-types.js";
import { commonTypes } from "../schema/types.js";
import type { RestMatch, RestSetup } from "./head.js";
import { serveStream } from "./stream.js";
import { serveUnary } from "./unary.js";

/** Options of REST routes. */
export interface RestOptions
  extends Omit<DecodeOptions, "compiles">,
    Omit<EncodeOptions, "compiles">,
    RoutingOptions,
    RuleOptions {
  /** What an error looks like. Default "status": `{"code":5,"message":"…","details":[…]}`. */
  readonly errorShape?: ErrorShape;
  /** Milliseconds between keep-alive comments in an idle stream of server-sent events. Default 15,000. */
  readonly keepAliveMs?: number;
  /**
   * Whether metadata has the names that grpc-gateway gives it. Of a request, `Grpc-Metadata-X` is `x`, and standard headers
   * also come as `grpcgateway-cookie` and so on. Of a response, headers are `Grpc-Metadata-X` and trailers `Grpc-Trailer-X`.
   * Default false: names are the same on both sides.
   */
  readonly grpcGatewayMetadata?: boolean;
}

const defaultKeepAliveMs = 15_000;

/** Serves calls of one binding. */
type ServeRoute = (match: RestMatch, exchange: Exchange) => void;

/** What has routes. */
export interface Routed {
  /** Request path → method. */
  readonly methods: ReadonlyMap<string, Method>;
  /** The services of those methods, as each method knows its own. */
  readonly services: readonly DescService[];
  /** Whether a method is another server's, which wrote its rules: what is wrong in them is a warning. */
  readonly isForeign: (method: DescMethod) => boolean;
  /** Whether other methods may be served later, so that a name which no method has is a warning. */
  readonly mayGrow: boolean;
}

/** The routes of a server. */
export interface Transcoder {
  readonly bindings: readonly Binding[];
  /** A sentence for each likely mistake in the rules. */
  readonly warnings: readonly string[];
  /** Serves a request to one of the routes. Returns false, and does nothing, if no route has its path. */
  serve(exchange: Exchange): boolean;
  /** Refuses a request that nothing else serves: with the error, or with 404. */
  refuse(exchange: Exchange, problem: ConnectError | undefined): void;
}

/**
 * Prepares the routes of all methods.
 *
 * @param httpRules the data of a service configuration, whose rules replace the annotations of their methods
 * @param probePaths paths that are served before routes, besides those of methods
 * @throws RoutingError with everything that is wrong; RangeError that names an option
 */
export function createTranscoder(
  routed: Routed,
  environment: CallEnvironment,
  options: RestOptions,
  httpRules: JsonValue = { rules: [] },
  probePaths: Iterable<string> = [],
): Transcoder {
  createNameFilter(options.ignoredParameters ?? []);
  const methods = new Map<DescMethod, Method>(
    [...routed.methods.values()].map((method) => [method.spec.method, method]),
  );
  const config = readHttpConfig(ownJson, httpRules);
  const rules = readRules(withoutReplaced(routed), config.http, options);
  const bindings = rules.bindings.filter(({ method }) => methods.has(method));
  const { routes, problems } = createRoutes(bindings, options);
  const isForeign = ({ method }: RuleProblem) => method !== undefined && routed.isForeign(method);
  const [foreign, own] = partition([...rules.problems, ...problems], isForeign);
  const wrong = [...config.problems, ...own.map(({ text }) => text)];
  if (wrong.length > 0) throw new RoutingError(wrong);
  const unused = rules.unused.map(describeUnused);
  if (!routed.mayGrow && unused[0] !== undefined) throw new RangeError(unused[0]);
  const ownPaths = new Set([...routed.methods.keys(), ...probePaths]);
  const warnings = [
    ...foreign.map(({ text }) => text),
    ...unused,
    ...describeUnserved(rules.unserved),
    ...findUnreachable(bindings, routes, ownPaths),
  ];

  const encoders = new Map<Registry, ErrorEncoder>();
  function errorEncoderOf(registry: Registry): ErrorEncoder {
    const known = encoders.get(registry);
    if (known !== undefined) return known;
    const report = (reason: unknown) => environment.report(toError(reason), "error shape");
    const made = createErrorEncoder(options.errorShape, registry, report);
    encoders.set(registry, made);
    return made;
  }
  const encodeError = errorEncoderOf(preferTypes(options.registry, commonTypes));
  const servers = new Map<Binding, ServeRoute>();
  const serverOf = (binding: Binding): ServeRoute => {
    const known = servers.get(binding);
    if (known !== undefined) return known;
    const made = createRouteServer(binding, methods.get(binding.method) as Method);
    servers.set(binding, made);
    return made;
  };
  function createRouteServer(binding: Binding, method: Method): ServeRoute {
    const registry = preferTypes(options.registry, method.types);
    const { codeGeneration: compiles, readMaxElements: maxElements } = method.options;
    const setup = <M extends Method>(method: M): RestSetup<M> => ({
      method,
      environment,
      binding,
      decode: createRequestDecoder(binding, { ...options, registry, compiles, maxElements }),
      encode: createResponseEncoder(binding, { ...options, registry, compiles }),
      encodeError: errorEncoderOf(registry),
      refusals: new WeakMap(),
      keepAliveMs: options.keepAliveMs ?? defaultKeepAliveMs,
      hasGatewayNames: options.grpcGatewayMetadata === true,
    });
    if (method.kind === "unary") {
      const unary = setup(method);
      return (match, exchange) => serveUnary(unary, match, exchange);
    }
    const stream = setup(method);
    return (match, exchange) => {
      if (method.kind !== "bidi_streaming" || exchange.httpVersion !== 1) serveStream(stream, match, exchange);
      else refuse(exchange, 505, new ConnectError(bidiNeedsHttp2, Code.Unimplemented), { connection: "close" });
    };
  }
  const refuse = (exchange: Exchange, status: number, error: ConnectError, headers: Record<string, string> = {}) =>
    respond(exchange, status, { ...headers, "content-type": "application/json" }, JSON.stringify(encodeError(error)));

  function serve(exchange: Exchange): boolean {
    // Calls to unknown RPCs get an error in their own protocol, even if a route matches every path.
    if (parseFormat(exchange.headers["content-type"])?.isEnveloped === true) return false;
    const { path, query = "" } = exchange;
    checkPath(path);
    const found = routes.find(exchange.method, path);
    if (found.kind === "no-path") return false;
    if (found.kind === "wrong-method") {
      const allow = found.allowed.join(", ");
      const error = new ConnectError(
        `${shorten(path)}: expected ${allow}; found ${shorten(exchange.method)}`,
        Code.Unimplemented,
      );
      if (exchange.method === "OPTIONS") answerOptions(exchange, allow);
      else refuse(exchange, 405, error, { allow });
    } else {
      serverOf(found.binding)({ captures: found.captures, query }, exchange);
    }
    return true;
  }

  return {
    bindings,
    warnings,
    serve(exchange) {
      try {
        return serve(exchange);
      } catch (reason) {
        const error = toConnectError(reason);
        refuse(exchange, codeToStatus(error.code), error);
        return true;
      }
    },
    refuse(exchange, problem) {
      if (problem !== undefined) refuse(exchange, codeToStatus(problem.code), problem);
      else
        refuse(exchange, 404, new ConnectError(`nothing is served at ${shorten(targetOf(exchange))}`, Code.NotFound));
    },
  };
}

/** The services without methods in whose place another one of the same name is served: an own one for a forwarded one. */
function withoutReplaced({ methods, services }: Routed): DescService[] {
  const isReplaced = (method: DescMethod) => {
    const served = methods.get(`/${method.parent.typeName}/${method.name}`);
    return served !== undefined && served.spec.method !== method;
  };
  return services.map((service) => ({ ...service, methods: service.methods.filter((method) => !isReplaced(method)) }));
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** A selector that names no method is a typing mistake, unless the method comes later. */
function describeUnused(selector: string): string {
  return `rest.withoutRoutes: expected the name of a method that is served, found ${JSON.stringify(selector)}`;
}

/** One sentence for all rules of services that are not served. */
function describeUnserved(selectors: readonly string[]): string[] {
  if (selectors.length === 0) return [];
  const services = new Set(selectors.map((selector) => selector.slice(0, selector.lastIndexOf("."))));
  return [`http rules: ignored those of services that are not served: ${[...services].join(", ")}`];
}

/** No content, and so no length (RFC 9110 section 8.6). */
function answerOptions(exchange: Exchange, allow: string): void {
  exchange.sendHeadOnly(204, { ...noSniff, allow });
}
