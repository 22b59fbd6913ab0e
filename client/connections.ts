/** Turns a target into connections that belong to one transport, so that the application can close them with the transport. */
import * as http from "node:http";
import * as https from "node:https";
import { connect, isIP, Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type SecureContextOptions } from "node:tls";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createNodeHttpClient, Http2SessionManager, type Http2SessionOptions } from "@connectrpc/connect-node";
import type { Endpoint } from "./base-url.js";

/** What Node's `tls` takes, as far as it is the caller's to say. */
export type ClientTlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, "servername" | "rejectUnauthorized" | "checkServerIdentity">;

/** Connections, opened when a call needs them. */
export interface ClientConnections {
  /** Sends a request on one of them. */
  httpClient: UniversalClientFn;
  /** Ends them all; calls under way fail with `canceled`. */
  close(): void;
}

const closed = (): ConnectError => new ConnectError("the transport was closed", Code.Canceled);

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
        for (const socket of sockets ?? []) socket.destroy(closed());
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

/** One connection over HTTP/2, shared by all calls and opened again when it is lost. */
export function openHttp2(target: Endpoint, pings: Http2SessionOptions, tls: ClientTlsOptions = {}): ClientConnections {
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
      for (const socket of sockets) socket.destroy(closed());
    },
  };
}

/** Sets `:authority`: Node's `http2` omits the brackets of an IPv6 address, and `::1:80` is not a valid authority. */
class SessionManager extends Http2SessionManager {
  override request(...[method, path, headers, options]: Parameters<Http2SessionManager["request"]>) {
    return super.request(method, path, { ":authority": new URL(this.authority).host, ...headers }, options);
  }
}

/** A socket as `http2.connect` would open it. */
function openSocket({ url, isTls, socketPath }: Endpoint, tls: ClientTlsOptions): Socket {
  if (socketPath !== undefined) return connect(socketPath);
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (!isTls) return connect({ host, port: Number(port || 80) });
  const servername = isIP(host) === 0 ? host : "";
  return connectTls({ servername, ...tls, host, port: Number(port || 443), ALPNProtocols: ["h2"] });
}
