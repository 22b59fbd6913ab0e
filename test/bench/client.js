// Measures the CPU of unary gRPC calls in clients, each in a process of its own, in turns, against one server.
//   node test/bench/client.js [--calls 20000] [--rounds 5] [--at-once 32] [--dist dist]
import { resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { endChildrenWithUs, Helper } from "./processes.js";
import { compileSchema } from "./schema.js";
import { median } from "./statistics.js";

const clients = ["manywire", "manywire-node", "connect-node", "grpc-js"];

endChildrenWithUs();
const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    "at-once": { type: "string", default: "32" },
    dist: { type: "string", default: "dist" },
    client: { type: "string", multiple: true, default: clients },
  },
});
const dist = resolve(values.dist);
const atOnce = Number(values["at-once"]);

compileSchema();
const server = new Helper("server.js");
const { port } = await server.ask("listen", { peer: "fast", options: { dist, httpVersion: 2 } });
/** @type {Map<string, number[]>} */
const results = new Map(values.client.map((name) => [name, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, list] of results) {
    const helper = new Helper("load/unary-client.js");
    const options = { name, dist, url: `http://127.0.0.1:${port}`, atOnce };
    await helper.ask("measure", { ...options, calls: 5000 });
    const { cpuUs } = await helper.ask("measure", { ...options, calls: Number(values.calls) });
    list.push(cpuUs / Number(values.calls));
    await helper.stop();
  }
}
await server.stop();
const own = median(results.get("manywire") ?? []);
for (const [name, list] of results) {
  const us = median(list);
  const spread = `${Math.min(...list).toFixed(1)}-${Math.max(...list).toFixed(1)}`;
  process.stdout.write(
    `${name.padEnd(14)} ${us.toFixed(1).padStart(7)} µs CPU a call (${spread})  ${(us / own).toFixed(2)} × manywire\n`,
  );
}
process.exit();
