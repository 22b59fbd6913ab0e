// Measures the codec alone, by programs that run on the core and the Node of the servers, each in a process of its own.
import { fileURLToPath } from "node:url";
import { runProgram } from "./processes.js";

/**
 * @typedef {object} CodecResult
 * @property {import("./codec.js").CodecRow[]} rows
 * @property {import("./codec-first-call.js").FirstCall} firstCall
 * @property {import("./codec-memory.js").CodeMemory} memory
 */

/**
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<CodecResult>}
 */
export async function measureCodec({ node, dist, rounds, seconds, progress }) {
  const run = async (/** @type {string} */ program, /** @type {string[]} */ ...args) => {
    progress(`codec: ${program}`);
    const path = fileURLToPath(new URL(program, import.meta.url));
    return JSON.parse(
      await runProgram("server", node, ["--expose-gc", path, ...args], { timeout: 600_000, install: "" }),
    );
  };
  // Their rounds are short, and the best one counts.
  const codecRounds = `${Math.ceil(rounds * seconds * 3)}`;
  return {
    rows: await run("codec.js", "--json", "--dist", dist, "--rounds", codecRounds),
    firstCall: await run("codec-first-call.js", dist),
    memory: await run("codec-memory.js", dist),
  };
}
