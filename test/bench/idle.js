// Measures what an idle HTTP/2 connection costs a server in memory: one that has made a call, and waits.
import { setTimeout } from "node:timers/promises";
import { measure } from "./load/load.js";
import { choosePeers, warmUp, withPeers } from "./peer.js";
import { Helper } from "./processes.js";

/** @typedef {{ name: string, connections: number, rssBytes: number, heapBytes: number }} IdleResult of one connection */

const connections = 2000;

/** What a server and its sockets need to come to rest, before memory is read. */
const settleMs = 500;

/**
 * @param {import("./scenarios.js").Scenario} scenario in plaintext
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<IdleResult[]>}
 */
export function measureIdle(scenario, bench) {
  const names = choosePeers(["fast", "grpc-js", "floor"], bench);
  const watch = async (/** @type {import("./peer.js").Peer[]} */ peers) => {
    const results = [];
    for (const peer of peers) {
      bench.progress(`idle: ${peer.name}`);
      await warmUp(peer, bench, measure);
      const before = await readMemory(peer);
      const client = new Helper("load/client.js");
      const { path, headers } = peer.call;
      await client.ask("idle", { url: peer.url, path, headers, body: peer.call.body.toString("base64"), connections });
      const after = await readMemory(peer);
      await client.stop();
      const each = (/** @type {"rssBytes" | "heapBytes"} */ key) => (after[key] - before[key]) / connections;
      results.push({ name: peer.name, connections, rssBytes: each("rssBytes"), heapBytes: each("heapBytes") });
    }
    return results;
  };
  return withPeers(scenario, names, bench, watch, ["--expose-gc"]);
}

/** @param {import("./peer.js").Peer} peer */
async function readMemory({ helper }) {
  await setTimeout(settleMs);
  return helper.ask("memory");
}
