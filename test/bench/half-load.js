// Measures how long calls take at half the load that a server can take: at half of its own most, and all at the same.
import { measure } from "./load/load.js";
import { measurePaced } from "./load/paced.js";
import { choosePeers, warmUp, withPeers } from "./peer.js";
import { median, spread } from "./statistics.js";

/** @typedef {import("./peer.js").Peer} Peer */
/** @typedef {import("./peer.js").Bench} Bench */
/** @typedef {import("./statistics.js").Spread} Spread */

/** @typedef {{ name: string, load: string, rate: number, p50Ms: Spread, p99Ms: Spread }} HalfLoadResult calls a second */

/**
 * How many times as long as others a round is. The slowest calls are those that wait while a server collects its garbage,
 * which each does every few seconds: in a short round, one has luck and another has not.
 */
export const longer = 5;

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {Bench} bench
 * @returns {Promise<HalfLoadResult[]>}
 */
export function measureHalfLoad(scenario, bench) {
  const names = choosePeers(["fast", "grpc-js"], bench);
  return withPeers(scenario, names, bench, async (peers) => {
    const halves = await findHalves(peers, bench);
    const own = peers.map((peer) => ({ peer, load: "half of its own most", rate: halves.get(peer.name) ?? 0 }));
    const half = halves.get("grpc-js");
    const same = half === undefined ? [] : peers.map((peer) => ({ peer, load: "half of grpc-js's most", rate: half }));
    const cases = [...own, ...same];
    /** @type {{ p50Ms: number, p99Ms: number }[][]} */
    const times = cases.map(() => []);
    for (let round = 0; round < bench.rounds; round++) {
      for (const [index, { peer, load, rate }] of cases.entries()) {
        bench.progress(`half-load: round ${round + 1} of ${bench.rounds}: ${peer.name} at ${load}`);
        times[index]?.push(await measurePaced(peer, { rate, seconds: bench.seconds * longer }));
      }
    }
    return cases.map(({ peer, load, rate }, index) => {
      const found = times[index] ?? [];
      const p50Ms = spread(found.map((each) => each.p50Ms));
      return { name: peer.name, load, rate, p50Ms, p99Ms: spread(found.map((each) => each.p99Ms)) };
    });
  });
}

/**
 * @param {Peer[]} peers
 * @param {Bench} bench
 */
async function findHalves(peers, bench) {
  /** @type {Map<string, number>} */
  const halves = new Map();
  for (const peer of peers) {
    bench.progress(`half-load: the most that ${peer.name} can take`);
    const rate = await warmUp(peer, bench, measure);
    const rates = [];
    for (let round = 0; round < 3; round++) rates.push((await measure(peer, { seconds: bench.seconds, rate })).rate);
    halves.set(peer.name, median(rates) / 2);
  }
  return halves;
}
