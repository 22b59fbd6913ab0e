/** Creates transports: one set of options for every protocol. */
import type { DescFile, JsonValue } from "@bufbuild/protobuf";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { type CommonTransportOptions, validateReadWriteMaxBytes } from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import {
  type ConnectTransportOptions,
  compressionBrotli,
  compressionGzip,
  type Http2SessionOptions,
} from "@connectrpc/connect-node";
import { createFileTypes, preferTypes } from "../server/schema/types.js";
import { type Endpoint, parseBaseUrl } from "./base-url.js";
import { type ClientConnections, type ClientTlsOptions, openHttp1, openHttp2, openNodeHttp2 } from "./connections.js";
import { TransportOptionError } from "./option-error.js";
import { createRestTransport } from "./rest-transport.js";
import { tellDeadlines } from "./tell-deadlines.js";
import { roundTimeoutMs, shortenGrpcTimeout, timeoutMaxMs } from "./timeout.js";

/** The protocols' names, as `TransportOptions.protocol` takes them. */
export const protocols = ["connect", "grpc", "grpc-web", "rest"] as const;

export type Protocol = (typeof protocols)[number];

type OpenTransport = (
  options: CommonTransportOptions & Pick<TransportOptions, "httpRules" | "httpVersion">,
) => Transport;

const openTransport: Record<Protocol, OpenTransport> = {
  connect: createConnectTransport,
  grpc: createGrpcTransport,
  "grpc-web": createGrpcWebTransport,
  rest: ({ httpVersion = "2", ...options }) => createRestTransport({ ...options, httpVersion }),
};

/**
 * Connect's own options (`useBinaryFormat`, `interceptors`, `acceptCompression`, `useHttpGet`, `pingIntervalMs`, …)
 * under their own names and with their own defaults, and these.
 */
export interface TransportOptions
  extends Omit<ConnectTransportOptions, "httpVersion" | "nodeOptions">,
    Http2SessionOptions {
  /** `connect`, `grpc`, `grpc-web` or `rest`. */
  protocol: Protocol;
  /**
   * `http://host:port`, `https://host:port`, either with a path under which the services lie, or `unix:/path` for
   * plaintext over a Unix socket.
   */
  baseUrl: string;
  /** The default is "2"; gRPC has no other. */
  httpVersion?: "1.1" | "2";
  /**
   * Which HTTP/2 to use: manywire's own, or with `"node"` Node's, and Connect's gRPC with it, which are slower and there to
   * compare. The default is "own".
   */
  http2?: "own" | "node";
  /** What to trust and what to show on an `https:` URL. The default trusts Node's own authorities and shows nothing. */
  tls?: ClientTlsOptions;
  /** The largest message accepted from the server, in bytes. The default is 4 MiB, as in gRPC. */
  readMaxBytes?: number;
  /**
   * For REST: the service configuration that the server has besides the `google.api.http` options of its methods, as
   * data, such as `{ rules: [{ selector: "…", get: "/v1/…" }] }`. Rules of services that are not called do not matter.
   */
  httpRules?: JsonValue;
  /** The deadline of a call that names none, in milliseconds from 1 to 2,147,483,647. The default is no deadline. */
  defaultTimeoutMs?: number;
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
 * The `timeoutMs` of a call is rounded up to whole milliseconds and is at most 24.8 days. 0, a negative number and `Infinity`
 * mean no deadline, also where there is a `defaultTimeoutMs`. A call with NaN fails with `invalid_argument`.
 */
export function createTransport(options: TransportOptions): ClosableTransport {
  const { defaultTimeoutMs } = options;
  const target = parseBaseUrl(options.baseUrl);
  refuseContradictions(options, target);
  const connections = openConnections(options, target);
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
    ...(defaultTimeoutMs !== undefined && { defaultTimeoutMs: roundTimeoutMs(defaultTimeoutMs) }),
  };
  const { httpClient, openGrpc } = connections;
  const { protocol, useBinaryFormat = true } = options;
  const transport =
    protocol === "grpc" && useBinaryFormat && openGrpc !== undefined
      ? openGrpc(common)
      : openTransport[protocol]({ ...common, ...learnTypes(options), httpClient, useBinaryFormat });
  return { ...withRoundTimeouts(transport), close: connections.close, [Symbol.dispose]: connections.close };
}

function withRoundTimeouts(transport: Transport): Transport {
  const round = (timeoutMs: number | undefined) => (timeoutMs === undefined ? undefined : roundTimeoutMs(timeoutMs));
  return {
    async unary(method, signal, timeoutMs, ...others) {
      return transport.unary(method, signal, round(timeoutMs), ...others);
    },
    async stream(method, signal, timeoutMs, ...others) {
      return transport.stream(method, signal, round(timeoutMs), ...others);
    },
  };
}

/** Adds the types of the files of services to the registry for JSON, as the services are called. */
function learnTypes({ interceptors = [], jsonOptions }: TransportOptions) {
  const files = new Set<DescFile>();
  const learn: Interceptor = (next) => (request) => {
    files.add(request.service.file);
    return next(request);
  };
  const registry = preferTypes(jsonOptions?.registry, createFileTypes(files));
  return {
    interceptors: [...interceptors, learn, shortenGrpcTimeout, tellDeadlines],
    jsonOptions: { ...jsonOptions, registry },
  };
}

function refuseContradictions({ protocol, httpVersion, tls, defaultTimeoutMs }: TransportOptions, target: Endpoint) {
  if (!protocols.includes(protocol)) {
    throw new TransportOptionError("protocol", `expected ${protocols.join(", ")}, found "${protocol}"`);
  }
  if (protocol === "grpc" && httpVersion === "1.1") {
    throw new TransportOptionError("httpVersion", "expected 2, the only version that gRPC runs on, found 1.1");
  }
  if (tls !== undefined && !target.isTls) {
    throw new TransportOptionError("tls", "expected an https: URL to go with it, found a plaintext one");
  }
  if (defaultTimeoutMs !== undefined && !(defaultTimeoutMs >= 1 && defaultTimeoutMs <= timeoutMaxMs)) {
    const range = `from 1 to ${timeoutMaxMs} milliseconds`;
    throw new TransportOptionError("defaultTimeoutMs", `expected ${range}, found ${defaultTimeoutMs}`);
  }
}

function openConnections(options: TransportOptions, target: Endpoint): ClientConnections {
  if (options.httpVersion === "1.1") return openHttp1(target, options.tls);
  return (options.http2 === "node" ? openNodeHttp2 : openHttp2)(target, options, options.tls);
}
