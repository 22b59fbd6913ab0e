// The HTTP/2 half of a listener: a server of Node that never listens and is given sockets, with the limits of each session.
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { TLSSocket } from "node:tls";
import { afterReading } from "../../clock.js";
import type { HttpServer, HttpServerOptions } from "../http-server.js";
import { toHttp2Options } from "../limits.js";
import { isDisconnect } from "../report.js";
import { isAdequateForHttp2 } from "../tls.js";
import { findHttp2Fault } from "../well-formed.js";
import { NodeHttp2Exchange } from "./exchange.js";
import { Probe } from "./probe.js";
import { closeSocketAtEnd } from "./session-end.js";

export function createNodeHttp2Server({ limits, clock, onRequest, report, counters }: HttpServerOptions): HttpServer {
  const server = http2.createServer(toHttp2Options(limits));
  const sessions = new Sessions();
  const probe = new Probe(limits.probeMs, clock);
  server.on("sessionError", (error: NodeJS.ErrnoException) => {
    if (isDisconnect(error)) return;
    counters.refuse("http2_protocol");
    report(error, "http/2");
  });
  server.on("stream", (stream, headers, _flags, rawHeaders: string[] = []) => {
    stream.on("error", ignore);
    // Already reset: Node throws if a response is sent.
    if (stream.destroyed || stream.closed) return;
    if (hasTooLongHead(stream, rawHeaders, limits.headerBytes)) {
      stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const { ":method": method, ":path": target = "", ":authority": authority = headers.host, expect } = headers;
    if (expect === "100-continue") stream.additionalHeaders({ ":status": 100 });
    onRequest(new NodeHttp2Exchange(stream, headers, clock), findHttp2Fault(method, target, authority, expect));
  });
  return {
    serve(socket) {
      // Sockets of an HTTP/1.1 server stay open when the peer ends; in HTTP/2 the other side would never end.
      socket.allowHalfOpen = false;
      let opened: ServerHttp2Session | undefined;
      server.once("session", (session) => {
        opened = session;
        closeSocketAtEnd(session, socket, clock);
        sessions.add(session);
        session.setLocalWindowSize(limits.connectionWindowBytes);
        clock.schedule(() => destroyUnlessSettled(session), limits.openingMs);
        probe.add(session, socket);
        if ("getCipher" in socket) refuseWeakCipher(session, socket as TLSSocket);
      });
      server.emit("connection", socket);
      // GOAWAY names the last served stream, so what has arrived is read first.
      return { retire: () => afterReading(() => opened?.close()) };
    },
    drain: () => sessions.drain(),
    stop: () => probe.stop(),
  };
}

/** The open sessions, and how a drain closes each of them. */
class Sessions {
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Shared by all sessions. A closure for each would take a good part of the memory of an idle connection. */
  readonly #forget: (this: ServerHttp2Session) => void;
  #isDraining = false;

  constructor() {
    const sessions = this.#sessions;
    this.#forget = function () {
      sessions.delete(this);
    };
  }

  add(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", this.#forget);
    if (this.#isDraining) afterReading(() => session.close());
  }

  drain(): void {
    this.#isDraining = true;
    afterReading(() => {
      for (const session of this.#sessions) session.close();
    });
  }
}

/** The call learns of the error from the "close" event that follows. */
function ignore(): void {}

function refuseWeakCipher(session: ServerHttp2Session, socket: TLSSocket): void {
  if (isAdequateForHttp2(socket)) return;
  const error = new Error(`cipher suite ${socket.getCipher().name} is not allowed in HTTP/2`);
  session.destroy(error, http2.constants.NGHTTP2_INADEQUATE_SECURITY);
}

/** Every HTTP/2 client acknowledges the server's SETTINGS (RFC 9113 section 6.5.3). */
function destroyUnlessSettled(session: ServerHttp2Session): void {
  if (session.pendingSettingsAck) session.destroy();
}

/** Counted as in SETTINGS_MAX_HEADER_LIST_SIZE. Node holds a client to that only when it has acknowledged it. */
function hasTooLongHead(stream: ServerHttp2Stream, rawHeaders: readonly string[], headerBytes: number): boolean {
  if (stream.session?.pendingSettingsAck !== true) return false;
  let bytes = 16 * rawHeaders.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes > headerBytes;
}
