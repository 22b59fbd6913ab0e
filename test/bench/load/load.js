// The tools that put load on a peer, behind one shape.
import { Helper } from "../processes.js";
import { measureByH2load } from "./h2load.js";
import { measureByWrk } from "./wrk.js";

/**
 * @typedef {object} Target
 * @property {import("../scenarios.js").Scenario} scenario
 * @property {import("../prepare.js").Call} call
 * @property {string} url
 * @property {import("../check.js").Answer} answer what the peer gave to the check
 */

/**
 * Puts load on a peer for about `seconds`, given the calls a second that are to be expected. Throws if a response was wrong.
 * @typedef {(target: Target, effort: { seconds: number, rate: number }) => Promise<{ calls: number, rate: number }>} Measure
 */

/** @type {Measure} */
async function measureByPingPong({ scenario, call, url }, { seconds }) {
  const { connections, streams } = scenario.load;
  const client = new Helper("load/client.js");
  try {
    const settings = { url, path: call.path, headers: call.headers, ping: call.body.toString("base64") };
    const pings = scenario.unitsPerCall ?? 1;
    return await client.ask("pingPong", { ...settings, connections, streams, pings, seconds });
  } finally {
    await client.stop();
  }
}

/** @type {Record<import("../scenarios.js").Load["tool"], Measure>} */
const tools = { h2load: measureByH2load, wrk: measureByWrk, "ping-pong": measureByPingPong };

/** @type {Measure} */
export function measure(target, effort) {
  return tools[target.scenario.load.tool](target, effort);
}
