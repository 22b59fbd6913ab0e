// What a listener needs of whatever speaks a version of HTTP for it.
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import type { Retirable } from "./connection-ages.js";
import type { ConnectionLoad } from "./connection-load.js";
import type { ListenLimits } from "./limits.js";
import type { Report } from "./report.js";
import type { OnRequest } from "./well-formed.js";

/** Speaks HTTP on the sockets that it is given. */
export interface HttpServer {
  /** @param load what the connection is busy with, for the search for stalled clients */
  serve(socket: Socket, load: ConnectionLoad): Retirable;
  /** Ends every connection after its calls: those that are open, and those that follow. */
  drain(): void;
  /** To be called when no connection is left. */
  stop(): void;
}

/** That of HTTP/1.1, whose clients are not told that a connection is about to end. */
export interface Http1Server extends HttpServer {
  /** Number of open connections. */
  readonly count: number;
  /** Ends connections without a call, now and from now on. */
  endGrace(): void;
}

export interface HttpServerOptions {
  readonly limits: ListenLimits;
  readonly clock: Clock;
  readonly onRequest: OnRequest;
  /** Told of connections that have failed. */
  readonly report: Report;
  readonly counters: Counters;
}
