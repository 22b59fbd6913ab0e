/** The connections of one transport, which closes them. */
import * as http from "node:http";
import * as https from "node:https";
import { Socket } from "node:net";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createNodeHttpClient, Http2SessionManager, type Http2SessionOptions } from "@connectrpc/connect-node";
import type { Endpoint } from "./base-url.js";
import type { ClientFn } from "./call-init.js";
import type { GrpcOptions } from "./grpc/call.js";
import { createOwnGrpcTransport } from "./grpc/transport.js";
import { type ClientTlsOptions, openSocket } from "./http2/open-socket.js";
import { Pool, type PoolSettings } from "./http2/pool.js";
import { checkPoolOptions, type PoolOptions } from "./http2/pool-options.js";
import { createUniversalClient } from "./http2/universal-client.js";

export type { ClientTlsOptions } from "./http2/open-socket.js";

/** Connections, opened when a call needs them. */
export interface ClientConnections {
  /** Sends a request on one of them. */
  httpClient: ClientFn;
  /** A transport for gRPC that is faster than Connect's. */
  openGrpc?: (options: Omit<GrpcOptions, "pool">) => Transport;
  /** Ends them all; calls under way fail with `canceled`. */
  close(): void;
}

/** Connections over our own HTTP/2. */
export interface Http2Connections extends ClientConnections {
  openGrpc: NonNullable<ClientConnections["openGrpc"]>;
  readonly pool: Pool;
}

export type Http2Options = Http2SessionOptions & PoolOptions;

/** What those who do more than call want of a pool. */
export type PoolUse = Partial<
  Pick<PoolSettings, "backoffMaxMs" | "lookup" | "onReady" | "schedule" | "staysConnected">
>;

/** The longest time between attempts to connect, in milliseconds. gRPC's two minutes are long for a caller that waits. */
const backoffMaxMsDefault = 10_000;

/** The error of calls under way when their transport is closed. */
export const closedError = (): ConnectError => new ConnectError("the transport was closed", Code.Canceled);

/** Connections over HTTP/1.1, one for each call under way, kept for later calls. */
export function openHttp1(target: Endpoint, tls: ClientTlsOptions = {}): ClientConnections {
  const agent = target.isTls ? new PromptAgent({ ...tls, keepAlive: true }) : new http.Agent({ keepAlive: true });
  const { socketPath } = target;
  return {
    httpClient: createNodeHttpClient({
      httpVersion: "1.1",
      nodeOptions: socketPath === undefined ? { agent } : { agent, socketPath },
    }),
    close() {
      // Agent.destroy() alone gives no reason, and the calls under way would fail with "aborted: socket hang up".
      for (const sockets of Object.values(agent.sockets)) {
        for (const socket of sockets ?? []) socket.destroy(closedError());
      }
      agent.destroy();
    },
  };
}

/** Sends a body at once. Node's own lets it wait for the acknowledgement of its head, 40 ms, but only with TLS. */
class PromptAgent extends https.Agent {
  override createConnection(...parameters: Parameters<https.Agent["createConnection"]>) {
    const socket = super.createConnection(...parameters);
    if (socket instanceof Socket) socket.setNoDelay(true);
    return socket;
  }
}

/**
 * Connections over HTTP/2, shared by all calls and opened again when they are lost.
 *
 * @throws TransportOptionError if an option is wrong
 */
export function openHttp2(
  target: Endpoint,
  options: Http2Options,
  tls: ClientTlsOptions = {},
  use: PoolUse = {},
): Http2Connections {
  const {
    pingIntervalMs = Number.POSITIVE_INFINITY,
    pingTimeoutMs = 15_000,
    pingIdleConnection = false,
    idleConnectionTimeoutMs = 15 * 60_000,
  } = options;
  const pool = new Pool({
    ...{ pingIntervalMs, pingTimeoutMs, pingIdleConnection, idleConnectionTimeoutMs },
    ...checkPoolOptions(options, target),
    backoffMaxMs: backoffMaxMsDefault,
    staysConnected: false,
    schedule: process.nextTick,
    ...use,
    isTls: target.isTls,
    openSocket: (address) => openSocket(target, tls, address),
  });
  return {
    pool,
    httpClient: createUniversalClient(pool, target.url),
    openGrpc: (grpc) => createOwnGrpcTransport({ ...grpc, pool }),
    close: () => pool.close(closedError()),
  };
}

/** The same by Node's `http2` and connect-node, to compare. */
export function openNodeHttp2(
  target: Endpoint,
  pings: Http2SessionOptions,
  tls: ClientTlsOptions = {},
): ClientConnections {
  const sockets = new Set<Socket>();
  const createConnection = (): Socket => {
    const socket = openSocket(target, tls);
    sockets.add(socket);
    return socket.once("close", () => sockets.delete(socket));
  };
  const sessionManager = new SessionManager(target.url, pings, { createConnection });
  return {
    httpClient: createNodeHttpClient({ httpVersion: "2", sessionProvider: () => sessionManager }),
    close() {
      // Http2SessionManager.abort() stops listening to a session whose error is still to come, which ends the process.
      for (const socket of sockets) socket.destroy(closedError());
    },
  };
}

/** Sets `:authority`: Node's `http2` omits the brackets of an IPv6 address, and `::1:80` is not a valid authority. */
class SessionManager extends Http2SessionManager {
  override request(...[method, path, headers, options]: Parameters<Http2SessionManager["request"]>) {
    return super.request(method, path, { ":authority": new URL(this.authority).host, ...headers }, options);
  }
}
