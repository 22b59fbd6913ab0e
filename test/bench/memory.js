// Watches the resident memory of a server over a number of calls: it is to be flat.
import { measure } from "./load/load.js";
import { choosePeers, withPeers } from "./peer.js";

/** @typedef {{ calls: number, rssBytes: number, heapBytes: number }} MemorySample after a garbage collection */
/** @typedef {{ name: string, samples: MemorySample[] }} MemoryResult */

/** How often memory is read. */
const steps = 10;

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<MemoryResult[]>}
 */
export function measureMemory(scenario, bench) {
  const names = choosePeers(["fast", "grpc-js"], bench);
  const watch = async (/** @type {import("./peer.js").Peer[]} */ peers) => {
    const results = [];
    for (const peer of peers) {
      let calls = 0;
      const samples = [{ calls, ...(await peer.helper.ask("memory")) }];
      for (let step = 1; step <= steps; step++) {
        // One second at that rate is the number of calls of one step.
        calls += (await measure(peer, { seconds: 1, rate: bench.memoryCalls / steps })).calls;
        samples.push({ calls, ...(await peer.helper.ask("memory")) });
        bench.progress(`memory: ${peer.name}, ${calls.toLocaleString("en-US")} calls`);
      }
      results.push({ name: peer.name, samples });
    }
    return results;
  };
  return withPeers(scenario, names, bench, watch, ["--expose-gc"]);
}
