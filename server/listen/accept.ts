// Passes accepted sockets to the server of their HTTP version: by ALPN with TLS, by their first bytes in plaintext.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { peerOf } from "../http/peer.js";
import type { ConnectionAges } from "./connection-ages.js";
import type { ConnectionLimit } from "./connection-limit.js";
import type { Connections } from "./connections.js";
import { type DescriptorWatch, isOutOfDescriptors } from "./descriptors.js";
import type { Http1Server, HttpServer } from "./http-server.js";
import type { ListenLimits } from "./limits.js";
import { type FrontProxies, readProxyHeader } from "./proxy-header.js";
import { isDisconnect, type ListenStep, type Report } from "./report.js";
import type { HttpVersion } from "./sniff.js";
import { sniff } from "./sniff.js";
import type { StallWatch } from "./stalls.js";
import { isTcp } from "./tcp-handle.js";
import type { TcpServer } from "./tcp-server.js";

export interface Servers {
  readonly tcp: TcpServer;
  readonly http1: Http1Server;
  readonly http2: HttpServer;
}

/** What takes part in accepting a connection. */
interface AcceptParts {
  readonly servers: Servers;
  readonly connections: Connections;
  readonly stalls: StallWatch;
  readonly ages: ConnectionAges;
  readonly limits: ListenLimits;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly report: Report;
  readonly limit: ConnectionLimit;
  readonly proxies: FrontProxies;
}

export function acceptConnections(parts: AcceptParts): void {
  const { servers, connections, stalls, ages, limits, clock, counters, report, limit, proxies } = parts;
  const { server, startTls } = servers.tcp;
  const limitHalfClose = halfCloseLimiter(limits.lingerMs, clock);
  const serve = (version: HttpVersion, accepted: Socket | undefined, socket: Socket) => {
    socket.on("finish", limitHalfClose);
    if (!connections.leaveOpening(accepted, socket)) return;
    const load = stalls.add(socket);
    ages.add(socket, load, servers[version].serve(socket, load));
  };
  const onTimeout = () => counters.refuse("opening_timeout");
  const sniffVersion = (socket: Socket) =>
    sniff(socket, limits.openingMs, clock, (version) => serve(version, socket, socket), onTimeout);
  const open = startTls ?? sniffVersion;
  const onFault = (error: Error) => {
    counters.refuse("proxy_header");
    report(error, "proxy header");
  };
  const openForClient = (socket: Socket) => {
    if (limit.admitsAddress(socket, peerOf(socket))) open(socket);
  };
  server.on("connection", (socket: Socket) => {
    connections.accept(socket);
    const peer = peerOf(socket);
    // A client that has reset its connection already has no address. It must not pass for one of a Unix socket.
    if (peer === "" && isTcp(socket)) socket.destroy();
    else if (!proxies.sendHeaders || !proxies.includes(peer)) open(socket);
    else readProxyHeader(socket, limits.openingMs, clock, () => openForClient(socket), onFault, onTimeout);
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", ignore);
    serve(socket.alpnProtocol === "h2" ? "http2" : "http1", socketUnder(socket), socket);
  });
}

/**
 * Returns a listener of a socket's `finish`, the moment when the server has ended its side: the client then has `lingerMs` to
 * end its own, or the socket is destroyed.
 */
function halfCloseLimiter(lingerMs: number, clock: Clock): (this: Socket) => void {
  return function () {
    this.once(
      "close",
      clock.schedule(() => this.destroy(), lingerMs),
    );
  };
}

/** Returns the TCP socket of a TLS socket. Node has no public name for it. */
function socketUnder(socket: TLSSocket): Socket | undefined {
  return (socket as { _parent?: Socket })._parent;
}

function ignore(): void {}

/** Reports connection errors, but not that a client has disconnected. */
export function reportErrors(
  { server }: TcpServer,
  descriptors: DescriptorWatch,
  report: Report,
  counters: Counters,
): void {
  const reportFrom = (step: ListenStep) => (error: NodeJS.ErrnoException) => {
    if (!isDisconnect(error)) report(error, step);
  };
  const reportAccept = reportFrom("accept");
  server.on("listening", () => {
    server.on("error", (error) => (isOutOfDescriptors(error) ? descriptors.report(error) : reportAccept(error)));
  });
  const reportHandshake = reportFrom("tls handshake");
  server.on("tlsClientError", (error, socket) => {
    if (!isDisconnect(error)) counters.refuse("tls_handshake");
    reportHandshake(certificateError(socket) ?? error);
    socket.destroy();
  });
}

/** Node closes the connection of a client with an invalid certificate without an error. */
function certificateError({ authorizationError }: TLSSocket): Error | undefined {
  if (!authorizationError) return undefined;
  return new Error(`client certificate: ${authorizationError}`);
}
