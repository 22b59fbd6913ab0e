// A load client in a process of its own, told over IPC what to do.
import process from "node:process";
import { idle } from "./idle.js";
import { pingPong } from "./ping-pong.js";

/** @type {Record<string, (options: any) => Promise<unknown>>} */
const kinds = { idle, pingPong };

process.on("message", async (/** @type {any} */ message) => {
  process.send?.({ result: await kinds[message.ask]?.(message) });
});
process.on("disconnect", () => process.exit());
// What a socket's listener throws would otherwise be lost between the lines of a stack.
process.on("uncaughtException", (error) => {
  process.send?.({ error: error.message }, () => process.exit(1));
});
