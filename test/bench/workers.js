// Measures what worker processes bring: calls a second of processor time, and of the clock, with one worker and with one for
// each processor.
import { spawn } from "node:child_process";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkPeer } from "./check.js";
import { measure } from "./load/load.js";
import { prepareCall } from "./prepare.js";
import { listChildren, readCpuUs } from "./proc.js";
import { stop, track } from "./processes.js";
import { spread } from "./statistics.js";

/** @typedef {import("./statistics.js").Spread} Spread */
/** @typedef {import("./load/load.js").Target & { workers: number, pids: number[], expected: number }} Workers */

/**
 * @typedef {object} WorkersResult
 * @property {string} name what calls do
 * @property {number} workers
 * @property {Spread} rate calls a second, with the load on the same processors
 * @property {Spread} cpuUs processor time of all processes for a call, in microseconds
 * @property {Spread} perProcessor calls that one second of processor time serves, ÷ those with one worker in the same round
 */

/** What is served. The Greeter's calls are so short that the load decides how many of them are read at once. */
const services = [
  { name: "the Greeter", module: undefined },
  { name: "200 µs of work", module: fileURLToPath(new URL("workers-service.js", import.meta.url)) },
];

/**
 * @param {import("./scenarios.js").Scenario} scenario of the Greeter
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<WorkersResult[]>}
 */
export async function measureWorkers(scenario, bench) {
  /** @type {WorkersResult[]} */
  const results = [];
  for (const service of services) results.push(...(await measureService(service, scenario, bench)));
  return results;
}

/**
 * One worker is one process; more have a primary beside them, whose processor time counts, too.
 * The load takes processor time itself, so that more workers than one cannot have all of it here. What a second of processor
 * time serves does not depend on that.
 * @param {typeof services[number]} service
 * @param {import("./scenarios.js").Scenario} scenario of the Greeter
 * @param {import("./peer.js").Bench} bench
 * @returns {Promise<WorkersResult[]>}
 */
async function measureService(service, scenario, bench) {
  const counts = [1, Math.max(2, os.availableParallelism())];
  /** @type {import("node:child_process").ChildProcess[]} */
  const children = [];
  try {
    /** @type {Workers[]} */
    const all = [];
    for (const workers of counts) all.push(await startWorkers(service, workers, scenario, bench, children));
    /** @type {{ rate: number, cpuUs: number }[][]} in the order of `all` */
    const rounds = [];
    for (let index = 0; index < bench.rounds; index++) {
      bench.progress(`workers: round ${index + 1} of ${bench.rounds}: ${service.name}`);
      const round = [];
      for (const target of all) round.push(await measureRound(target, bench.seconds));
      rounds.push(round);
    }
    return counts.map((workers, index) => {
      const spreadOf = (/** @type {(round: { rate: number, cpuUs: number }[]) => number | undefined} */ read) =>
        spread(rounds.map((round) => read(round) ?? Number.NaN));
      return {
        name: service.name,
        workers,
        rate: spreadOf((round) => round[index]?.rate),
        cpuUs: spreadOf((round) => round[index]?.cpuUs),
        perProcessor: spreadOf((round) => (round[0]?.cpuUs ?? Number.NaN) / (round[index]?.cpuUs ?? Number.NaN)),
      };
    });
  } finally {
    await Promise.all(children.map(stop));
  }
}

/**
 * Starts the command with workers, checks it, and loads it until it is warm.
 * @param {typeof services[number]} service
 * @param {number} workers
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./peer.js").Bench} bench
 * @param {import("node:child_process").ChildProcess[]} children
 * @returns {Promise<Workers>}
 */
async function startWorkers(
  { name, module },
  workers,
  scenario,
  { dist, node, schema, warmUpSeconds, progress },
  children,
) {
  progress(`workers: warm-up of ${workers}: ${name}`);
  const command = [join(dist, "server", "main.js"), ...(module === undefined ? [] : ["serve", module])];
  const args = [...command, "--port", "0", "--log-level", "warn", "--workers", `${workers}`];
  const env = { ...process.env, BENCH_DIST: dist };
  const child = track(spawn(node, args, { env, stdio: ["ignore", "pipe", "inherit"] }));
  children.push(child);
  const url = await readUrl(child);
  const call = prepareCall(scenario, schema);
  const answer = await checkPeer(scenario, call, "fast", url);
  const target = { scenario, call, url, answer };
  let expected = 0;
  for (let part = 0; part < 4; part++) {
    ({ rate: expected } = await measure(target, { seconds: (warmUpSeconds * workers) / 4, rate: expected }));
  }
  const pid = child.pid ?? Number.NaN;
  return { ...target, workers, expected, pids: [pid, ...listChildren(pid)] };
}

/** @param {import("node:child_process").ChildProcess} child */
async function readUrl({ stdout }) {
  if (stdout === null) throw new Error("manywire: expected a standard output");
  for await (const line of createInterface(stdout)) {
    const url = /http:\/\/[\w.]+:\d+/.exec(line)?.[0];
    stdout.resume();
    if (url !== undefined) return url;
  }
  throw new Error("manywire: expected its address, found the end of its output");
}

/**
 * @param {Workers} target
 * @param {number} seconds
 */
async function measureRound({ pids, expected, ...target }, seconds) {
  const readAll = () => pids.reduce((total, pid) => total + readCpuUs(pid), 0);
  const before = readAll();
  const { calls, rate } = await measure(target, { seconds, rate: expected });
  return { rate, cpuUs: (readAll() - before) / calls };
}
