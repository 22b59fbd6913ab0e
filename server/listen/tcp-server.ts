// Accepts connections: a server of TCP, or of TLS whose handshakes begin when they are asked for.
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { ListenLimits } from "./limits.js";
import { type TlsOptions, toSecureServerOptions } from "./tls.js";

export interface TcpServer {
  readonly server: Server | TlsServer;
  /** Begins the TLS handshake on an accepted socket, whose TLS socket is then emitted as "secureConnection"; absent in plaintext. */
  readonly startTls: ((socket: Socket) => void) | undefined;
}

export function createTcpServer({ probeMs, openingMs }: ListenLimits, tls: TlsOptions | undefined): TcpServer {
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: probeMs };
  if (tls === undefined) return { server: createServer({ ...options, allowHalfOpen: true }), startTls: undefined };
  const server = createTlsServer({ ...options, ...toSecureServerOptions(tls, openingMs) });
  const [startTls] = server.listeners("connection") as [(socket: Socket) => void];
  server.removeAllListeners("connection");
  return { server, startTls: (socket) => startTls.call(server, socket) };
}
