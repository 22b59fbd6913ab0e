// Closes a connection while its client is still sending, so that the client can read the response (RFC 9112 section 9.6).
import type { Socket } from "node:net";
import type { Clock } from "../../clock.js";

interface LingerLimits {
  lingerMs: number;
  lingerBytes: number;
}

/**
 * Makes the listener of a socket's `finish`, the moment when the server has ended its side: the peer then has `lingerMs` to
 * end its own, or the socket is destroyed.
 */
export function halfCloseLimiter(lingerMs: number, clock: Clock): (this: Socket) => void {
  return function () {
    this.once(
      "close",
      clock.schedule(() => this.destroy(), lingerMs),
    );
  };
}

/**
 * Writes `last` and ends the server's side of an HTTP/1.1 socket that has a `halfCloseLimiter`, then throws away what still
 * arrives, up to `lingerBytes`. Closing at once instead makes the kernel reset the connection, and the client loses the response.
 */
export function endAndDiscard(socket: Socket, { lingerBytes }: LingerLimits, last?: string): void {
  if (socket.destroyed || socket.writableEnded) return;
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
