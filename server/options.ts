// Server options and their defaults.
import type { JsonValue } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, ContextValues } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { CallObserver } from "./call/observer.js";
import type { Router } from "./call/table.js";
import { compressionBrotli, compressionGzip } from "./compressions.js";
import type { RequestInfo } from "./http/exchange.js";
import type { ListenLimits } from "./listen/limits.js";
import type { TlsOptions } from "./listen/tls.js";
import type { Fallback } from "./mount/fallback.js";
import type { DocsOptions } from "./openapi/options.js";
import type { CorsOptions } from "./operate/cors/options.js";
import type { CallLimits } from "./operate/overload/limits.js";
import type { ErrorLogger } from "./operate/unexpected.js";
import type { RestOptions } from "./transcode/transcoder.js";
import type { UpstreamOptions } from "./upstream/options.js";
import { checkWholeNumber } from "./whole-number.js";

/** The same options, each of which may also be `undefined`, which counts as not given. */
type OrUndefined<Options> = { [Name in keyof Options]: Options[Name] | undefined };

/** Options of the document and the pages. */
export interface PagesOptions extends DocsOptions {
  /**
   * Called for every request to `/openapi.json`, `/openapi.yaml`, `/docs` and `/`. A response is sent instead of the page, such
   * as a 401 with `www-authenticate`; undefined lets the request pass.
   */
  readonly guard?: Fallback | undefined;
}

/** Options of `createServer`. Those of Connect's routers are Connect's own and mean the same. */
export interface ServerOptions extends OrUndefined<ConnectRouterOptions> {
  /** Registers services, as with Connect's adapters: `(router) => router.service(Greeter, greeter)`. */
  routes: (router: Router) => void;
  /**
   * gRPC servers whose services are served here, too, by forwarding: over every protocol, with routes, documents and
   * reflection. A method in `routes` counts before theirs.
   */
  upstreams?: readonly UpstreamOptions[] | undefined;
  /**
   * Proxies before this server: addresses, networks such as `10.0.0.0/8`, `loopback`, `linklocal`, `private`, `unix` (a Unix
   * socket), or `*` for all. In requests from these, `x-forwarded-*` and `forwarded` say who the client is and what it has
   * called, and upstreams get these headers, with the address of the proxy appended. Default: none, and such headers count for
   * nothing.
   */
  trustProxy?: string | readonly string[] | undefined;
  /**
   * Whether connections from the networks of `trustProxy` begin with a PROXY header (version 1 or 2), as HAProxy and load
   * balancers of AWS send it. Its source address is the client. A connection from there without the header is closed. Default
   * false.
   */
  proxyProtocol?: boolean | undefined;
  /** Port to listen on; 0 takes a free port. Default 50051. */
  port?: number | undefined;
  /** Address or host name to listen on. Default `127.0.0.1`: this machine only. `::` accepts connections from others. */
  host?: string | undefined;
  /** Path of a Unix socket to listen on instead of host and port. */
  path?: string | undefined;
  /** Descriptor of a socket that listens already, such as 3 with socket activation. It counts before `path`, `host` and `port`. */
  fd?: number | undefined;
  /** Certificates. With them the port accepts TLS only. */
  tls?: TlsOptions | undefined;
  /** Returns the context values of a call. Called once for every call. What it throws ends the call. */
  contextValues?: ((request: RequestInfo) => ContextValues) | undefined;
  /** Maximum size of a request message in bytes, after decompression. Default 4 MiB, as with gRPC. */
  readMaxBytes?: number | undefined;
  /**
   * Maximum number of elements of one request message: items of lists, entries of maps, and submessages, each of which
   * counts as many times as it has lists, maps and other properties when it is empty. Decoding stops with
   * `resource_exhausted` before it creates more. Default 4,194,304: as many as 4 MiB of packed numbers can have.
   */
  readMaxElements?: number | undefined;
  /**
   * Whether responses are compressed for clients that accept it. `true` is for every protocol, `false` for none. The options
   * of a service or method may differ, and a handler's `setCompression`. Default: for all but gRPC, whose clients accept gzip
   * with every call.
   */
  compressResponses?: boolean | undefined;
  /**
   * Whether to make code of message types (`new Function`), which reads and writes messages. Without it, encoding takes 1.1
   * times as long, and decoding up to 4 times. Default true, where the runtime allows it.
   */
  codeGeneration?: boolean | undefined;
  /** Limits on connections, and on the calls of all of them. */
  limits?: OrUndefined<Partial<ListenLimits & CallLimits>> | undefined;
  /** Whether to serve reflection, `grpc.reflection.v1` and `v1alpha`. Default true. */
  reflection?: boolean | undefined;
  /** Whether manywire's own code serves the protocols. `false` serves them with Connect's handlers. Default true. */
  fastLane?: boolean | undefined;
  /** Whether the server's interceptors also run for health and reflection. Default false: probes and tools stay served. */
  interceptBuiltIns?: boolean | undefined;
  /** Who speaks HTTP/2: `"own"`, manywire's own code, or `"node"`, Node's `http2`. Default `"own"`. */
  http2?: "own" | "node" | undefined;
  /**
   * Rules that replace the `google.api.http` options of their methods: a service configuration as JSON (google.api.Service
   * with `http`), or google.api.Http alone, `{ rules: [{ selector: "…", get: "/v1/…" }] }`.
   */
  httpRules?: JsonValue | undefined;
  /** Options of REST routes. */
  rest?: OrUndefined<RestOptions> | undefined;
  /**
   * Which pages of other origins may call (CORS). `true` is all, without credentials. Off by default: browsers then refuse
   * their calls.
   */
  cors?: CorsOptions | boolean | undefined;
  /** Path under which everything is served, such as `/api`. Default: none. */
  requestPathPrefix?: string | undefined;
  /**
   * Serves requests that nothing else serves: own routes, static files, webhooks. Gets a `Request` and returns a `Response`, or
   * undefined for 404.
   */
  fallback?: Fallback | undefined;
  /**
   * Maximum size of a request body for `fallback` in bytes. A larger one gets 413, and fails when the fallback reads it.
   * Default 4 MiB.
   */
  fallbackMaxBytes?: number | undefined;
  /** Options for `/openapi.json`, `/docs` and `/`. `false` turns them off. Default true. */
  docs?: PagesOptions | boolean | undefined;
  /** Milliseconds between failing health checks and refusing connections in `close`. Default 0. */
  drainDelayMs?: number | undefined;
  /** Milliseconds that `close` waits for active calls. Then they end with `unavailable`. Default 10,000. */
  drainTimeoutMs?: number | undefined;
  /**
   * Called once for every finished call: a function, or an object with `start` and `end`, or a list of them. A request that
   * becomes no call is not reported: one for an unknown method, or with the wrong HTTP method or content type. What observers
   * throw goes to `onConnectionError`.
   */
  onCall?: CallObserver | readonly CallObserver[] | undefined;
  /**
   * Gets unexpected errors of handlers, such as a logger of pino or `console`. Without it, and without a function in `onCall`,
   * they go to standard error with their stack.
   */
  logger?: ErrorLogger | undefined;
  /** Called by `createServer` for each likely mistake in its options, such as an unreachable route. */
  onWarning?: ((message: string) => void) | undefined;
  /**
   * Called for errors outside any call, with the step that failed: connection errors, such as a failed TLS handshake or a
   * malformed frame, and errors of the application's callbacks, such as `onCall` ("observer") or a listener on
   * `context.signal` ("abort listener"). Without it, errors of callbacks become process warnings.
   */
  onConnectionError?: ((error: Error, step: string) => void) | undefined;
}

/** Options with a default. */
interface Defaults {
  port: number;
  host: string;
  readMaxBytes: number;
  readMaxElements: number;
  codeGeneration: boolean;
  fallbackMaxBytes: number;
  acceptCompression: Compression[];
  compressMinBytes: number;
  reflection: boolean;
  fastLane: boolean;
  http2: "own" | "node";
  limits: Partial<ListenLimits & CallLimits>;
  rest: RestOptions;
  docs: PagesOptions | boolean;
  interceptBuiltIns: boolean;
  drainDelayMs: number;
  drainTimeoutMs: number;
}

/** The options with their defaults. */
export type Settings = Omit<ServerOptions, keyof Defaults | keyof ConnectRouterOptions> &
  ConnectRouterOptions &
  Defaults;

const defaults: Defaults = {
  port: 50051,
  host: "127.0.0.1",
  readMaxBytes: 4 * 1024 * 1024,
  readMaxElements: 4 * 1024 * 1024,
  codeGeneration: true,
  fallbackMaxBytes: 4 * 1024 * 1024,
  acceptCompression: [compressionGzip, compressionBrotli],
  compressMinBytes: 1400,
  reflection: true,
  fastLane: true,
  http2: "own",
  limits: {},
  rest: {},
  docs: true,
  interceptBuiltIns: false,
  drainDelayMs: 0,
  drainTimeoutMs: 10_000,
};

/**
 * Fills in the defaults. An option that is `undefined` counts as not given.
 *
 * @throws RangeError that names the option
 */
export function resolveOptions(options: ServerOptions): Settings {
  const { limits = {}, rest = {} } = options;
  const given = { ...options, limits: withoutUndefined(limits), rest: withoutUndefined(rest) };
  const settings = { ...defaults, ...withoutUndefined(given) } as Settings;
  checkWholeNumber("readMaxElements", settings.readMaxElements, 1);
  checkWholeNumber("fallbackMaxBytes", settings.fallbackMaxBytes, 0);
  if (settings.fd !== undefined) checkWholeNumber("fd", settings.fd, 0);
  return settings;
}

function withoutUndefined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
