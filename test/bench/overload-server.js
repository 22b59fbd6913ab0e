// A server whose handler costs time, in a process of its own. Its parent says over IPC which limits it has.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { importFrom, loadSchema } from "./schema.js";

/** @typedef {{ busyUs?: number, waitMs?: number }} Handler what a handler does before it replies */

/** @param {{ dist: string, handler: Handler, limits: object }} options */
async function listen({ dist, handler: { busyUs = 0, waitMs = 0 }, limits }) {
  const { createServer } = await importFrom(dist, "server/index.js");
  const { Greeter } = await loadSchema(dist);
  const reply = (/** @type {{ name: string }} */ { name }) => ({ message: `Hello, ${name}!` });
  const busy = (/** @type {{ name: string }} */ request) => {
    const endMs = performance.now() + busyUs / 1000;
    while (performance.now() < endMs);
    return reply(request);
  };
  const sayHello = waitMs === 0 ? busy : (/** @type {{ name: string }} */ request) => delay(waitMs, reply(request));
  const routes = (/** @type {any} */ router) => router.service(Greeter, { sayHello });
  const server = createServer({ routes, port: 0, limits });
  await server.listen();
  return Number(new URL(server.url).port);
}

process.on("message", async (/** @type {any} */ message) => {
  try {
    process.send?.({ result: await listen(message) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
// A parent that is gone, however it went, must leave nothing behind.
process.on("disconnect", () => process.exit());
