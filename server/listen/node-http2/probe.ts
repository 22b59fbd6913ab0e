// Finds HTTP/2 connections whose other end is gone, by PING (RFC 9113 section 6.7).
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { type CancelTimer, type Clock, repeat } from "../../clock.js";
import { resumeReading } from "../tcp-handle.js";

interface Probed {
  socket: Socket;
  bytesRead: number;
  isAsked: boolean;
}

/**
 * Node 20 stops reading after some protocol errors, and then never learns that the client closes. Reading again once a
 * second, until the client has closed, releases the descriptor. Node 22 and 24 close the connection themselves.
 */
const resumeMs = Number.parseInt(process.versions.node, 10) < 22 ? 1000 : undefined;

/** Sends a PING to every session from which nothing came for `probeMs`, and closes it if nothing comes for as long again. */
export class Probe {
  readonly #probed = new Map<ServerHttp2Session, Probed>();
  readonly #forget: (this: ServerHttp2Session) => void;
  readonly #clock: Clock;
  readonly #probeMs: number;
  #stopProbing: CancelTimer | undefined;
  #stopResuming: CancelTimer | undefined;

  constructor(probeMs: number, clock: Clock) {
    this.#clock = clock;
    this.#probeMs = probeMs;
    const probed = this.#probed;
    this.#forget = function () {
      probed.delete(this);
    };
  }

  add(session: ServerHttp2Session, socket: Socket): void {
    // What came while the process was busy or asleep is read before the judgement.
    this.#stopProbing ??= repeat(this.#clock, () => setImmediate(() => this.#askAll()), this.#probeMs);
    if (resumeMs !== undefined) this.#stopResuming ??= repeat(this.#clock, () => this.#resumeAll(), resumeMs);
    this.#probed.set(session, { socket, bytesRead: 0, isAsked: false });
    session.on("close", this.#forget);
  }

  stop(): void {
    this.#stopProbing?.();
    this.#stopResuming?.();
  }

  #resumeAll(): void {
    for (const { socket } of this.#probed.values()) resumeReading(socket);
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
