// How a stream of Node ends before its request has: after an early response, and with an error.
import http2, { type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../clock.js";
import { maxHeaderBytes } from "../../http/header.js";

/** Limits of an upload after an early response. curl 7.88 loses the response if a reset follows at once. */
const UPLOAD_MS = 1000;
const UPLOAD_BYTES = 16 * 1024 * 1024;

/**
 * Handles the rest of an upload after an early response. It is discarded for a while, then RST_STREAM with NO_ERROR stops the
 * client (RFC 9113 section 8.1). Call before the response ends.
 */
export function stopUploadAfterAnswer(stream: ServerHttp2Stream, clock: Clock): void {
  if (stream.readableEnded || stream.endAfterHeaders) return;
  let left = UPLOAD_BYTES;
  stream.removeAllListeners("data");
  stream.on("data", (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) stream.pause();
  });
  stream.resume();
  // Node finishes the response to HEAD before it begins.
  if (stream.writableFinished) resetLater(stream, clock);
  else stream.once("finish", () => resetLater(stream, clock));
}

function resetLater(stream: ServerHttp2Stream, clock: Clock): void {
  stream.once(
    "close",
    clock.schedule(() => reset(stream, clock), UPLOAD_MS),
  );
}

function reset(stream: ServerHttp2Stream, clock: Clock): void {
  if (stream.destroyed) return;
  // The last frame of the response may wait for a slow connection, and RST_STREAM would overtake it.
  if (!stream.closed && stream.state.localClose !== 1) {
    resetLater(stream, clock);
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
