// Reads the command line into what is to be done.
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { findNode } from "./machine.js";
import { isAvailable } from "./peers/foreign.js";
import { peerNames } from "./peers/names.js";
import { scenarios } from "./scenarios.js";
import { cacheFolder, compileSchema, loadSchema, root } from "./schema.js";
import { studies } from "./studies.js";

/** @typedef {import("./scenarios.js").Scenario} Scenario */
/** @typedef {import("./scenarios.js").PeerName} PeerName */
/** @typedef {import("./studies.js").Study} Study */
/** @typedef {import("./peer.js").Bench} Bench */

const scenarioNames = scenarios.map(({ name }) => name);
const studyNames = studies.map(({ name }) => name);

export const usage = `Usage: npm run bench -- [scenario…] [options]

  Without a scenario, all of them:
${[...scenarios, ...studies].map(({ name, title }) => `    ${name.padEnd(20)} ${title}`).join("\n")}

  --quick              short rounds, to see that everything works; the figures mean little
  --rounds N           default 5
  --seconds N          of each round; default 2
  --calls N            of the scenario "memory"; default 500,000
  --peer NAME          only this peer, beside manywire; repeatable:
                       ${peerNames.slice(1).join(", ")}
  --node PATH|VERSION  the Node of the servers; a version, such as 24, is installed from npm into .cache; default: this one
  --dist FOLDER        the build of manywire; default dist
  --out FOLDER         for bench-node<major>.json and .svg, -partial if not everything was measured; default .cache/bench
  --update             put what was measured into the results in docs/benchmark, which keep all else, and make their page
  --page               make docs/benchmark.md of the results in docs/benchmark instead
  --profile SCENARIO   profile the fast lane, or the one --peer, under that load instead
  --help
`;

/**
 * @typedef {{ kind: "help" } | { kind: "page" }
 *   | { kind: "profile", scenario: Scenario, peer: PeerName, bench: Bench }
 *   | { kind: "measure", chosen: Scenario[], chosenStudies: Study[], isWhole: boolean, isUpdate: boolean, bench: Bench }} Task
 */

/**
 * @returns {Promise<Task>}
 * @throws {Error} that names the option, if one is wrong
 */
export async function readTask() {
  const { values, positionals } = parseCommandLine();
  if (values.help) return { kind: "help" };
  if (values.page) return { kind: "page" };
  const peers = parsePeers(values.peer);
  if (values.profile !== undefined) {
    const scenario = findScenario(values.profile);
    const [peer = "fast"] = values.peer === undefined ? [] : peers;
    return { kind: "profile", scenario, peer, bench: await prepareBench(values, peers) };
  }
  const names = positionals.length > 0 ? positionals : [...scenarioNames, ...studyNames];
  return {
    kind: "measure",
    chosen: names.filter((name) => !studyNames.includes(name)).map(findScenario),
    chosenStudies: studies.filter(({ name }) => names.includes(name)),
    isUpdate: values.update,
    isWhole: positionals.length === 0 && values.peer === undefined && !values.quick,
    bench: await prepareBench(values, peers),
  };
}

function parseCommandLine() {
  return parseArgs({
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
      update: { type: "boolean", default: false },
      page: { type: "boolean", default: false },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
}

/**
 * @param {ReturnType<typeof parseCommandLine>["values"]} values
 * @param {PeerName[]} peers
 * @returns {Promise<Bench>}
 */
async function prepareBench({ quick, rounds, seconds, calls, node, dist, out }, peers) {
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
    seconds: parseNumber("--seconds", seconds ?? (quick ? "0.3" : "2")),
    warmUpSeconds: quick ? 0.5 : 3,
    memoryCalls: parseNumber("--calls", calls ?? (quick ? "20000" : "500000")),
    peers: peers.filter(isAvailable),
    out: resolve(out),
    progress: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** @param {string[] | undefined} names */
function parsePeers(names) {
  const stranger = names?.find((name) => !peerNames.some((known) => known === name));
  if (stranger !== undefined) throw new Error(`--peer: expected one of ${peerNames.join(", ")}; found ${stranger}`);
  return peerNames.filter((known) => names?.includes(known) ?? true);
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
export function findScenario(name) {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  throw new Error(`scenario: expected one of ${[...scenarioNames, ...studyNames].join(", ")}; found ${name}`);
}
