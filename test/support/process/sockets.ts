// The sockets that this process has accepted and not closed yet.
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** To be called before anything listens. */
export function watchSockets(): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  subscribe("net.server.socket", (message) => {
    const { socket } = message as { socket: Socket };
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}
