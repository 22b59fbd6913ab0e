// Runs once, before the interop tests.
import { unlock } from "./cache.js";
import { installTools } from "./tools.js";

export default async function setup(): Promise<void> {
  const started = performance.now();
  unlock();
  await installTools();
  process.stdout.write(`the foreign clients are in place, ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
