// Ends a connection whose peer is still sending in such a way that the peer can read what it was told: RFC 9112 section 9.6.
import type { Socket } from "node:net";

export interface LingerLimits {
  lingerMs: number;
  lingerBytes: number;
}

/** Once the server has ended its side, the peer has `lingerMs` to end its own; then the socket is destroyed. Call once per socket. */
export function limitHalfClose(socket: Socket, lingerMs: number): void {
  socket.once("finish", () => {
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  });
}

/**
 * Writes `last` and ends the server's side of an HTTP/1.1 socket that has `limitHalfClose`, then throws away what still
 * arrives, up to `lingerBytes`. Closing at once instead makes the kernel reset the connection, and the peer loses the answer.
 */
export function endAndDiscard(socket: Socket, { lingerBytes }: LingerLimits, last?: string): void {
  if (socket.destroyed) return;
  // Takes the bytes away from the HTTP parser: nothing that follows is a request any more.
  socket.removeAllListeners("data");
  let left = lingerBytes;
  socket.on("data", (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) socket.destroy();
  });
  socket.resume();
  if (last === undefined) socket.end();
  else socket.end(last);
}
