// What a server can be told, and what it does untold.
import type { JsonValue } from "@bufbuild/protobuf";
import type { ConnectRouter, ConnectRouterOptions, ContextValues } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { CallObserver } from "./call/active.js";
import type { RequestInfo } from "./http/exchange.js";
import type { ListenLimits } from "./listen/limits.js";
import type { TlsOptions } from "./listen/tls.js";
import type { DocsOptions } from "./openapi/options.js";
import type { RestOptions } from "./transcode/transcoder.js";

/** The same options, each of which may also be `undefined`, which counts as not given. */
type OrUndefined<Options> = { [Name in keyof Options]: Options[Name] | undefined };

/** Options of `createServer`. Those of Connect's routers are Connect's own and mean the same. */
export interface ServerOptions extends OrUndefined<ConnectRouterOptions> {
  /** Registers services, as with Connect's adapters: `(router) => router.service(Greeter, greeter)`. */
  routes: (router: ConnectRouter) => void;
  /** Port to listen on; 0 for any that is free. Default 50051. */
  port?: number | undefined;
  /** Address or name to listen on. Default `127.0.0.1`: nobody outside this machine. `::` opens it to all. */
  host?: string | undefined;
  /** Path of a Unix socket to listen on, in the place of host and port. */
  path?: string | undefined;
  /** Certificates, for TLS in the place of plaintext. */
  tls?: TlsOptions | undefined;
  /** Values for the context of a call, from its request. */
  contextValues?: ((request: RequestInfo) => ContextValues) | undefined;
  /** The most that one message from a client may have, in bytes, also after decompression. Default 4 MiB, as with gRPC. */
  readMaxBytes?: number | undefined;
  /**
   * Maximum number of elements of one request message: items of lists, entries of maps, and submessages, each of which
   * counts as many times as it has lists, maps and other properties when it is empty. Decoding stops with
   * `resource_exhausted` before it creates more. Default 4,194,304: as many as 4 MiB of packed numbers can have.
   */
  readMaxElements?: number | undefined;
  /** Limits on connections. */
  limits?: OrUndefined<Partial<ListenLimits>> | undefined;
  /** Whether to serve reflection, `grpc.reflection.v1` and `v1alpha`. Default true. */
  reflection?: boolean | undefined;
  /** Whether calls take our own, fast implementation of the protocols. Default true; Connect's own otherwise. */
  fastLane?: boolean | undefined;
  /**
   * Rules that replace the `google.api.http` options of their methods: the data of a service configuration, a
   * google.api.Service with its `http`, or a google.api.Http alone, `{ rules: [{ selector: "…", get: "/v1/…" }] }`.
   */
  httpRules?: JsonValue | undefined;
  /** How routes of `google.api.http` are served. */
  rest?: OrUndefined<RestOptions> | undefined;
  /** What is told of the services at `/openapi.json` and the pages; false for nothing. Default true. */
  docs?: DocsOptions | boolean | undefined;
  /** How long `close` goes on accepting after it has told health checks, in milliseconds. Default 0. */
  drainDelayMs?: number | undefined;
  /** How long `close` waits for calls under way, in milliseconds. Default 10,000. Then they get `unavailable`. */
  drainTimeoutMs?: number | undefined;
  /**
   * Called for every finished call. `warnings` tells what of the response could not be sent. What it throws goes to
   * `onConnectionError`. Without it, unexpected errors of handlers are written to standard error with their stack.
   */
  onCall?: CallObserver | undefined;
  /** Called by `createServer` for each probable mistake in its options, such as a route that no request can reach. */
  onWarning?: ((message: string) => void) | undefined;
  /**
   * Called for errors that no call ends with, and the step that failed: of connections, such as a failed handshake or a
   * malformed frame, and of the application's own callbacks, such as `onCall` ("observer") or a listener on
   * `context.signal` ("abort listener"). Without it, errors of callbacks become warnings of the process.
   */
  onConnectionError?: ((error: Error, step: string) => void) | undefined;
}

/** Options that always have a value. */
interface Defaults {
  port: number;
  host: string;
  readMaxBytes: number;
  readMaxElements: number;
  acceptCompression: Compression[];
  reflection: boolean;
  fastLane: boolean;
  limits: Partial<ListenLimits>;
  rest: RestOptions;
  docs: DocsOptions | boolean;
  drainDelayMs: number;
  drainTimeoutMs: number;
}

/** Options with defaults for all that has one. */
export type Settings = Omit<ServerOptions, keyof Defaults | keyof ConnectRouterOptions> &
  ConnectRouterOptions &
  Defaults;

const defaults: Defaults = {
  port: 50051,
  host: "127.0.0.1",
  readMaxBytes: 4 * 1024 * 1024,
  readMaxElements: 4 * 1024 * 1024,
  acceptCompression: [compressionGzip, compressionBrotli],
  reflection: true,
  fastLane: true,
  limits: {},
  rest: {},
  docs: true,
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
  const { readMaxElements } = settings;
  if (!Number.isInteger(readMaxElements) || readMaxElements < 1 || readMaxElements > maxInt32) {
    throw new RangeError(`readMaxElements: expected a whole number from 1 to ${maxInt32}, found ${readMaxElements}`);
  }
  return settings;
}

function withoutUndefined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const maxInt32 = 2 ** 31 - 1;
