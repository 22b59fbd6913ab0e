// What a listener needs of whatever speaks HTTP/2 for it.
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import type { Retirable } from "./connection-ages.js";
import type { ConnectionLoad } from "./connection-load.js";
import type { ListenLimits } from "./limits.js";
import type { Report } from "./report.js";
import type { OnRequest } from "./well-formed.js";

/** Speaks HTTP/2 on the sockets that it is given. */
export interface Http2Server {
  /** @param load what the connection is busy with, for the search for stalled clients */
  serve(socket: Socket, load: ConnectionLoad): Retirable;
  /** Ends every connection after its calls: those that are open, and those that follow. */
  drain(): void;
  /** To be called when no connection is left. */
  stop(): void;
}

export interface Http2ServerOptions {
  readonly limits: ListenLimits;
  readonly clock: Clock;
  readonly onRequest: OnRequest;
  /** Told of connections that have failed. */
  readonly report: Report;
  readonly counters: Counters;
}
