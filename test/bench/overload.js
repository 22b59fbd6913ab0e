// Measures what a server does with more calls than it can take: how many it serves in time, with and without limits.
import { setTimeout as delay } from "node:timers/promises";
import { checkPeer } from "./check.js";
import { measure } from "./load/load.js";
import { measurePaced } from "./load/paced.js";
import { prepareCall } from "./prepare.js";
import { Helper } from "./processes.js";
import { median, spread } from "./statistics.js";

/** @typedef {import("./statistics.js").Spread} Spread */

/**
 * @typedef {object} OverloadResult times in milliseconds
 * @property {string} name what the handler does, and which limits the server has
 * @property {number} load times the most that the server can take
 * @property {number} rate calls a second that were due
 * @property {Spread} goodput calls that were served before their deadline, as a share of that most
 * @property {Spread} refused share of the calls
 * @property {Spread} p50Ms of the calls that were served, from when they were due
 * @property {Spread} p99Ms the same
 * @property {Spread} healthP99Ms of requests to /healthz meanwhile
 */

/** From when a call was due. */
const deadlineMs = 1000;

const loads = [0.5, 1, 2, 3];

/** Enough for as many calls at a time as make a turn of the event loop too long. */
const connections = 16;

/** Enough calls at a time on each of four connections to keep a server busy, and too few for a limit to refuse them. */
const streams = { busy: 4, waiting: 64 };

/** @type {{ busy: import("./overload-server.js").Handler, waiting: import("./overload-server.js").Handler }} */
const handlers = { busy: { busyUs: 200 }, waiting: { waitMs: 5 } };

/** What handlers do, and the limits that suit them. The first one of a handler has none, and shows the most that it can serve. */
const servers = [
  { name: "200 µs of work", handler: handlers.busy, limits: {} },
  { name: "200 µs of work, maxLagMs 50", handler: handlers.busy, limits: { maxLagMs: 50 } },
  { name: "200 µs of work, concurrentCalls 200", handler: handlers.busy, limits: { concurrentCalls: 200 } },
  { name: "5 ms of waiting", handler: handlers.waiting, limits: {} },
  { name: "5 ms of waiting, maxLagMs 50", handler: handlers.waiting, limits: { maxLagMs: 50 } },
];

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<OverloadResult[]>}
 */
export async function measureOverload(scenario, bench) {
  /** @type {OverloadResult[]} */
  const results = [];
  /** Handler → calls a second. @type {Map<object, number>} */
  const most = new Map();
  for (const server of servers) results.push(...(await measureServer(server, most, scenario, bench)));
  return results;
}

/**
 * @param {typeof servers[number]} server
 * @param {Map<object, number>} most
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<OverloadResult[]>}
 */
async function measureServer(
  { name, handler, limits },
  most,
  scenario,
  { dist, node, schema, seconds, rounds, progress },
) {
  const helper = new Helper("overload-server.js", { side: "server", execPath: node });
  try {
    const url = `http://127.0.0.1:${await helper.ask("listen", { dist, handler, limits })}`;
    const call = prepareCall(scenario, schema);
    const answer = await checkPeer(scenario, call, "fast", url);
    const target = { scenario: { ...scenario, load: { ...scenario.load, connections } }, call, url, answer };
    progress(`overload: warm-up: ${name}`);
    let mostRate = most.get(handler);
    if (mostRate === undefined) {
      mostRate = await findMost(target, handler === handlers.busy ? streams.busy : streams.waiting, seconds);
      most.set(handler, mostRate);
    } else {
      // Before it is warm, a server may be too late for its limits.
      await measurePaced(target, { rate: mostRate / 2, seconds: seconds * 2, deadlineMs });
    }
    /** @type {OverloadResult[]} */
    const results = [];
    for (const load of loads) {
      /** @type {(Awaited<ReturnType<typeof measurePaced>> & { goodput: number, healthP99Ms: number })[]} */
      const found = [];
      for (let round = 0; round < rounds; round++) {
        progress(`overload: round ${round + 1} of ${rounds}: ${name}, ${load} times`);
        const watch = watchHealth(url);
        const paced = await measurePaced(target, { rate: load * mostRate, seconds: seconds * 2, deadlineMs });
        found.push({ ...paced, goodput: paced.goodRate / mostRate, healthP99Ms: await watch.stop() });
        // What the load has left behind ends.
        await delay(1000);
      }
      const spreadOf = (/** @type {"goodput" | "refused" | "p50Ms" | "p99Ms" | "healthP99Ms"} */ key) =>
        spread(found.map((each) => each[key]));
      const [goodput, refused, p50Ms, p99Ms] = [
        spreadOf("goodput"),
        spreadOf("refused"),
        spreadOf("p50Ms"),
        spreadOf("p99Ms"),
      ];
      results.push({
        ...{ name, load, rate: load * mostRate },
        ...{ goodput, refused, p50Ms, p99Ms, healthP99Ms: spreadOf("healthP99Ms") },
      });
    }
    return results;
  } finally {
    await helper.stop();
  }
}

/**
 * @param {import("./load/load.js").Target} target
 * @param {number} streams
 * @param {number} seconds
 */
async function findMost(target, streams, seconds) {
  const load = { ...target.scenario.load, connections: 4, streams };
  const few = { ...target, scenario: { ...target.scenario, load } };
  const warm = await measure(few, { seconds, rate: 1000 });
  const rates = [];
  for (let round = 0; round < 3; round++) rates.push((await measure(few, { seconds, rate: warm.rate })).rate);
  return median(rates);
}

/** Asks for health 50 times a second, on connections of its own. @param {string} url */
function watchHealth(url) {
  /** @type {number[]} */
  const times = [];
  let isStopped = false;
  const asking = (async () => {
    while (!isStopped) {
      const startMs = performance.now();
      const response = await fetch(`${url}/healthz`);
      await response.text();
      if (response.status !== 200) throw new Error(`expected health, found status ${response.status}`);
      times.push(performance.now() - startMs);
      await delay(20);
    }
  })();
  return {
    /** @returns {Promise<number>} p99 in milliseconds */
    async stop() {
      isStopped = true;
      await asking;
      times.sort((a, b) => a - b);
      return times[Math.floor((times.length - 1) * 0.99)] ?? 0;
    },
  };
}
