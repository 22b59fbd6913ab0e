// Profiles a server under the load of a scenario, and says in which functions the time goes.
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { measure } from "./load/load.js";
import { warmUp, withPeers } from "./peer.js";
import { root } from "./schema.js";

/** @typedef {import("node:inspector").Profiler.Profile} Profile */
/** @typedef {{ name: string, place: string, share: number }} RankedFunction its share of the time that was not idle */
/** @typedef {{ file: string, functions: RankedFunction[] }} ProfileResult the top ten by self time */

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./scenarios.js").PeerName} name
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<ProfileResult>}
 */
export async function profilePeer(scenario, name, bench) {
  /** @type {import("./scenarios.js").PeerName[]} */
  const names = name === "fast" ? ["fast"] : ["fast", name];
  /** @type {Profile} */
  const profile = await withPeers(scenario, names, bench, async (peers) => {
    const peer = peers[peers.length - 1];
    if (peer === undefined) throw new Error(`${name}: expected a peer, found none`);
    bench.progress(`${scenario.name}: warm-up of ${name}`);
    const rate = await warmUp(peer, bench, measure);
    bench.progress(`${scenario.name}: profile of ${name}`);
    await peer.helper.ask("startProfile");
    await measure(peer, { seconds: bench.rounds * bench.seconds, rate });
    return peer.helper.ask("stopProfile");
  });
  const file = join(bench.out, `${scenario.name}-${name}.cpuprofile`);
  writeFileSync(file, JSON.stringify(profile));
  return { file, functions: rankFunctions(profile).slice(0, 10) };
}

/**
 * Functions by self time.
 * @param {Profile} profile
 * @returns {RankedFunction[]}
 */
function rankFunctions({ nodes, samples = [], timeDeltas = [] }) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  /** @type {Map<string, { name: string, place: string, micros: number }>} */
  const functions = new Map();
  let busyMicros = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    const micros = timeDeltas[index] ?? 0;
    if (frame === undefined || isForeign(frame)) continue;
    busyMicros += micros;
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}`;
    const entry = functions.get(key) ?? { name: frame.functionName || "(anonymous)", place: placeOf(frame), micros: 0 };
    entry.micros += micros;
    functions.set(key, entry);
  }
  return [...functions.values()]
    .sort((a, b) => b.micros - a.micros)
    .map(({ name, place, micros }) => ({ name, place, share: micros / busyMicros }));
}

/**
 * Time that the server did not spend: idle, or in the profiler's own start and end.
 * @param {import("node:inspector").Runtime.CallFrame} frame
 */
function isForeign({ functionName, url }) {
  return functionName === "(idle)" || (functionName === "dispatch" && url === "");
}

/** @param {import("node:inspector").Runtime.CallFrame} frame */
function placeOf({ url, lineNumber }) {
  if (url === "") return "";
  return `${url.startsWith("file:") ? relative(root, fileURLToPath(url)) : url}:${lineNumber + 1}`;
}
