// The HTTP/2 half of a listener: a server of Node that never listens and is given sockets, with the limits of each session.
import type { Http2Server as NodeServer, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { maxHeaderBytes } from "../../http/header-size.js";
import type { ListenLimits } from "../limits.js";
import { toHttp2Options } from "../limits.js";
import { isAdequateForHttp2 } from "../tls.js";
import { Probe } from "./probe.js";
import { closeSocketAtEnd } from "./session-end.js";

export interface Http2Server {
  readonly server: NodeServer;
  serve(socket: Socket): void;
  /** Resets a stream whose head is over the limit, and returns true. */
  refuseTooLong(stream: ServerHttp2Stream, rawHeaders: readonly string[]): boolean;
  /** To be called when no session is left. */
  stop(): void;
}

export function createHttp2Server(limits: ListenLimits): Http2Server {
  const server = http2.createServer(toHttp2Options(limits));
  const probe = new Probe(limits.probeMs);
  return {
    server,
    serve(socket) {
      // Sockets of an HTTP/1.1 server stay open when the peer ends; in HTTP/2 the other side would never end.
      socket.allowHalfOpen = false;
      server.once("session", (session) => {
        closeSocketAtEnd(session, socket);
        session.setLocalWindowSize(limits.connectionWindowBytes);
        setTimeout(destroyUnlessSettled, limits.openingMs, session).unref();
        probe.add(session, socket);
        if ("getCipher" in socket) refuseWeakCipher(session, socket as TLSSocket);
      });
      server.emit("connection", socket);
    },
    refuseTooLong(stream, rawHeaders) {
      if (!hasTooLongHead(stream, rawHeaders, limits.headerBytes)) return false;
      stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return true;
    },
    stop: () => probe.stop(),
  };
}

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

/** Limits of an upload after an early response. curl 7.88 loses the response if a reset follows at once. */
const UPLOAD_MS = 1000;
const UPLOAD_BYTES = 16 * 1024 * 1024;

/**
 * Handles the rest of an upload after an early response. It is discarded for a while, then RST_STREAM with NO_ERROR stops the
 * client (RFC 9113 section 8.1). Call before the response ends.
 */
export function stopUploadAfterAnswer(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.endAfterHeaders) return;
  let left = UPLOAD_BYTES;
  stream.removeAllListeners("data");
  stream.on("data", (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) stream.pause();
  });
  stream.resume();
  // Node finishes the response to HEAD before it begins.
  if (stream.writableFinished) resetLater(stream);
  else stream.once("finish", () => resetLater(stream));
}

function resetLater(stream: ServerHttp2Stream): void {
  const timer = setTimeout(reset, UPLOAD_MS, stream);
  stream.once("close", () => clearTimeout(timer));
}

function reset(stream: ServerHttp2Stream): void {
  if (stream.destroyed) return;
  // The last frame of the response may wait for a slow connection, and RST_STREAM would overtake it.
  if (!stream.closed && stream.state.localClose !== 1) {
    resetLater(stream);
    return;
  }
  stream.close(http2.constants.NGHTTP2_NO_ERROR);
  // As long as bytes that came before wait to be taken, a closed stream stays, and its session with it.
  stream.destroy();
}

/** Maximum size of headers and trailers that may be sent on a stream in bytes: ours, or less if the client announced less. */
export function maxHeaderBytesOf({ session }: ServerHttp2Stream): number {
  return Math.min(session?.remoteSettings.maxHeaderListSize ?? maxHeaderBytes, maxHeaderBytes);
}

/**
 * Resets a stream with an error. Node's `close` ends the body before it resets the stream, and the client takes the
 * body for complete. Without `_final`, ending it sends nothing.
 */
export function resetWithError(stream: ServerHttp2Stream, code: number = http2.constants.NGHTTP2_INTERNAL_ERROR): void {
  stream._final = () => {};
  stream.close(code);
}
