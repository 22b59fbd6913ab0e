// Closes a connection while its client is still sending, so that the client can read the response (RFC 9112 section 9.6).
import type { Socket } from "node:net";

/**
 * Writes `last` and ends the server's side of an HTTP/1.1 socket, then throws away what still arrives, up to `lingerBytes`.
 * Closing at once instead makes the kernel reset the connection, and the client loses the response. The socket's `finish`
 * starts the client's time to end its side.
 */
export function endAndDiscard(socket: Socket, { lingerBytes }: { lingerBytes: number }, last?: string): void {
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
