// The HTTP/1.1 half of a listener.
import type { Socket } from "node:net";
import { type CancelTimer, repeat } from "../../clock.js";
import type { Http1Server, HttpServerOptions } from "../http-server.js";
import type { ListenLimits } from "../limits.js";
import { type ConnectionSetup, Http1Connection } from "./connection.js";

export function createHttp1Server(options: HttpServerOptions): Http1Server {
  const { limits, clock } = options;
  const connections = new Map<Socket, Http1Connection>();
  /** Shared by all sockets. A closure for each would take a good part of the memory of an idle connection. */
  const forget = function (this: Socket) {
    connections.delete(this);
  };
  let isDraining = false;
  let isGraceOver = false;
  let stop: CancelTimer | undefined;
  const idleMs = shorter(limits.keepAliveMs, limits.maxConnectionIdleMs);
  const setup: ConnectionSetup = {
    ...options,
    idleMs,
    keepAliveLines: describeKeepAlive(idleMs),
    isDraining: () => isDraining,
    isGraceOver: () => isGraceOver,
  };
  const tick = () => {
    for (const connection of connections.values()) connection.tick();
  };
  return {
    get count() {
      return connections.size;
    },
    serve(socket, load) {
      // What came while the process was busy or asleep is read before the judgement.
      stop ??= repeat(clock, () => setImmediate(tick), tickMs(limits, idleMs));
      const connection = new Http1Connection(socket, load, setup);
      connections.set(socket, connection);
      socket.on("close", forget);
      return connection;
    },
    drain() {
      isDraining = true;
    },
    endGrace() {
      isGraceOver = true;
      for (const [socket, connection] of connections) {
        // The client of an ended socket gets time to read.
        if (connection.isIdle && !socket.writableEnded) socket.destroy();
      }
    },
    stop: () => stop?.(),
  };
}

/** The shorter of two times, where 0 is no limit. */
function shorter(aMs: number, bMs: number): number {
  return aMs === 0 || bMs === 0 ? aMs + bMs : Math.min(aMs, bMs);
}

/** A client that knows how long a connection may be idle does not begin a call on one that is about to end. */
function describeKeepAlive(idleMs: number): string {
  const hint = idleMs === 0 ? "" : `Keep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\n`;
  return `Connection: keep-alive\r\n${hint}`;
}

/** Milliseconds between two looks at the times of all connections: a second, or less if a limit is short. */
function tickMs({ headersMs, requestMs }: ListenLimits, idleMs: number): number {
  const limits = [headersMs, requestMs, idleMs].filter((ms) => ms > 0);
  return Math.ceil(Math.min(1000, ...limits.map((ms) => ms / 4)));
}
