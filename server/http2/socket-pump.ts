// Moves bytes between one socket and one connection: reads, one write per turn, back pressure, the end.
import { Connection } from "./connection.js";
import type { ConnectionListener } from "./connection-listener.js";
import type { ConnectionLimits } from "./limits.js";
import type { Side } from "./settings.js";

/** What is needed of a socket: `net.Socket` and `tls.TLSSocket` have it. */
export interface PumpSocket {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "drain" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  destroy(): unknown;
}

export interface PumpOptions<Owner> {
  readonly side: Side;
  readonly limits: ConnectionLimits;
  readonly listener: ConnectionListener<Owner>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Calls it when what runs now has run, and what it has made ready, so that it leaves together: `process.nextTick`, `setImmediate`. */
  readonly schedule: (flush: () => void) => void;
}

export class SocketPump<Owner> {
  readonly connection: Connection<Owner>;
  readonly #socket: PumpSocket;
  readonly #now: () => number;
  readonly #schedule: (flush: () => void) => void;
  /** Whether a flush is scheduled. */
  #isScheduled = false;
  /** Whether the socket is behind: what follows waits in the connection. */
  #isBlocked = false;
  #isPaused = false;
  /** Whether our side of the socket has been ended. */
  #hasEnded = false;

  /** Begins to read the socket. Its errors end the connection. */
  constructor(socket: PumpSocket, { side, limits, listener, now, schedule }: PumpOptions<Owner>) {
    this.#socket = socket;
    this.#now = now;
    this.#schedule = schedule;
    this.connection = new Connection<Owner>({
      side,
      limits,
      listener,
      onOutput: () => this.#scheduleFlush(),
      now: now(),
    });
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("drain", () => this.#onDrain());
    // A peer that has ended its side takes no part in HTTP/2 any more.
    socket.on("end", () => this.#onEnd());
    socket.on("close", () => this.connection.close());
    socket.on("error", () => socket.destroy());
    this.#scheduleFlush();
  }

  /** Takes bytes as if they came from the socket: those that were read before it was known what they are. */
  receive(chunk: Uint8Array): void {
    this.connection.receive(chunk, this.#now());
    this.#scheduleFlush();
    if (!this.connection.isBacklogged || !this.#isBlocked || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** To be called about once a second until the socket is closed. */
  tick(): void {
    this.connection.tick(this.#now());
  }

  #scheduleFlush(): void {
    if (this.#isScheduled || this.#isBlocked || this.#hasEnded) return;
    this.#isScheduled = true;
    this.#schedule(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const parts = this.connection.takeOutput();
    if (parts.length === 1) this.#isBlocked = !this.#socket.write(parts[0] as Uint8Array);
    else if (parts.length > 1) this.#writeAll(parts);
    if (this.connection.isClosed) this.#end();
    else if (!this.#isBlocked) this.#resume();
  };

  #writeAll(parts: readonly Uint8Array[]): void {
    this.#socket.cork();
    for (const part of parts) this.#isBlocked = !this.#socket.write(part);
    this.#socket.uncork();
  }

  #onDrain(): void {
    this.#isBlocked = false;
    this.#scheduleFlush();
    this.#resume();
  }

  #resume(): void {
    if (!this.#isPaused || this.connection.isBacklogged) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #onEnd(): void {
    this.connection.close();
    if (!this.#isBlocked) this.#flush();
    this.#end();
  }

  /**
   * Ends our side, and reads what comes until the peer ends its own: a reset could overtake GOAWAY. The owner of the socket
   * limits the time for that.
   */
  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.end();
    this.#socket.resume();
  }
}
