// The open connections of a listener, and how a drain closes those that have said nothing yet.
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { peerOf } from "../http/peer.js";
import type { ListenLimits } from "./limits.js";

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
  /** Shared by all sockets. A closure for each would take a good part of the memory of an idle connection. */
  readonly #forgetSocket: (this: Socket) => void;
  #isGraceOver = false;

  constructor(limits: ListenLimits, clock: Clock, counters: Counters) {
    this.#limits = limits;
    this.#clock = clock;
    this.#counters = counters;
    const [accepted, opening] = [this.#accepted, this.#opening];
    this.#forgetSocket = function () {
      if (accepted.delete(this)) addBytes(counters.closedBytes, this);
      opening.delete(this);
    };
  }

  get count(): number {
    return this.#accepted.size;
  }

  /** The open connections by HTTP version, of which those of HTTP/1.1 are known; `opening` are those that have not said theirs yet. */
  openWith(http1: number): OpenConnections {
    const opening = this.#opening.size;
    // The TCP socket of a TLS connection is closed first.
    return { opening, http1, http2: Math.max(0, this.count - opening - http1) };
  }

  /** Bytes of all connections so far, open and closed, as they were on the network. Takes a while for many connections. */
  get bytes(): TransferredBytes {
    const bytes = { ...this.#counters.closedBytes };
    for (const socket of this.#accepted) addBytes(bytes, socket);
    return bytes;
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

  /** Starts a drain. @param onGraceOver called when connections without a call are to end */
  drain(onGraceOver: () => void): void {
    const endGrace = () => {
      this.#isGraceOver = true;
      for (const socket of this.#opening) socket.destroy();
      onGraceOver();
    };
    if (this.#limits.idleGraceMs === 0) endGrace();
    else this.#clock.schedule(endGrace, this.#limits.idleGraceMs);
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
