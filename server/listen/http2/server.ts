// The HTTP/2 half of a listener: a session for each connection, and the clock of all.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type CancelTimer, repeat } from "../../clock.js";
import type { HttpServer, HttpServerOptions } from "../http-server.js";
import type { ListenLimits } from "../limits.js";
import { isAdequateForHttp2 } from "../tls.js";
import { toConnectionLimits } from "./limits.js";
import { Session, type SessionSetup } from "./session.js";

export function createHttp2Server({ limits, ...options }: HttpServerOptions): HttpServer {
  const { clock } = options;
  const setup: SessionSetup = { ...options, limits: toConnectionLimits(limits), probeMs: limits.probeMs };
  const sessions = new Map<Socket, Session>();
  /** Shared by all sockets. A closure for each would take a good part of the memory of an idle connection. */
  const forget = function (this: Socket) {
    sessions.delete(this);
  };
  let isDraining = false;
  let stop: CancelTimer | undefined;
  const tick = () => {
    for (const session of sessions.values()) session.tick();
  };
  return {
    serve(socket, load) {
      // What came while the process was busy or asleep is read before the judgement.
      stop ??= repeat(clock, () => setImmediate(tick), tickMs(limits));
      const session = new Session(socket, load, setup);
      sessions.set(socket, session);
      socket.on("close", forget);
      if (socket instanceof TLSSocket && !isAdequateForHttp2(socket)) session.refuseCipher(socket.getCipher().name);
      else if (isDraining) session.retire();
      return session;
    },
    drain() {
      isDraining = true;
      for (const session of sessions.values()) session.retire();
    },
    stop: () => stop?.(),
  };
}

/** Milliseconds between two looks at the times of all sessions: a second, or less if a limit is short. */
function tickMs({ openingMs, probeMs, stallMs }: ListenLimits): number {
  return Math.ceil(Math.min(1000, openingMs / 4, probeMs / 4, stallMs === 0 ? 1000 : stallMs / 4));
}
