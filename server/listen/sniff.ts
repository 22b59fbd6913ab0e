// Detects the HTTP version of a plaintext connection by its first bytes (the preface, RFC 9113 section 3.4).
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import { readFirstBytes } from "./first-bytes.js";

export type HttpVersion = "http1" | "http2";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Reads until the version is known, puts the bytes back and calls `found` once. An HTTP/1.1 client may send three bytes and
 * wait, so the first byte that differs from the preface decides. If the socket ends first, or the version is not known
 * within `timeoutMs`, the socket is destroyed and `found` is not called. In the latter case, `onTimeout` is called first.
 */
export function sniff(
  socket: Socket,
  timeoutMs: number,
  clock: Clock,
  found: (version: HttpVersion) => void,
  onTimeout: () => void,
): void {
  readFirstBytes(socket, {
    timeoutMs,
    clock,
    onTimeout,
    read(bytes) {
      const version = versionOf(bytes);
      return version && { rest: bytes, go: () => found(version) };
    },
  });
}

/** Returns the version of a connection that begins with `bytes`, or undefined while it could be either. */
export function versionOf(bytes: Buffer): HttpVersion | undefined {
  const known = Math.min(bytes.length, PREFACE.length);
  if (PREFACE.compare(bytes, 0, known, 0, known) !== 0) return "http1";
  return known === PREFACE.length ? "http2" : undefined;
}
