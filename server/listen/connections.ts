// The open connections of a listener, and how a drain closes each of them.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { peerOf } from "../http/peer.js";
import type { Retirable } from "./connection-ages.js";
import { endAndDiscard } from "./http1/linger.js";
import { answerTo } from "./http1/server.js";
import type { ListenLimits } from "./limits.js";
import { type BodySource, exchangeKey } from "./node-exchange.js";

class Http1Connection implements Retirable {
  /** Requests without a complete response; more than one when pipelined. */
  calls = 0;
  latest: ServerResponse | undefined;
  isRetired = false;

  /** The next response is the last one. An idle connection stays until then: a request may be on its way. */
  retire(): void {
    this.isRetired = true;
  }
}

/** Numbers of open connections. */
export type OpenConnections = Readonly<Record<"opening" | "http1" | "http2", number>>;

/** Bytes that sockets have received and sent. */
export type TransferredBytes = Readonly<Record<"received" | "sent", number>>;

export class Connections {
  readonly #limits: ListenLimits;
  readonly #clock: Clock;
  readonly #counters: Counters;
  /** Every accepted socket; with TLS the TCP socket. */
  readonly #accepted = new Set<Socket>();
  /** Accepted sockets whose HTTP version is not known yet. */
  readonly #opening = new Set<Socket>();
  readonly #http1 = new Map<Socket, Http1Connection>();
  /** Shared by all sockets. A closure for each would take a good part of the memory of an idle connection. */
  readonly #forgetSocket: (this: Socket) => void;
  #isDraining = false;
  #isGraceOver = false;

  constructor(limits: ListenLimits, clock: Clock, counters: Counters) {
    this.#limits = limits;
    this.#clock = clock;
    this.#counters = counters;
    const [accepted, opening, http1] = [this.#accepted, this.#opening, this.#http1];
    this.#forgetSocket = function () {
      if (accepted.delete(this)) addBytes(counters.closedBytes, this);
      opening.delete(this);
      http1.delete(this);
    };
  }

  get count(): number {
    return this.#accepted.size;
  }

  /** The open connections by HTTP version; `opening` are those that have not said theirs yet. */
  get open(): OpenConnections {
    const [opening, http1] = [this.#opening.size, this.#http1.size];
    // The TCP socket of a TLS connection is closed first.
    return { opening, http1, http2: Math.max(0, this.count - opening - http1) };
  }

  /** Bytes of all connections so far, open and closed, as they were on the network. Takes a while for many connections. */
  get bytes(): TransferredBytes {
    const bytes = { ...this.#counters.closedBytes };
    for (const socket of this.#accepted) addBytes(bytes, socket);
    return bytes;
  }

  /**
   * Whether the connection must close after this HTTP/1.1 response: during a drain, or if it is retired, unless pipelined
   * requests follow.
   */
  isLast(response: ServerResponse): boolean {
    const connection = this.#http1.get(response.req.socket);
    return connection?.latest === response && (this.#isDraining || connection.isRetired);
  }

  accept(socket: Socket): void {
    this.#counters.accepted++;
    this.#accepted.add(socket);
    this.#opening.add(socket);
    // Avoids an unhandled "error" event while no parser is attached.
    socket.on("error", ignore);
    socket.on("close", this.#forgetSocket);
    // Node forgets the address of a client that disconnects.
    peerOf(socket);
  }

  /**
   * Marks the HTTP version of a socket as known. `accepted` is undefined if its TCP socket is unknown; then a drain closes no
   * opening socket. Returns false if the drain grace is over and the socket was destroyed.
   */
  leaveOpening(accepted: Socket | undefined, socket: Socket): boolean {
    if (accepted === undefined) this.#opening.clear();
    else this.#opening.delete(accepted);
    if (this.#isGraceOver) socket.destroy();
    return !socket.destroyed;
  }

  addHttp1(socket: Socket): Retirable {
    const connection = new Http1Connection();
    this.#http1.set(socket, connection);
    // With TLS it is not the socket that was accepted.
    if (!this.#accepted.has(socket)) socket.on("close", this.#forgetSocket);
    return connection;
  }

  /** Counts a call. Returns the number of calls of the connection, with pipelined ones that wait. */
  callBegins(socket: Socket, response: ServerResponse): number {
    const connection = this.#http1.get(socket);
    if (connection === undefined) return 0;
    connection.latest = response;
    return ++connection.calls;
  }

  callEnds(socket: Socket): void {
    const connection = this.#http1.get(socket);
    if (connection === undefined) return;
    connection.calls--;
    if (this.#isGraceOver && connection.calls === 0) socket.destroySoon();
  }

  /** Rejects malformed input. Returns false if the client had already disconnected. */
  refuse(socket: Socket, error: { code?: string | undefined }): boolean {
    const connection = this.#http1.get(socket);
    const served: BodySource<IncomingMessage> | undefined = connection?.latest?.req;
    const answer = answerTo(error, served?.[exchangeKey]?.refusalHeaders);
    if (answer === undefined || connection === undefined || !socket.writable) {
      socket.destroy();
      return false;
    }
    // The response to the last request may have been written already.
    if (connection.calls === 0 || connection.latest?.writableEnded === true) {
      endAndDiscard(socket, this.#limits, answer);
    } else {
      // The malformed input belongs to the request that is being served. Its handler sees the connection close.
      if (connection.calls === 1 && connection.latest?.headersSent === false) socket.write(answer);
      socket.end(() => socket.destroy());
    }
    return true;
  }

  /** Starts a drain: every HTTP/1.1 connection closes after its active calls. */
  drain(): void {
    this.#isDraining = true;
    if (this.#limits.idleGraceMs === 0) this.#endGrace();
    else this.#clock.schedule(() => this.#endGrace(), this.#limits.idleGraceMs);
  }

  #endGrace(): void {
    this.#isGraceOver = true;
    for (const socket of this.#opening) socket.destroy();
    for (const [socket, { calls }] of this.#http1) {
      // The client of an ended socket gets time to read.
      if (calls === 0 && !socket.writableEnded) socket.destroy();
    }
  }

  /** Resolves when no socket is left. */
  async ended(): Promise<void> {
    for (const socket of this.#accepted) await new Promise((resolve) => socket.once("close", resolve));
  }

  destroy(): void {
    for (const socket of this.#accepted) socket.destroy();
  }
}

function addBytes(bytes: Record<"received" | "sent", number>, { bytesRead, bytesWritten }: Socket): void {
  bytes.received += bytesRead;
  bytes.sent += bytesWritten;
}

function ignore(): void {}
