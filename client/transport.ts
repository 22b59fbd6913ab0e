/** Creates transports: one set of options for every protocol. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { type CommonTransportOptions, validateReadWriteMaxBytes } from "@connectrpc/connect/protocol";
import { createTransport as openGrpc } from "@connectrpc/connect/protocol-grpc";
import {
  type ConnectTransportOptions,
  compressionBrotli,
  compressionGzip,
  type Http2SessionOptions,
} from "@connectrpc/connect-node";
import { ownJson } from "../server/codec/json.js";
import { createFileTypes } from "../server/schema/types.js";
import { type Endpoint, parseBaseUrl } from "./base-url.js";
import { type SettingsOf, TransportSettings } from "./call-settings.js";
import {
  type ClientConnections,
  type ClientTlsOptions,
  closedError,
  openHttp1,
  openHttp2,
  openNodeHttp2,
} from "./connections.js";
import { type Defined, type Undefinable, withoutUndefined } from "./defined.js";
import { openFetch } from "./fetch-connections.js";
import { type PoolOptions, poolOptionNames } from "./http2/pool-options.js";
import { learnTypes } from "./learn-types.js";
import { TransportOptionError } from "./option-error.js";
import { openRest } from "./rest-transport.js";
import { tellDeadlines } from "./tell-deadlines.js";
import { checkDefaultTimeout, shortenGrpcTimeout, withDeadlines } from "./timeout.js";
import { createConnectTransport as openConnect } from "./universal/connect.js";
import { createGrpcWebTransport as openGrpcWeb } from "./universal/grpc-web.js";
import { withoutBidi } from "./without-bidi.js";

/** The protocols' names, as `TransportOptions.protocol` takes them. */
export const protocols = ["connect", "grpc", "grpc-web", "rest"] as const;

export type Protocol = (typeof protocols)[number];

/** Options of a transport for one protocol. */
export type ProtocolOptions = Omit<TransportOptions, "protocol">;

/** Options without those that are undefined. */
type DefinedOptions = Defined<TransportOptions>;

type OpenTransport = (
  options: Omit<CommonTransportOptions, "httpClient"> &
    Pick<ClientConnections, "httpClient"> &
    Pick<DefinedOptions, "codeGeneration" | "httpRules" | "httpVersion"> & { readonly settingsOf: SettingsOf },
) => Transport;

const openTransport: Record<Protocol, OpenTransport> = {
  connect: openConnect,
  grpc: openGrpc,
  "grpc-web": openGrpcWeb,
  rest: ({ httpVersion = "2", ...options }) => openRest({ ...options, httpVersion, codec: ownJson }),
};

/**
 * Connect's own options (`useBinaryFormat`, `interceptors`, `acceptCompression`, `useHttpGet`, `pingIntervalMs`, …)
 * under their own names and with their own defaults, and these.
 */
export interface TransportOptions
  extends Undefinable<Omit<ConnectTransportOptions, "httpVersion" | "nodeOptions">>,
    Undefinable<Http2SessionOptions>,
    PoolOptions {
  /** `connect`, `grpc`, `grpc-web` or `rest`. */
  protocol: Protocol;
  /**
   * `http://host:port`, `https://host:port`, either with a path under which the services lie, or `unix:/path` for
   * plaintext over a Unix socket.
   */
  baseUrl: string;
  /**
   * The function to send requests with: in browsers instead of their `fetch`, for example with cookies,
   * `(url, init) => fetch(url, { ...init, credentials: "include" })`; in Node instead of connections, for example to call a
   * server of the same process, `(url, init) => server.fetch(new Request(url, init))`. Not for gRPC, nor for streams of
   * requests and replies at the same time.
   */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** The default is "2"; gRPC has no other. */
  httpVersion?: "1.1" | "2" | undefined;
  /**
   * Which HTTP/2 to use: manywire's own, or with `"node"` Node's, and Connect's gRPC with it, which are slower and there to
   * compare. The default is "own".
   */
  http2?: "own" | "node" | undefined;
  /** What to trust and what to show on an `https:` URL. The default trusts Node's own authorities and shows nothing. */
  tls?: ClientTlsOptions | undefined;
  /** The largest message accepted from the server, in bytes. The default is 4 MiB, as in gRPC. */
  readMaxBytes?: number | undefined;
  /**
   * For REST: the service configuration that the server has besides the `google.api.http` options of its methods, as
   * data, such as `{ rules: [{ selector: "…", get: "/v1/…" }] }`. Rules of services that are not called do not matter.
   */
  httpRules?: JsonValue | undefined;
  /**
   * Whether to make code of message types (`new Function`), which reads and writes messages. Without it, encoding takes 1.1
   * times as long, and decoding up to 4 times. Default true, in Node, where the runtime allows it.
   */
  codeGeneration?: boolean | undefined;
  /** The deadline of a call that names none, in milliseconds. The default is no deadline. */
  defaultTimeoutMs?: number | undefined;
  /**
   * gRPC's service config as data, for every protocol: timeouts, retries and waiting by method, and load balancing. Browsers
   * have none.
   */
  serviceConfig?: JsonValue | undefined;
  /**
   * Whether calls wait while no server can be reached, until their deadline, instead of failing with `unavailable`. It needs
   * manywire's own HTTP/2. Default: false.
   */
  waitForReady?: boolean | undefined;
}

/** A transport with connections of its own. */
export interface ClosableTransport extends Transport, Disposable {
  /**
   * Ends the connections; calls under way fail with `canceled`, later ones connect again. An idle connection does not
   * keep a process alive, so a program that is about to end need not call this.
   */
  close(): void;
}

const readMaxBytesDefault = 4 * 1024 * 1024;

/**
 * Makes a transport, which connects with its first call. Throws a `TransportOptionError` for options that cannot be
 * fulfilled.
 *
 * The `timeoutMs` of a call is rounded up to whole milliseconds, and may be of any length. 0, a negative number and `Infinity`
 * mean no deadline, also where there is a `defaultTimeoutMs`. A call with NaN fails with `invalid_argument`.
 */
export function createTransport(given: TransportOptions): ClosableTransport {
  const options = withoutUndefined(given);
  const { defaultTimeoutMs } = options;
  const target = parseBaseUrl(options.baseUrl);
  refuseContradictions(options, target);
  const settings = new TransportSettings(options);
  refuseWithoutOwnHttp2(options, settings);
  const loadBalancing = options.loadBalancing ?? settings.loadBalancing;
  const connections = openConnections({ ...options, ...(loadBalancing !== undefined && { loadBalancing }) }, target);
  const common = {
    ...options,
    ...validateReadWriteMaxBytes(
      options.readMaxBytes ?? readMaxBytesDefault,
      options.writeMaxBytes,
      options.compressMinBytes,
    ),
    interceptors: options.interceptors ?? [],
    baseUrl: target.url,
    acceptCompression: options.acceptCompression ?? [compressionGzip, compressionBrotli],
    sendCompression: options.sendCompression ?? null,
    settingsOf: settings.of,
  };
  const { httpClient, openGrpc } = connections;
  const { protocol, useBinaryFormat = true } = options;
  const transport =
    protocol === "grpc" && openGrpc !== undefined
      ? openGrpc({ ...common, ...(useBinaryFormat ? {} : learnTypes(options, createFileTypes)), useBinaryFormat })
      : openTransport[protocol]({ ...common, ...withTypes(options), httpClient, useBinaryFormat });
  const possible = options.fetch === undefined ? transport : withoutBidi(transport, "transports with fetch");
  const timed = settings.limitTime(withDeadlines(possible, protocol, defaultTimeoutMs));
  const close = () => {
    settings.close(closedError());
    connections.close();
  };
  return { ...timed, close, [Symbol.dispose]: close };
}

/** Makes a transport for Connect. Bundles for browsers that use it have no code of other protocols. */
export function createConnectTransport(options: ProtocolOptions): ClosableTransport {
  return createTransport({ ...options, protocol: "connect" });
}

/** Makes a transport for gRPC-Web. Bundles for browsers that use it have no code of other protocols. */
export function createGrpcWebTransport(options: ProtocolOptions): ClosableTransport {
  return createTransport({ ...options, protocol: "grpc-web" });
}

/** Makes a transport for REST. Bundles for browsers that use it have no code of other protocols. */
export function createRestTransport(options: ProtocolOptions): ClosableTransport {
  return createTransport({ ...options, protocol: "rest" });
}

function withTypes(options: DefinedOptions) {
  const { interceptors, jsonOptions } = learnTypes(options, createFileTypes);
  return { interceptors: [...interceptors, shortenGrpcTimeout, tellDeadlines], jsonOptions };
}

function refuseContradictions(options: DefinedOptions, target: Endpoint) {
  const { protocol, httpVersion, http2, tls, fetch, defaultTimeoutMs } = options;
  if (!protocols.includes(protocol)) {
    throw new TransportOptionError("protocol", `expected ${protocols.join(", ")}, found "${protocol}"`);
  }
  if (protocol === "grpc" && httpVersion === "1.1") {
    throw new TransportOptionError("httpVersion", "expected 2, the only version that gRPC runs on, found 1.1");
  }
  if (protocol === "grpc" && fetch !== undefined) {
    throw new TransportOptionError("fetch", "expected connect, grpc-web or rest to go with it, found grpc");
  }
  if (tls !== undefined && !target.isTls) {
    throw new TransportOptionError("tls", "expected an https: URL to go with it, found a plaintext one");
  }
  if (httpVersion === "1.1" || http2 === "node" || fetch !== undefined) {
    const option = poolOptionNames.find((name) => options[name] !== undefined);
    if (option !== undefined) throw new TransportOptionError(option, "expected HTTP/2 of manywire's own to go with it");
  }
  checkDefaultTimeout(defaultTimeoutMs);
}

/** Waiting is done by our own connections, and Connect's gRPC sends no call again. */
function refuseWithoutOwnHttp2(options: DefinedOptions, settings: TransportSettings): void {
  const { protocol, httpVersion, http2, fetch } = options;
  if (httpVersion !== "1.1" && http2 !== "node" && fetch === undefined) return;
  const ofHttp2 = httpVersion === "1.1" ? ["httpVersion", "1.1"] : ["http2", '"node"'];
  const [option = "", found = ""] = fetch === undefined ? ofHttp2 : ["fetch", "a function"];
  if (settings.hasWaiting) {
    throw new TransportOptionError(option, `expected manywire's own HTTP/2, which waitForReady needs, found ${found}`);
  }
  if (protocol === "grpc" && settings.hasRetries) {
    throw new TransportOptionError(option, `expected manywire's own HTTP/2, which retryPolicy needs, found ${found}`);
  }
}

function openConnections(options: DefinedOptions, target: Endpoint): ClientConnections {
  if (options.fetch !== undefined) return openFetch(options.fetch);
  if (options.httpVersion === "1.1") return openHttp1(target, options.tls);
  return (options.http2 === "node" ? openNodeHttp2 : openHttp2)(target, options, options.tls);
}
