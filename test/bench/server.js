// One peer in a process of its own. Its parent says over IPC which, and then asks it for what it has used.
import process from "node:process";
import { connectNode } from "./peers/connect-node.js";
import { floor } from "./peers/floor.js";
import { grpcJs } from "./peers/grpc-js.js";
import { manywire } from "./peers/manywire.js";
import { startProfile, stopProfile } from "./profiler.js";
import { loadSchema } from "./schema.js";

/**
 * @typedef {object} ListenOptions
 * @property {string} dist folder of the built package
 * @property {string} node the Node that the servers run on
 * @property {1 | 2} httpVersion
 * @property {boolean} isTls
 * @property {boolean} hasInterceptors
 * @property {boolean} isPingPong
 * @property {import("./check.js").Answer} [answer] for the floor to replay
 * @property {number} [backend] port of the gRPC server that the peer is a proxy of
 */

/** @typedef {(options: ListenOptions & { schema: import("./schema.js").Schema }) => Promise<number>} Listen resolves with the port */

/** @typedef {Exclude<import("./peers/names.js").PeerName, import("./peers/foreign.js").ForeignName>} NodePeer */

/** @type {Record<NodePeer, Listen>} */
const peers = {
  fast: manywire(true),
  reference: manywire(false),
  "connect-node": connectNode,
  "grpc-js": grpcJs,
  floor,
};

/** @type {Record<string, (message: any) => unknown>} */
const answers = {
  listen: async ({ peer, options }) => {
    const schema = await loadSchema(options.dist);
    return { port: await peers[/** @type {NodePeer} */ (peer)]({ ...options, schema }) };
  },
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system };
  },
  memory: () => {
    // Garbage is not what is asked for: the parent starts the process with --expose-gc where it wants to know.
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rssBytes: rss, heapBytes: heapUsed };
  },
  startProfile,
  stopProfile,
};

process.on("message", async (/** @type {any} */ message) => {
  try {
    process.send?.({ result: await answers[message.ask]?.(message) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
// A parent that is gone, however it went, must leave nothing behind.
process.on("disconnect", () => process.exit());
