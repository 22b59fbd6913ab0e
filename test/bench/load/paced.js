// Load by unary calls over HTTP/2 at a fixed rate, whether or not the server keeps up. The program in the folder `go` makes
// them.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../processes.js";
import { cacheFolder } from "../schema.js";
import { encodeRepeatedHeads, opening } from "./connection.js";
import * as frames from "./frames.js";

const folder = join(cacheFolder, "load");

/** The calls of the first moments do not count: connections open, and each of them has its first call. */
const leadSeconds = 0.5;
/** Beyond so many calls on a connection, the next ones wait for their turn: the server's limit is not measured. */
const mostStreams = 100;

/**
 * @typedef {object} PacedResult times in milliseconds
 * @property {number} rate calls a second that ended; below the wanted rate if the server cannot take it
 * @property {number} p50Ms from when a call was due to its end
 * @property {number} p99Ms the same
 * @property {number} lateP99Ms from when a call was due to its start: what the load itself adds to `p99Ms`
 * @property {number} goodRate calls a second that were served before their deadline
 * @property {number} refused share of the calls that the server has refused
 */

/**
 * @typedef {object} PacedEffort
 * @property {number} rate calls a second
 * @property {number} seconds
 * @property {number} [deadlineMs] from when a call was due; later responses are not good. With it, the server may refuse calls
 */

/** Builds the program. To be called once. */
export function buildPaced() {
  const env = { ...process.env, GOBIN: folder, GOWORK: "off" };
  const cwd = fileURLToPath(new URL("go", import.meta.url));
  execFileSync("go", ["install", "."], { cwd, env, stdio: "inherit" });
}

/**
 * @param {import("./load.js").Target} target in plaintext
 * @param {PacedEffort} effort
 * @returns {Promise<PacedResult>}
 * @throws {Error} if a response was wrong
 */
export async function measurePaced({ scenario, call, url }, { rate, seconds, deadlineMs }) {
  const { traceparent, ...headers } = call.headers;
  const heads = encodeRepeatedHeads(url, call.path, headers, { ...(traceparent && { traceparent }) });
  const data = frames.encodeFrame(frames.type.data, frames.endStream, 0, call.body);
  const load = {
    port: Number(new URL(url).port),
    opening: opening.toString("base64"),
    first: Buffer.concat([heads.first, data]).toString("base64"),
    later: Buffer.concat([heads.later, data]).toString("base64"),
    span: traceparent?.split("-")[2] ?? "",
    reply: call.reply.toString("base64"),
    connections: scenario.load.connections,
    streams: mostStreams,
    ...{ mayRefuse: deadlineMs !== undefined, deadlineMs: deadlineMs ?? 0 },
    ...{ rate, seconds, leadSeconds },
  };
  const file = join(cacheFolder, "paced.json");
  writeFileSync(file, JSON.stringify(load));
  const timeout = 60_000 + seconds * 2000;
  return JSON.parse(await run(join(folder, "load"), [file], { timeout, install: "npm run bench builds it" }));
}
