// Measures the processor time of unary gRPC calls in clients, each in a process of its own, in turns, against grpc-go.
import { ForeignServer } from "./peers/foreign.js";
import { Helper } from "./processes.js";
import { spread } from "./statistics.js";

/** @typedef {import("./load/unary-client.js").ClientName} ClientName */
/** @typedef {import("./statistics.js").Spread} Spread */

/**
 * @typedef {object} ClientResult
 * @property {ClientName} name
 * @property {Spread} cpuUs microseconds of the client's processor time per call
 * @property {Spread} [ratio] this client's time ÷ manywire's, round by round
 * @property {number} [goal] for the median of `ratio`, at least
 */

/** @type {ClientName[]} */
const names = ["manywire", "manywire-node", "connect-node", "grpc-js"];

/** @type {Partial<Record<ClientName, number>>} */
const goals = { "connect-node": 11, "grpc-js": 4 };

/** Calls at the same time, on one connection. */
const atOnce = 32;

/**
 * @param {import("./scenarios.js").Scenario} _ the clients have their own calls
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<ClientResult[]>}
 */
export async function measureClients(_, bench) {
  const server = new ForeignServer("grpc-go");
  const clients = names.map((name) => ({
    ...{ name, helper: new Helper("load/unary-client.js", { execPath: bench.node }) },
    ...{ times: /** @type {number[]} */ ([]) },
  }));
  try {
    const { port } = await server.listen({ ...bench, isTls: false, hasInterceptors: false });
    const target = { dist: bench.dist, url: `http://127.0.0.1:${port}`, atOnce };
    for (const { name, helper } of clients) {
      bench.progress(`client: warm-up of ${name}`);
      await helper.ask("measure", { ...target, name, seconds: bench.warmUpSeconds });
    }
    for (let round = 0; round < bench.rounds; round++) {
      for (const { name, helper, times } of clients) {
        const { calls, cpuUs } = await helper.ask("measure", { ...target, name, seconds: bench.seconds });
        times.push(cpuUs / calls);
      }
      const found = clients.map(({ name, times }) => `${name} ${times.at(-1)?.toFixed(1)} µs`);
      bench.progress(`client: round ${round + 1} of ${bench.rounds}: ${found.join(", ")}`);
    }
  } finally {
    await Promise.all([server, ...clients.map(({ helper }) => helper)].map((each) => each.stop()));
  }
  const own = clients[0]?.times ?? [];
  return clients.map(({ name, times }) => {
    const cpuUs = spread(times);
    if (name === "manywire") return { name, cpuUs };
    const ratio = spread(times.map((time, round) => time / (own[round] ?? Number.NaN)));
    const goal = goals[name];
    return { name, cpuUs, ratio, ...(goal !== undefined && { goal }) };
  });
}
