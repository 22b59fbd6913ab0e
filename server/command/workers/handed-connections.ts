// The connections of a worker: the primary accepts them and hands them over.
import { Socket } from "node:net";
import process from "node:process";
import type { Accept, BoundAddress } from "../../listen/bind.js";
import { isOrder } from "./messages.js";
import { tell } from "./tell.js";

/** Asks the primary for the connections to an address. The primary ends this process if it cannot bind the address. */
export const acceptFromPrimary: Accept = async (address, onSocket) => {
  const bound = new Promise<BoundAddress>((resolve) => {
    process.on("message", (message: unknown, socket: unknown) => {
      if (!isOrder(message)) return;
      if (message.manywire === "bound") resolve(message.bound);
      // Without a socket, the client has left, or no descriptor is free.
      else if (message.manywire === "connection" && socket instanceof Socket) onSocket(socket);
    });
  });
  await tell({ manywire: "bind", address });
  return await bound;
};
