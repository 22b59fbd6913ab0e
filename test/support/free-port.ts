// A port for a program that cannot choose one itself, or for a server that starts later.
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Systems take ports for connections and for port 0 from higher ones, most of them from 32768 on. One of those that is free now
 * may be taken in a moment.
 */
const [lowest, highest] = [15_000, 32_000];

/** Returns a port of 127.0.0.1 that was free a moment ago, and that nothing gets without asking for it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  await once(server.close(), "close");
  return true;
}
