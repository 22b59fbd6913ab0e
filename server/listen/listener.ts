// Turns one address into requests: sockets, TLS, HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113) on the same port, and their end.
import type { Server, Socket } from "node:net";
import { inspect } from "node:util";
import { type Clock, systemClock } from "../clock.js";
import { Counters } from "../counters.js";
import type { Handler } from "../http/exchange.js";
import type { Filter } from "../http/filter.js";
import type { Servers } from "./accept.js";
import { acceptConnections, reportErrors } from "./accept.js";
import type { Accept, BoundAddress, ListenAddress } from "./bind.js";
import { bindAddress, formatAddress, formatUrl, ListenError } from "./bind.js";
import { ConnectionAges } from "./connection-ages.js";
import { ConnectionLimit } from "./connection-limit.js";
import { Connections, type OpenConnections, type TransferredBytes } from "./connections.js";
import { DescriptorWatch } from "./descriptors.js";
import type { HttpServerOptions } from "./http-server.js";
import { createHttp1Server } from "./http1/server.js";
import { createHttp2Server } from "./http2/server.js";
import type { ListenLimits } from "./limits.js";
import { resolveLimits } from "./limits.js";
import { createNodeHandler, type NodeHandler } from "./node-handler.js";
import { createNodeHttp2Server } from "./node-http2/server.js";
import { type FrontProxies, noProxies } from "./proxy-header.js";
import type { ListenStep, Report } from "./report.js";
import { passRequestsTo } from "./requests.js";
import { StallWatch } from "./stalls.js";
import { createTcpServer } from "./tcp-server.js";
import type { TlsOptions } from "./tls.js";
import { checkTls, toSecureContextOptions } from "./tls.js";
import type { OnRequest } from "./well-formed.js";

export interface ListenerOptions {
  /**
   * Called for every well-formed request of either HTTP version: its authority is valid, and its target is a path. What
   * it throws becomes a 500.
   */
  handler: Handler;
  /** Called for every request before `handler`, malformed ones included. */
  filters?: readonly Filter[] | undefined;
  address: ListenAddress;
  /** Where connections come from. By default the server accepts them at the address. */
  accept?: Accept | undefined;
  /** With it the port speaks TLS only. */
  tls?: TlsOptions | undefined;
  limits?: Partial<ListenLimits> | undefined;
  /** Proxies before the listener. Default: none. */
  proxies?: FrontProxies | undefined;
  /** Who speaks HTTP/2: our own code, or that of Node. Default "own". */
  http2?: "own" | "node" | undefined;
  /** Told of what is worth a line in a log: refused handshakes, bytes that are no HTTP, a handler that threw. */
  onError?: Report | undefined;
  /** The system clock by default. Node keeps the time of TLS handshakes itself. */
  clock?: Clock | undefined;
  /** Counts connections and what is refused. Default: counters of its own. */
  counters?: Counters | undefined;
}

export interface Listener {
  /** Resolves when the address is bound. @throws ListenError */
  listen(): Promise<void>;
  /** `http://127.0.0.1:50051`, `https://[::1]:50051`, `unix:/run/greeter.sock`; with the port that was bound once `listen` has resolved. */
  readonly url: string;
  /** New connections get these certificates, open ones live on. @throws Error without a change if they cannot be used. */
  reloadTls(tls: TlsOptions): void;
  /** Begins to drain: no new connections, idle ones are closed, the others end after the calls that run on them. */
  stop(): void;
  /** Resolves when `stop` or `destroy` was called and the last connection has ended. */
  readonly closed: Promise<void>;
  /** Stops and cuts every connection that is still open. */
  destroy(): void;
  readonly connectionCount: number;
  /** The open connections by HTTP version. */
  readonly open: OpenConnections;
  /** Bytes of all connections so far. */
  readonly bytes: TransferredBytes;
  /** Serves requests of servers of Node that the application owns. */
  readonly handleNode: NodeHandler;
  /** Serves requests that come by any other way. */
  readonly onRequest: OnRequest;
}

/** @throws RangeError for a limit that cannot be. @throws Error for certificates that cannot be used. */
export function createListener(options: ListenerOptions): Listener {
  return new HttpListener(options);
}

class HttpListener implements Listener {
  readonly closed: Promise<void>;
  readonly handleNode: NodeHandler;
  readonly onRequest: OnRequest;
  readonly #options: ListenerOptions;
  readonly #limits: ListenLimits;
  readonly #report: Report;
  readonly #counters: Counters;
  /** Resolves `closed`, now or with what closes. */
  readonly #close: (closed?: Promise<void>) => void;
  #tls: TlsOptions | undefined;
  #url: string;
  /** From the first `listen` on: runtimes that serve by `fetch` alone have no servers of Node. */
  #port: Port | undefined;
  #isStopped = false;

  constructor(options: ListenerOptions) {
    const { address, tls, handler, filters = [], counters = new Counters() } = options;
    let close: (closed?: Promise<void>) => void = () => {};
    this.closed = new Promise((resolve) => {
      close = resolve;
    });
    const report = guardReport(options.onError ?? (() => {}));
    const limits = resolveLimits(options.limits);
    if (tls !== undefined) checkTls(tls);
    this.onRequest = passRequestsTo(handler, filters, report, counters);
    this.handleNode = createNodeHandler(this.onRequest, limits.headerCount, report);
    this.#options = options;
    this.#limits = limits;
    this.#report = report;
    this.#counters = counters;
    this.#close = close;
    this.#tls = tls;
    this.#url = formatUrl(address, null, tls !== undefined);
  }

  get url(): string {
    return this.#url;
  }

  get connectionCount(): number {
    return this.#port?.connections.count ?? 0;
  }

  get open(): OpenConnections {
    return this.#port?.connections.openWith(this.#port.servers.http1.count) ?? { opening: 0, http1: 0, http2: 0 };
  }

  get bytes(): TransferredBytes {
    return this.#port?.connections.bytes ?? { received: 0, sent: 0 };
  }

  async listen(): Promise<void> {
    const { address } = this.#options;
    if (this.#isStopped) throw new ListenError(`${formatAddress(address)}: already stopped`, "ERR_SERVER_NOT_RUNNING");
    this.#port ??= this.#openPort();
    const { server } = this.#port.servers.tcp;
    const bound = await this.#bind(server);
    this.#url = formatUrl(address, bound, this.#tls !== undefined);
    if (this.#isStopped) server.close();
  }

  async #bind(server: Server): Promise<BoundAddress> {
    const { address, accept } = this.#options;
    if (accept === undefined) {
      await bindAddress(server, address);
      return server.address();
    }
    const bound = await accept(address, (socket) => serveAccepted(server, socket, this.#limits));
    // What watches a server that listens begins.
    server.emit("listening");
    return bound;
  }

  #openPort(): Port {
    const { clock = systemClock, http2, proxies } = this.#options;
    const [limits, tls, onRequest, report] = [this.#limits, this.#tls, this.onRequest, this.#report];
    const port = openPort({
      limits,
      tls,
      http2,
      clock,
      onRequest,
      report,
      counters: this.#counters,
      proxies,
    });
    this.#close(port.closed);
    return port;
  }

  reloadTls(tls: TlsOptions): void {
    const before = this.#tls;
    if (before === undefined) throw new Error("tls: this listener speaks plaintext");
    if ((before.ca === undefined) !== (tls.ca === undefined)) {
      throw new Error("tls.ca: asking for client certificates cannot be switched on or off while listening");
    }
    checkTls(tls);
    this.#tls = tls;
    const server = this.#port?.servers.tcp.server;
    if (server !== undefined && "setSecureContext" in server) server.setSecureContext(toSecureContextOptions(tls));
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#port === undefined) {
      this.#close();
      return;
    }
    const { connections, servers } = this.#port;
    servers.http1.drain();
    connections.drain(() => servers.http1.endGrace());
    servers.http2.drain();
    servers.tcp.server.close();
  }

  destroy(): void {
    this.stop();
    this.#port?.connections.destroy();
  }
}

/** The servers behind an address, and their connections. */
interface Port {
  readonly servers: Servers;
  readonly connections: Connections;
  /** Resolves when the servers listen no more and the last connection has ended. */
  readonly closed: Promise<void>;
}

type PortOptions = HttpServerOptions & Pick<ListenerOptions, "http2" | "tls" | "proxies">;

function openPort(options: PortOptions): Port {
  const { limits, tls, clock, report, counters, proxies = noProxies } = options;
  const connections = new Connections(limits, clock, counters);
  const tcp = createTcpServer(limits, tls);
  const createHttp2 = options.http2 === "node" ? createNodeHttp2Server : createHttp2Server;
  const servers = { tcp, http1: createHttp1Server(options), http2: createHttp2(options) };
  const descriptors = new DescriptorWatch(tcp.server, clock, report);
  reportErrors(tcp, descriptors, report, counters);
  const stalls = new StallWatch(limits, clock, counters);
  const ages = new ConnectionAges(limits, clock, counters);
  const limit = new ConnectionLimit(limits, clock, counters, report, proxies);
  acceptConnections({ servers, connections, stalls, ages, limits, clock, counters, report, limit, proxies });
  limit.guard(tcp.server);
  const closed = whenClosed(servers, connections).finally(() => {
    descriptors.stop();
    stalls.stop();
    ages.stop();
  });
  return { servers, connections, closed };
}

/** Makes a report that throws or rejects a warning of the process: it is the log itself that fails. */
function guardReport(report: (error: Error, step: ListenStep) => unknown): Report {
  const warn = (thrown: unknown) => process.emitWarning("onConnectionError has thrown", { detail: inspect(thrown) });
  return (error, step) => {
    try {
      Promise.resolve(report(error, step)).catch(warn);
    } catch (thrown) {
      warn(thrown);
    }
  };
}

/** Serves a socket that another process has accepted, with the options of those that the server accepts itself. */
function serveAccepted(server: Server, socket: Socket, { probeMs }: ListenLimits): void {
  socket.allowHalfOpen = true;
  socket.setNoDelay(true).setKeepAlive(true, probeMs);
  server.emit("connection", socket);
}

async function whenClosed({ tcp, http1, http2 }: Servers, connections: Connections): Promise<void> {
  await new Promise((resolve) => tcp.server.once("close", resolve));
  // Node counts a socket as gone a moment before it is closed.
  await connections.ended();
  http1.stop();
  http2.stop();
}
