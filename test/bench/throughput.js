// Measures one scenario: all its peers in turn, round after round, and the fast lane's rate over that of each other peer.

import { NotFoundError } from "./check.js";
import { measure } from "./load/load.js";
import { choosePeers, warmUp, withPeers } from "./peer.js";
import { isAvailable } from "./peers/foreign.js";
import { median, spread } from "./statistics.js";

/** @typedef {import("./scenarios.js").Scenario} Scenario */
/** @typedef {import("./scenarios.js").PeerName} PeerName */
/** @typedef {import("./peer.js").Peer} Peer */
/** @typedef {import("./peer.js").Bench} Bench */
/** @typedef {import("./statistics.js").Spread} Spread */

/**
 * @typedef {object} PeerResult
 * @property {PeerName} name
 * @property {number[]} rates of each round, in units a second
 * @property {Spread} rate
 * @property {number} cpuUs microseconds of the server's processor time per unit; median
 * @property {Spread} [ratio] the fast lane's rate ÷ this peer's, round by round
 * @property {number} [goal] for the median of `ratio`, at least
 * @property {number} [cpuGoal] for the fast lane's `cpuUs` ÷ this peer's, at most
 */

/**
 * @typedef {object} ScenarioResult
 * @property {string} name
 * @property {string} title
 * @property {string} unit
 * @property {string} [client] whose headers the requests had
 * @property {PeerResult[]} peers
 * @property {string} [skipped] why there are none
 */

/**
 * @param {Scenario} scenario
 * @param {Bench} bench
 * @returns {Promise<ScenarioResult>}
 */
export async function measureThroughput(scenario, bench) {
  const { name, title, client, unit = "calls", upstream } = scenario;
  if (upstream !== undefined && !isAvailable(upstream)) {
    return { name, title, unit, peers: [], skipped: `${upstream} cannot be built here` };
  }
  const names = choosePeers(scenario.peers, bench);
  try {
    const rounds = await withPeers(scenario, names, bench, (peers) => runRounds(peers, scenario, bench));
    return {
      name,
      title,
      unit,
      ...(client && { client }),
      peers: names.map((peer) => summarize(peer, rounds, scenario)),
    };
  } catch (error) {
    if (error instanceof NotFoundError) return { name, title, unit, peers: [], skipped: error.message };
    throw error;
  }
}

/** @typedef {Map<PeerName, { rate: number, cpuUs: number }>} Round */

/**
 * @param {Peer[]} peers
 * @param {Scenario} scenario
 * @param {Bench} bench
 */
async function runRounds(peers, { name, unitsPerCall = 1 }, bench) {
  /** @type {Map<Peer, number>} */
  const expected = new Map();
  for (const peer of peers) {
    bench.progress(`${name}: warm-up of ${peer.name}`);
    expected.set(peer, await warmUp(peer, bench, measure));
  }
  /** @type {Round[]} */
  const rounds = [];
  for (let index = 0; index < bench.rounds; index++) {
    /** @type {Round} */
    const round = new Map();
    for (const peer of rotate(peers, index)) {
      const before = await peer.helper.ask("usage");
      const { calls, rate } = await measure(peer, { seconds: bench.seconds, rate: expected.get(peer) ?? 0 });
      const after = await peer.helper.ask("usage");
      const cpuUs = (after.cpuUs - before.cpuUs) / (calls * unitsPerCall);
      round.set(peer.name, { rate: rate * unitsPerCall, cpuUs });
    }
    rounds.push(round);
    const rates = peers.map(
      (peer) => `${peer.name} ${Math.round(round.get(peer.name)?.rate ?? 0).toLocaleString("en-US")}`,
    );
    bench.progress(`${name}: round ${index + 1} of ${bench.rounds}: ${rates.join(", ")}`);
  }
  return rounds;
}

/**
 * Each round begins with another peer, so that none is always the first.
 * @template T
 * @param {T[]} items
 * @param {number} by
 */
function rotate(items, by) {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/**
 * @param {PeerName} name
 * @param {Round[]} rounds
 * @param {Scenario} scenario
 * @returns {PeerResult}
 */
function summarize(name, rounds, { goals, cpuGoals }) {
  const ratesOf = (/** @type {PeerName} */ peer) => rounds.map((round) => round.get(peer)?.rate ?? Number.NaN);
  const rates = ratesOf(name);
  const cpuUs = median(rounds.map((round) => round.get(name)?.cpuUs ?? Number.NaN));
  const result = { name, rates, rate: spread(rates), cpuUs };
  if (name === "fast") return result;
  const ratio = spread(ratesOf("fast").map((rate, index) => rate / (rates[index] ?? Number.NaN)));
  const [goal, cpuGoal] = [goals[name], cpuGoals?.[name]];
  return { ...result, ratio, ...(goal !== undefined && { goal }), ...(cpuGoal !== undefined && { cpuGoal }) };
}
