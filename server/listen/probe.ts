// Finds HTTP/2 connections whose other end is gone, by PING (RFC 9113 section 6.7).
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

interface Probed {
  socket: Socket;
  bytesRead: number;
  isAsked: boolean;
}

/**
 * Asks every session from which nothing came for `probeMs`, and cuts it off if nothing comes for as long again. Besides
 * machines that vanished this finds sessions that Node 20 leaves open, deaf to their client's end, after a protocol error.
 */
export class Probe {
  readonly #probed = new Map<ServerHttp2Session, Probed>();
  readonly #forget: (this: ServerHttp2Session) => void;
  readonly #probeMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(probeMs: number) {
    this.#probeMs = probeMs;
    const probed = this.#probed;
    this.#forget = function () {
      probed.delete(this);
    };
  }

  add(session: ServerHttp2Session, socket: Socket): void {
    // What came while the process was busy or asleep is read before the judgement.
    this.#timer ??= setInterval(() => setImmediate(() => this.#askAll()), this.#probeMs).unref();
    this.#probed.set(session, { socket, bytesRead: 0, isAsked: false });
    session.on("close", this.#forget);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #askAll(): void {
    for (const [session, probed] of this.#probed) ask(session, probed);
  }
}

function ask(session: ServerHttp2Session, probed: Probed): void {
  const { bytesRead } = probed.socket;
  // A closed session sends no PING any more; it ends with its streams.
  if (session.closed || session.destroyed) return;
  if (bytesRead === probed.bytesRead && probed.isAsked) {
    probed.socket.destroy();
    return;
  }
  probed.isAsked = bytesRead === probed.bytesRead;
  probed.bytesRead = bytesRead;
  if (probed.isAsked) session.ping(ignore);
}

function ignore(): void {}
