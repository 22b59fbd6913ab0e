// A peer as the run sees it: a server process that has passed the check.
import { checkPeer } from "./check.js";
import { ForeignServer, isCompiled, isForeign } from "./peers/foreign.js";
import { prepareCall } from "./prepare.js";
import { Helper } from "./processes.js";

/** @typedef {import("./scenarios.js").Scenario} Scenario */
/** @typedef {import("./scenarios.js").PeerName} PeerName */

/**
 * @typedef {object} Bench what all of a run shares
 * @property {string} dist folder of the built package
 * @property {string} node the Node that the servers run on
 * @property {import("./schema.js").Schema} schema
 * @property {number} rounds
 * @property {number} seconds of a round
 * @property {number} warmUpSeconds
 * @property {number} memoryCalls
 * @property {PeerName[]} peers only these, and always the fast lane
 * @property {string} out folder of the results
 * @property {(line: string) => void} progress
 */

/** @typedef {import("./load/load.js").Target & { name: PeerName, helper: Helper | ForeignServer }} Peer */

/**
 * @param {PeerName[]} names
 * @param {Bench} bench
 * @returns {PeerName[]} those of them that are to be measured
 */
export function choosePeers(names, { peers }) {
  return names.filter((name) => name === "fast" || peers.includes(name));
}

/**
 * Starts and checks the peers of a scenario, one after the other: the floor replays the responses of the fast lane.
 * @template T
 * @param {Scenario} scenario
 * @param {PeerName[]} names the fast lane first
 * @param {Bench} bench
 * @param {(peers: Peer[]) => Promise<T>} use called with all of them; they are stopped afterwards
 * @param {string[]} [execArgv] options of Node
 * @returns {Promise<T>}
 */
export async function withPeers(scenario, names, bench, use, execArgv = []) {
  const call = prepareCall(scenario, bench.schema);
  /** @type {Peer[]} */
  const peers = [];
  /** @type {Peer["helper"][]} */
  const helpers = [];
  try {
    const backend = await startUpstream(scenario, bench, helpers);
    for (const name of names) {
      const helper = isForeign(name)
        ? new ForeignServer(name)
        : new Helper("server.js", { side: "server", execPath: bench.node, execArgv });
      helpers.push(helper);
      const { port } = await helper.ask("listen", {
        peer: name,
        options: { ...listenOptions(scenario, call, bench, peers[0]), ...(backend && { backend }) },
      });
      const url = `${scenario.isTls ? "https" : "http"}://127.0.0.1:${port}`;
      const answer = await checkPeer(scenario, call, name, url);
      peers.push({ name, helper, scenario, call, url, answer });
    }
    const result = await use(peers);
    for (const { name, url } of peers) await checkPeer(scenario, call, name, url);
    return result;
  } finally {
    await Promise.all(helpers.map((helper) => helper.stop()));
  }
}

/**
 * Starts the server that the peers of a scenario are proxies of.
 * @param {Scenario} scenario
 * @param {Bench} bench
 * @param {Peer["helper"][]} helpers
 * @returns {Promise<number | undefined>} its port
 */
async function startUpstream({ upstream, upstreamSide = "load" }, { dist, node }, helpers) {
  if (upstream === undefined) return undefined;
  const server = new ForeignServer(upstream, upstreamSide);
  helpers.push(server);
  return (await server.listen({ dist, node, isTls: false, hasInterceptors: false })).port;
}

/**
 * @param {Scenario} scenario
 * @param {import("./prepare.js").Call} call
 * @param {Bench} bench
 * @param {Peer | undefined} first
 * @returns {import("./server.js").ListenOptions}
 */
function listenOptions({ isTls = false, hasInterceptors = false, load }, { httpVersion }, { dist, node }, first) {
  const isPingPong = load.tool === "ping-pong";
  return { dist, node, httpVersion, isTls, hasInterceptors, isPingPong, ...(first && { answer: first.answer }) };
}

/** Programs that are compiled before they run need less. */
const compiledWarmUpSeconds = 1;

/**
 * Loads a peer until it has run for the time of the warm-up. The first run is as short as the tool can make it, and
 * each following one takes its length from the rate of the one before.
 * @param {Peer} peer
 * @param {Bench} bench
 * @param {import("./load/load.js").Measure} measure
 * @returns {Promise<number>} the rate that is to be expected, in calls a second
 */
export async function warmUp(peer, { warmUpSeconds }, measure) {
  const seconds = isCompiled(peer.name) ? Math.min(compiledWarmUpSeconds, warmUpSeconds) : warmUpSeconds;
  const endMs = performance.now() + seconds * 1000;
  let rate = 0;
  do {
    ({ rate } = await measure(peer, { seconds: seconds / 2, rate }));
  } while (performance.now() < endMs);
  return rate;
}
