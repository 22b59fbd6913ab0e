// Measures how long calls take at a fixed rate, the same for all peers.
import { longer } from "./half-load.js";
import { measure } from "./load/load.js";
import { measurePaced } from "./load/paced.js";
import { choosePeers, warmUp, withPeers } from "./peer.js";
import { scenarios } from "./scenarios.js";
import { spread } from "./statistics.js";

/** @typedef {import("./statistics.js").Spread} Spread */
/** @typedef {import("./peer.js").Peer} Peer */
/** @typedef {import("./peer.js").Bench} Bench */

/**
 * @typedef {object} OpenLoopResult times in milliseconds
 * @property {string} name
 * @property {number} rate calls a second that were due
 * @property {Spread} reached calls a second that ended
 * @property {Spread} p50Ms
 * @property {Spread} p99Ms
 * @property {Spread} lateP99Ms what the load itself adds to `p99Ms`
 */

/** Calls a second. */
const rates = [20_000, 60_000];

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {Bench} bench
 * @returns {Promise<OpenLoopResult[]>}
 */
export function measureOpenLoop(scenario, bench) {
  const names = choosePeers(["fast", "grpc-js", "grpc-go", "tonic"], bench);
  return withPeers(scenario, names, bench, (peers) => measureAtRates("open-loop", peers, rates, bench));
}

/** Calls a second through a proxy. */
const proxyRate = 10_000;

/**
 * What a proxy adds to the time of calls: the upstream alone, then proxies before it.
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {Bench} bench
 * @returns {Promise<OpenLoopResult[]>}
 */
export function measureProxyLatency(scenario, bench) {
  const proxied = scenarios.find(({ name }) => name === `proxy-${scenario.name}`) ?? scenario;
  const names = choosePeers(proxied.peers, bench);
  return withPeers(scenario, [proxied.upstream ?? "tonic"], bench, (alone) =>
    withPeers(proxied, names, bench, (proxies) =>
      measureAtRates("proxy-latency", [...alone, ...proxies], [proxyRate], bench),
    ),
  );
}

/**
 * @param {string} study
 * @param {Peer[]} peers
 * @param {number[]} rates calls a second
 * @param {Bench} bench
 * @returns {Promise<OpenLoopResult[]>}
 */
async function measureAtRates(study, peers, rates, bench) {
  for (const peer of peers) {
    bench.progress(`${study}: warm-up of ${peer.name}`);
    await warmUp(peer, bench, measure);
  }
  const cases = rates.flatMap((rate) => peers.map((peer) => ({ peer, rate })));
  /** @type {import("./load/paced.js").PacedResult[][]} */
  const found = cases.map(() => []);
  for (let round = 0; round < bench.rounds; round++) {
    for (const [index, { peer, rate }] of cases.entries()) {
      bench.progress(`${study}: round ${round + 1} of ${bench.rounds}: ${peer.name} at ${rate} calls/s`);
      found[index]?.push(await measurePaced(peer, { rate, seconds: bench.seconds * longer }));
    }
  }
  return cases.map(({ peer, rate }, index) => {
    const spreadOf = (/** @type {keyof import("./load/paced.js").PacedResult} */ key) =>
      spread((found[index] ?? []).map((each) => each[key]));
    const [reached, p50Ms, p99Ms] = [spreadOf("rate"), spreadOf("p50Ms"), spreadOf("p99Ms")];
    return { name: peer.name, rate, reached, p50Ms, p99Ms, lateP99Ms: spreadOf("lateP99Ms") };
  });
}
