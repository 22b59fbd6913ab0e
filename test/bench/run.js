// Measures manywire against its peers, each in a process of its own, and writes tables, JSON and a picture.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { measureHalfLoad } from "./half-load.js";
import { describeMachine, findNode } from "./machine.js";
import { measureMemory } from "./memory.js";
import { endChildrenWithUs } from "./processes.js";
import { profilePeer } from "./profile.js";
import { drawPicture } from "./report/picture.js";
import * as text from "./report/text.js";
import { scenarios } from "./scenarios.js";
import { cacheFolder, compileSchema, loadSchema, root } from "./schema.js";
import { measureThroughput } from "./throughput.js";

/** @type {import("./scenarios.js").PeerName[]} */
const peerNames = ["fast", "reference", "connect-node", "grpc-js", "floor"];

const usage = `Usage: npm run bench -- [scenario…] [options]

  Without a scenario, all of them:
${scenarios.map(({ name, title }) => `    ${name.padEnd(20)} ${title}`).join("\n")}
    half-load            p50 and p99 at half the load that a server can take
    memory               resident memory over many calls

  --quick             short rounds, to see that everything works; the figures mean little
  --rounds N          default 5
  --seconds N         of each round; default 3
  --calls N           of the scenario "memory"; default 500,000
  --peer NAME         only this peer, beside manywire: reference, connect-node, grpc-js or floor; repeatable
  --node PATH|VERSION the Node of the servers; a version, such as 24, is installed from npm into .cache; default: this one
  --dist FOLDER       the build of manywire; default dist
  --out FOLDER        for the results, bench-node<major>.json and .svg; default .cache/bench
  --profile SCENARIO  profile the fast lane (or the one --peer) under that load instead
  --help
`;

const write = (/** @type {string} */ line) => void process.stdout.write(line);
const progress = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      calls: { type: "string" },
      peer: { type: "string", multiple: true },
      node: { type: "string" },
      dist: { type: "string", default: "dist" },
      out: { type: "string", default: cacheFolder },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return write(usage);
  endChildrenWithUs();
  const bench = await prepare(values);
  if (values.profile !== undefined) {
    const [peer = "fast"] = values.peer === undefined ? [] : bench.peers;
    return write(text.formatProfile(await profilePeer(findScenario(values.profile), peer, bench)));
  }
  await measureAll(
    positionals.length > 0 ? positionals : [...scenarios.map(({ name }) => name), "half-load", "memory"],
    bench,
  );
}

/**
 * @param {string[]} names
 * @param {import("./peer.js").Bench} bench
 */
async function measureAll(names, bench) {
  const machine = describeMachine(bench.node);
  write(text.formatMachine(machine));
  const unary = findScenario("grpc-unary");
  const chosen = names.filter((name) => name !== "half-load" && name !== "memory").map(findScenario);
  const results = [];
  for (const scenario of chosen) {
    const result = await measureThroughput(scenario, bench);
    results.push(result);
    write(text.formatScenario(result));
  }
  const halfLoad = names.includes("half-load") ? await measureHalfLoad(unary, bench) : undefined;
  if (halfLoad !== undefined) write(text.formatHalfLoad(halfLoad));
  const memory = names.includes("memory") ? await measureMemory(unary, bench) : undefined;
  if (memory !== undefined) write(text.formatMemory(memory));
  if (results.length > 1) write(text.formatSummary(results));
  const { rounds, seconds } = bench;
  save(machine, { rounds, seconds, scenarios: results, halfLoad, memory }, bench.out);
}

/**
 * @param {Record<string, string>} machine
 * @param {{ scenarios: import("./throughput.js").ScenarioResult[] } & Record<string, unknown>} results
 * @param {string} out
 */
function save(machine, results, out) {
  const stem = join(out, `bench-node${/\d+/.exec(machine.node ?? "")?.[0]}`);
  writeFileSync(
    `${stem}.json`,
    `${JSON.stringify({ date: new Date().toISOString(), ...machine, ...results }, null, 2)}\n`,
  );
  writeFileSync(`${stem}.svg`, drawPicture(results.scenarios, machine));
  write(`\nWritten: ${stem}.json and .svg\n`);
}

/**
 * @param {{ quick: boolean, rounds?: string, seconds?: string, calls?: string, peer?: string[], node?: string, dist: string, out: string }} values
 * @returns {Promise<import("./peer.js").Bench>}
 */
async function prepare({ quick, rounds, seconds, calls, peer, node, dist, out }) {
  const folder = resolve(root, dist);
  if (!existsSync(join(folder, "server", "index.js"))) {
    throw new Error(`--dist: expected a build of manywire in ${dist}, found none; npm run build makes one`);
  }
  mkdirSync(out, { recursive: true });
  compileSchema();
  return {
    dist: folder,
    node: node === undefined ? process.execPath : findNode(node),
    schema: await loadSchema(folder),
    rounds: parseNumber("--rounds", rounds ?? (quick ? "3" : "5")),
    seconds: parseNumber("--seconds", seconds ?? (quick ? "0.3" : "3")),
    warmUpSeconds: quick ? 0.5 : 4,
    memoryCalls: parseNumber("--calls", calls ?? (quick ? "20000" : "500000")),
    peers: parsePeers(peer),
    out: resolve(out),
    progress,
  };
}

/** @param {string[] | undefined} names */
function parsePeers(names) {
  if (names === undefined) return peerNames;
  const stranger = names.find((name) => !peerNames.some((known) => known === name));
  if (stranger !== undefined) throw new Error(`--peer: expected one of ${peerNames.join(", ")}, found ${stranger}`);
  return peerNames.filter((known) => names.includes(known));
}

/**
 * @param {string} option
 * @param {string} value
 */
function parseNumber(option, value) {
  const number = Number(value.replaceAll(",", ""));
  if (!(number > 0)) throw new Error(`${option}: expected a number above 0, found ${value}`);
  return number;
}

/** @param {string} name */
function findScenario(name) {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const known = [...scenarios.map((scenario) => scenario.name), "half-load", "memory"];
  throw new Error(`expected a scenario of ${known.join(", ")}; found ${name}`);
}
