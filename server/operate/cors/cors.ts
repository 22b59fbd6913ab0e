// Lets pages of other origins call: handles preflights, and adds headers to every response
// (https://fetch.spec.whatwg.org/#http-cors-protocol).
import type { OutgoingHttpHeaders } from "node:http";
import { type Exchange, noSniff, respond, toRequestInfo } from "../../http/exchange.js";
import type { Filter } from "../../http/filter.js";
import { header } from "../../http/header.js";
import type { PreparedHead } from "../../http/prepared-head.js";
import { WrappedExchange } from "../../http/wrapped-exchange.js";
import { type CorsOptions, checkCors } from "./options.js";
import { parseOrigin } from "./origins.js";
import { ResponseHeaders } from "./response-headers.js";

/**
 * Makes the filter. A request without `Origin` passes as it is, except that a response which a cache may keep has `Vary`.
 *
 * @throws RangeError that names the option
 */
export function createCors(options: CorsOptions): Filter {
  checkCors(options);
  const isAllowed = createTest(options.origins);
  const grantTo = createGrants(options);
  const preflight = createPreflight(options);
  return (exchange, next) => {
    const { origin } = exchange.headers;
    if (origin === undefined) return next(isCacheable(exchange) ? new CorsExchange(exchange, noGrant) : exchange);
    const grant = isAllowed(origin, exchange) ? grantTo(origin) : undefined;
    if (exchange.method === "OPTIONS" && exchange.headers["access-control-request-method"] !== undefined) {
      if (grant === undefined) refusePreflight(exchange);
      else exchange.sendHeadOnly(204, { ...noSniff, ...grant.headers, ...preflight(exchange), vary: preflightVary });
      return;
    }
    const added = grant ?? noGrant;
    if (exchange.httpVersion === 1) exchange.refusalHeaders = added.alone;
    return next(new CorsExchange(exchange, added));
  };
}

/** The response to a request that no page may read says only what it depends on. */
const noGrant = new ResponseHeaders({});

function isCacheable({ method }: Exchange): boolean {
  return method === "GET" || method === "HEAD";
}

function createTest(origins: CorsOptions["origins"]): (origin: string, exchange: Exchange) => boolean {
  if (typeof origins !== "function") {
    const all = [origins].flat().map(parseOrigin);
    return (origin) => all.some((matches) => matches?.(origin));
  }
  return (origin, exchange) => {
    const result: unknown = origins(origin, toRequestInfo(exchange));
    // A promise, for one, would count as true.
    if (typeof result === "boolean") return result;
    throw new TypeError(`cors.origins: expected true or false, found a result of type ${typeof result}`);
  };
}

/** So many origins have their headers prepared at a time. */
const maxGrants = 256;

/** Makes what finds the response headers for an allowed origin. */
function createGrants({ origins, credentials, exposedHeaders }: CorsOptions): (origin: string) => ResponseHeaders {
  const create = (origin: string) =>
    new ResponseHeaders(
      {
        "access-control-allow-origin": origin,
        ...(credentials === true && { "access-control-allow-credentials": "true" }),
      },
      exposedHeaders,
    );
  if (typeof origins !== "function" && [origins].flat().includes("*")) {
    const all = create("*");
    return () => all;
  }
  const grants = new Map<string, ResponseHeaders>();
  return (origin) => {
    const known = grants.get(origin);
    if (known !== undefined) return known;
    if (grants.size === maxGrants) grants.clear();
    const grant = create(origin);
    grants.set(origin, grant);
    return grant;
  };
}

/** Request headers of the protocols, and of Google's clients of REST. */
const protocolHeaders: readonly string[] = [
  "accept-encoding",
  "connect-accept-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-encoding",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "last-event-id",
  "x-grpc-web",
  "x-server-timeout",
  "x-user-agent",
];

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/** Chromium keeps the response to a preflight for two hours at most. */
const defaultMaxAgeSeconds = 7200;

const tokens = /^[\w!#$%&'*+.^`|~-]+(?: *, *[\w!#$%&'*+.^`|~-]+)*$/;

/** Makes what says to a preflight which requests may follow it. */
function createPreflight(options: CorsOptions): (exchange: Exchange) => OutgoingHttpHeaders {
  const { maxAgeSeconds = defaultMaxAgeSeconds, privateNetwork } = options;
  const methods = options.methods?.join(", ");
  const names = options.headers && [...protocolHeaders, ...options.headers].join(", ");
  return ({ headers }) => {
    const allowed: OutgoingHttpHeaders = { "access-control-max-age": String(maxAgeSeconds) };
    const isPrivate = headers["access-control-request-private-network"] === "true";
    if (privateNetwork === true && isPrivate) allowed["access-control-allow-private-network"] = "true";
    const allow = (name: string, value: string | undefined) => {
      if (value !== undefined && tokens.test(value)) allowed[name] = value;
    };
    allow("access-control-allow-methods", methods ?? header(headers, "access-control-request-method"));
    allow("access-control-allow-headers", names ?? header(headers, "access-control-request-headers"));
    return allowed;
  };
}

/** The browser refuses the request for want of headers. The line is for people. */
function refusePreflight(exchange: Exchange): void {
  const headers = { "content-type": "text/plain; charset=utf-8", vary: preflightVary };
  respond(exchange, 403, headers, "cors: requests from this origin are not allowed\n");
}

/** An exchange whose response has headers for pages of other origins. */
class CorsExchange extends WrappedExchange {
  readonly #added: ResponseHeaders;

  constructor(inner: Exchange, added: ResponseHeaders) {
    super(inner);
    this.#added = added;
  }

  override sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void {
    super.sendHead(status, this.#added.addTo(headers), hasTrailers);
  }
  override sendPreparedHead(head: PreparedHead, hasTrailers?: boolean): void {
    super.sendPreparedHead(this.#added.addToPrepared(head), hasTrailers);
  }
  override sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    super.sendHeadOnly(status, this.#added.addTo(headers));
  }
}
