// The open connections of a listener: who is opening, who is idle, who is being answered, and how a drain ends each of them.
import type { ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { endAndDiscard } from "./http1/linger.js";
import { answerTo } from "./http1/server.js";
import type { ListenLimits } from "./limits.js";

interface Http1Connection {
  /** Requests that came in and whose answer has not left yet; more than one when pipelined. */
  calls: number;
  latest: ServerResponse | undefined;
}

export class Connections {
  readonly #limits: ListenLimits;
  /** Every accepted socket; with TLS the one underneath. */
  readonly #accepted = new Set<Socket>();
  /** Those of them that speak neither HTTP version yet. */
  readonly #opening = new Set<Socket>();
  readonly #http1 = new Map<Socket, Http1Connection>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Listeners that all sockets and all sessions share: a closure for each would be half of what an idle connection costs us. */
  readonly #forgetSocket: (this: Socket) => void;
  readonly #forgetSession: (this: ServerHttp2Session) => void;
  #isDraining = false;
  #isGraceOver = false;

  constructor(limits: ListenLimits) {
    this.#limits = limits;
    const [accepted, opening, http1, sessions] = [this.#accepted, this.#opening, this.#http1, this.#sessions];
    this.#forgetSocket = function () {
      accepted.delete(this);
      opening.delete(this);
      http1.delete(this);
    };
    this.#forgetSession = function () {
      sessions.delete(this);
    };
  }

  get count(): number {
    return this.#accepted.size;
  }

  /** Whether the connection of an HTTP/1.1 response has to end with it: in a drain, unless pipelined requests wait behind it. */
  isLast(response: ServerResponse): boolean {
    return this.#isDraining && this.#http1.get(response.req.socket)?.latest === response;
  }

  accept(socket: Socket): void {
    this.#accepted.add(socket);
    this.#opening.add(socket);
    // Whoever reads a socket hears its errors as well; this is for the times when nobody does.
    socket.on("error", ignore);
    socket.on("close", this.#forgetSocket);
  }

  /**
   * Takes an accepted socket over from its opening into HTTP. `accepted` is undefined if it cannot be told which one it
   * was; then no opening is cut by a drain. Returns false if the connection came too late and was destroyed.
   */
  leaveOpening(accepted: Socket | undefined, socket: Socket): boolean {
    if (accepted === undefined) this.#opening.clear();
    else this.#opening.delete(accepted);
    if (this.#isGraceOver) socket.destroy();
    return !socket.destroyed;
  }

  addHttp1(socket: Socket): void {
    this.#http1.set(socket, { calls: 0, latest: undefined });
    // With TLS it is not the socket that was accepted.
    if (!this.#accepted.has(socket)) socket.on("close", this.#forgetSocket);
  }

  addSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", this.#forgetSession);
    if (this.#isDraining) afterReading(() => session.close());
  }

  /** Returns how many calls the connection has now; those that wait for their turn count. */
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

  /** What came on the socket is no request. True if the client was told or cut off for it, false if it had left anyway. */
  refuse(socket: Socket, error: { code?: string | undefined }): boolean {
    const answer = answerTo(error);
    const connection = this.#http1.get(socket);
    if (answer === undefined || connection === undefined || !socket.writable) {
      socket.destroy();
      return false;
    }
    // The answer to the last request may have been written a moment ago.
    if (connection.calls === 0 || connection.latest?.writableEnded === true) {
      endAndDiscard(socket, this.#limits, answer);
    } else {
      // The request that is being answered is broken itself: its handler hears of it by the end of the connection.
      if (connection.calls === 1 && connection.latest?.headersSent === false) socket.write(answer);
      socket.end(() => socket.destroy());
    }
    return true;
  }

  /** From here on every connection ends after what it is doing. */
  drain(): void {
    this.#isDraining = true;
    afterReading(() => {
      for (const session of this.#sessions) session.close();
    });
    if (this.#limits.idleGraceMs === 0) this.#endGrace();
    else setTimeout(() => this.#endGrace(), this.#limits.idleGraceMs).unref();
  }

  #endGrace(): void {
    this.#isGraceOver = true;
    for (const socket of this.#opening) socket.destroy();
    for (const [socket, { calls }] of this.#http1) {
      // One that has ended already is given time to be read.
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

/** Waits until what has already arrived was read: GOAWAY names the last stream that is served. That takes a whole turn of the event loop. */
function afterReading(act: () => void): void {
  setImmediate(() => setImmediate(act));
}

function ignore(): void {}
