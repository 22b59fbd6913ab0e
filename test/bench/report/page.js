// The page of the docs with the results of whole runs, one for each Node: docs/benchmark.md.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labels, peerNames } from "../peers/names.js";
import { scenarios as known } from "../scenarios.js";
import { replaceSpeed } from "./readme.js";
import {
  addedMs,
  clientLabels,
  codecNotes,
  codecTable,
  cpuPeers,
  cpuRatio,
  formatCount,
  formatKilobytes,
  formatMs,
  formatRange,
  formatRatio,
  isReached,
  labelOf,
  withoutProxy,
} from "./text.js";

/** @typedef {import("../throughput.js").ScenarioResult} ScenarioResult */
/** @typedef {import("../half-load.js").HalfLoadResult} HalfLoadResult */
/** @typedef {import("../open-loop.js").OpenLoopResult} OpenLoopResult */
/** @typedef {import("../memory.js").MemoryResult} MemoryResult */
/** @typedef {import("../idle.js").IdleResult} IdleResult */
/** @typedef {import("../client.js").ClientResult} ClientResult */

/**
 * @typedef {object} Results of one run, as in its JSON
 * @property {string} date
 * @property {string} node
 * @property {string} machine
 * @property {string} system
 * @property {number} rounds
 * @property {number} seconds of a round
 * @property {ScenarioResult[]} scenarios
 * @property {HalfLoadResult[]} [halfLoad] absent, as each of the following, if it was not measured
 * @property {OpenLoopResult[]} [openLoop]
 * @property {OpenLoopResult[]} [proxyLatency] of the upstream alone, then of proxies
 * @property {MemoryResult[]} [memory]
 * @property {IdleResult[]} [idle]
 * @property {ClientResult[]} [clients]
 * @property {import("../codec-study.js").CodecResult} [codec]
 * @property {(Pick<Results, "date" | "machine" | "system" | "rounds" | "seconds"> & { names: string[] })[]} [updates] later
 *   runs, and the scenarios and studies that were measured in them
 */

/** @typedef {import("../peers/names.js").PeerName} PeerName */

/** @type {PeerName[]} */
const others = peerNames.slice(1);

/** How each peer is set up. @type {Record<Exclude<PeerName, "fast">, string>} */
const descriptions = {
  reference: "manywire with `fastLane: false`, which is Connect's handlers on manywire's port",
  "connect-node": "`@connectrpc/connect-node` on Node's own server, as its documentation shows",
  "grpc-js": "with `@grpc/proto-loader`, as its documentation shows",
  "grpc-go": "with one processor (`GOMAXPROCS=1`), as its documentation shows",
  "connect-go": "on Go's `net/http`, with one processor",
  "vanguard-go": "transcoding for the handlers of connect-go in one process, with one processor",
  "grpc-gateway": "two processes on one core, each with one processor; the processor time is that of both",
  "grpc-gateway-python": "the same, with the server in Python, as its documentation shows",
  "proxy-python": "manywire as a proxy in the same place, before the same server in Python",
  grpcwebproxy: "gRPC-Web before a gRPC server, with one processor",
  tonic: "on a Tokio runtime of one thread",
  floor: `Node's \`http\` or \`http2\`, which reads the body and sends recorded bytes, with Node's request
  and response objects. Manywire speaks both versions with its own code, so that the floor can be beaten`,
};

const head = `# Benchmark

\`npm run bench\` measures manywire beside other servers of these calls. Each peer has the same service, is checked for
its status and payload before and after, and all take their turns in each round. The server has one core, and the load the
others of the same machine: from \`h2load\` and \`wrk\`, and for ping-pong and fixed rates from programs of the benchmark's
own. A ratio is manywire's rate divided by the peer's in the same round: the median of all rounds, and the lowest and
highest in brackets. Above 1 manywire is faster. A second table has the server's processor time for each call or message
in microseconds: where the load cannot keep a server busy, the rates are those of the load.
`;

/** What is said of the requests where their headers are those of real clients. */
const clients = `Requests have the headers that \`@grpc/grpc-js\`, grpc-go, grpcio, \`@connectrpc/connect-web\` and \`fetch\` in Chromium,
and curl send, with a deadline, a trace context and cookies, so that responses are compressed where a server does that by
default. From 2026-11-29 on, each request over HTTP/1.1 and at fixed rates has a trace of its own. Messages of books have strings, nested messages, numbers of every kind, bytes, an enum, maps, wrappers and timestamps.
`;

/**
 * Makes the page of the results beside it, and README's table, which has the figures of the first Node.
 * @param {string} docs the folder of both
 */
export function writePage(docs) {
  const runs = readResults(docs);
  writeFileSync(join(docs, "benchmark.md"), formatPage(runs));
  const readme = join(docs, "../README.md");
  if (runs[0] !== undefined) writeFileSync(readme, replaceSpeed(readFileSync(readme, "utf8"), runs[0]));
}

/**
 * @param {string} docs
 * @returns {Results[]} in the order of their Nodes
 */
export function readResults(docs) {
  const folder = join(docs, "benchmark");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
}

/** @param {Results[]} runs */
export function formatPage(runs) {
  const measured = peersOf(runs.flatMap(({ scenarios }) => scenarios));
  const peers = measured.map((name) => `- **${labels[name]}**: ${descriptions[name]}.\n`).join("");
  const hasClients = runs.some(({ scenarios }) => scenarios.some(({ client }) => client !== undefined));
  const notes = hasClients ? `\n${clients}` : "";
  return [head, `${peers}${notes}\nThe rates of each round are in the JSON files.\n`, ...runs.map(formatRun)].join(
    "\n",
  );
}

/**
 * @param {ScenarioResult[]} scenarios
 * @returns {Exclude<PeerName, "fast">[]} those beside manywire that have figures
 */
function peersOf(scenarios) {
  const measured = new Set(scenarios.flatMap(({ peers }) => peers.map(({ name }) => name)));
  return others.filter((name) => name !== "fast").filter((name) => measured.has(name));
}

/** @param {Results} run */
function formatRun(run) {
  const { node, scenarios, updates = [] } = run;
  const major = /\d+/.exec(node)?.[0];
  const file = `benchmark/bench-node${major}`;
  return `## Node ${major}

${node}; ${formatRunKind(run)}. [JSON](${file}.json)
${updates.map(formatUpdate).join("")}
![Calls and messages a second on Node ${major}, for each scenario and peer](${file}.svg)

${[...groupScenarios(scenarios).map(formatScenarios), ...formatStudies(run)].join("\n")}`;
}

/** @param {Pick<Results, "date" | "machine" | "system" | "rounds" | "seconds">} run */
function formatRunKind({ date, machine, system, rounds, seconds }) {
  return `${machine}; ${system}; ${rounds} rounds of ${seconds} s; ${date.slice(0, 10)}`;
}

/** @param {NonNullable<Results["updates"]>[number]} update */
function formatUpdate({ names, ...run }) {
  return `\nIn a later run, on ${formatRunKind(run)}: ${names.map((name) => `\`${name}\``).join(", ")}.\n`;
}

/**
 * @param {Results} run
 * @returns {string[]} a paragraph and a table for each study that was made
 */
function formatStudies({ halfLoad, openLoop, proxyLatency, memory, idle, clients, codec }) {
  return [
    ...(halfLoad ? [formatHalfLoad(halfLoad)] : []),
    ...(openLoop ? [formatOpenLoop(openLoop)] : []),
    ...(proxyLatency ? [formatProxyLatency(proxyLatency)] : []),
    ...(memory ? [formatMemory(memory)] : []),
    ...(idle ? [formatIdle(idle)] : []),
    ...(clients ? [formatClients(clients)] : []),
    ...(codec ? [formatCodec(codec)] : []),
  ];
}

/** @param {HalfLoadResult[]} results */
function formatHalfLoad(results) {
  return `At half of the load that a server can take, and both at the same load, one call takes, in milliseconds and
in rounds five times as long:

${formatTable(
  ["", "load", "calls/s", "p50", "p99"],
  results.map(({ name, load, rate, p50Ms, p99Ms }) => [
    ...[labelOf(name), load, formatCount(rate)],
    ...[p50Ms, p99Ms].map((times) => formatMedian(times, formatMs)),
  ]),
)}`;
}

/** @param {OpenLoopResult[]} results */
function formatOpenLoop(results) {
  return `At a fixed rate, one call takes, in milliseconds and in rounds five times as long. Its time counts from when
it was due, whether or not the server keeps up. The last column says how late the load itself began calls:

${formatTable(
  ["", "calls/s", "p50", "p99", "load's own p99"],
  results.map((result) => {
    const { name, rate, reached, p50Ms, p99Ms, lateP99Ms } = result;
    const cells = isReached(result)
      ? [...[p50Ms, p99Ms].map((each) => formatMedian(each, formatMs)), formatMs(lateP99Ms.median)]
      : [`not reached (${formatCount(reached.median)})`, "–", "–"];
    return [labelOf(name), formatCount(rate), ...cells];
  }),
)}`;
}

/** @param {OpenLoopResult[]} results */
function formatProxyLatency(results) {
  return `What a proxy adds, at a fixed rate, in milliseconds:

${formatTable(
  ["", "calls/s", "p50", "p99", "added to p99"],
  results.map((result, index) => {
    const { name, rate, reached, p50Ms, p99Ms } = result;
    const cells = isReached(result)
      ? [
          ...[p50Ms, p99Ms].map((each) => formatMedian(each, formatMs)),
          index === 0 ? "–" : formatMs(addedMs(results, index)),
        ]
      : [`not reached (${formatCount(reached.median)})`, "–", "–"];
    return [index === 0 ? withoutProxy(name) : labelOf(name), formatCount(rate), ...cells];
  }),
)}`;
}

/** @param {MemoryResult[]} results */
function formatMemory(results) {
  return `Resident memory, in MB:

${formatTable(
  ["after gRPC calls", ...(results[0]?.samples ?? []).map(({ calls }) => formatCount(calls))],
  results.map(({ name, samples }) => [labelOf(name), ...samples.map(({ rssBytes }) => formatCount(rssBytes / 1e6))]),
)}`;
}

/** @param {IdleResult[]} results */
function formatIdle(results) {
  const connections = formatCount(results[0]?.connections ?? 0);
  return `Memory of one idle HTTP/2 connection in plaintext that has made one call, in KB: measured with ${connections} of them
after a garbage collection:

${formatTable(
  ["", "resident", "heap"],
  results.map(({ name, rssBytes, heapBytes }) => [labelOf(name), ...[rssBytes, heapBytes].map(formatKilobytes)]),
)}`;
}

/** @param {ClientResult[]} results */
function formatClients(results) {
  return `Processor time of clients for one unary gRPC call, in microseconds: 32 calls at a time on one connection, with
grpc-go as the server:

${formatTable(
  ["", "processor time", "÷ manywire"],
  results.map(({ name, cpuUs, ratio }) => [
    ...[clientLabels[name], formatMedian(cpuUs, (us) => us.toFixed(1))],
    ratio === undefined ? "–" : formatMedian(ratio, formatRatio),
  ]),
)}`;
}

/** @param {import("../codec-study.js").CodecResult} codec */
function formatCodec(codec) {
  const [columns = [], ...rows] = codecTable(codec.rows);
  return `The codec alone, on messages of books: manywire's time, and as a share of the time of protobufjs (static code),
\`JSON.parse\` or \`JSON.stringify\`, and of protobuf-es:

${formatTable(columns, rows)}
${codecNotes(codec).join("\n")}
`;
}

/**
 * @param {import("../statistics.js").Spread} values
 * @param {(value: number) => string} format
 */
function formatMedian(values, format) {
  return `${format(values.median)} (${formatRange(values, format)})`;
}

/** What is said of calls through proxies. */
const proxies = `Calls through a proxy, before tonic, which runs beside the load, and beside the proxy where calls are streams. vanguard-go
has \`httputil.ReverseProxy\` behind it, and the time is that of the proxy alone:

`;

/** @typedef {{ heading: string, ratios: PeerName[], scenarios: ScenarioResult[] }} Group `ratios` are peers whose processor time is compared */

/**
 * @param {ScenarioResult[]} scenarios
 * @returns {Group[]} those of gRPC, those of the other protocols, and those of proxies
 */
function groupScenarios(scenarios) {
  const knownOf = (/** @type {ScenarioResult} */ { name }) => known.find((scenario) => scenario.name === name);
  const isProxied = (/** @type {ScenarioResult} */ result) => knownOf(result)?.upstream !== undefined;
  const isGrpc = (/** @type {ScenarioResult} */ result) => knownOf(result)?.protocol === "grpc";
  const direct = scenarios.filter((result) => !isProxied(result));
  /** @type {Group[]} */
  const groups = [
    { heading: "", ratios: cpuPeers, scenarios: direct.filter(isGrpc) },
    { heading: "", ratios: cpuPeers, scenarios: direct.filter((result) => !isGrpc(result)) },
    { heading: proxies, ratios: ["vanguard-go", "grpc-gateway"], scenarios: scenarios.filter(isProxied) },
  ];
  return groups.filter((group) => group.scenarios.length > 0);
}

/** @param {Group} group */
function formatScenarios({ heading, ratios: compared, scenarios }) {
  const measured = peersOf(scenarios);
  const ratios = compared.filter((name) => measured.some((each) => each === name));
  return `${heading}${formatTable(
    ["manywire ÷", ...measured.map(labelOf)],
    scenarios.map(({ title, peers }) => [title, ...measured.map((other) => formatCell(peers, other))]),
  )}
Processor time of the server, in microseconds:

${formatTable(
  ["", ...["fast", ...measured].map(labelOf), ...ratios.map((name) => `manywire ÷ ${labelOf(name)}`)],
  scenarios.map(({ title, peers }) => [
    ...[title, ...["fast", ...measured].map((name) => formatCpu(peers, name))],
    ...ratios.map((name) => formatCpuRatio(peers, name)),
  ]),
)}`;
}

/**
 * @param {import("../throughput.js").PeerResult[]} peers
 * @param {string} other
 */
function formatCpuRatio(peers, other) {
  const ratio = cpuRatio(peers, other);
  return ratio === undefined ? "–" : formatRatio(ratio);
}

/**
 * @param {import("../throughput.js").PeerResult[]} peers
 * @param {string} other
 */
function formatCell(peers, other) {
  const ratio = peers.find(({ name }) => name === other)?.ratio;
  return ratio === undefined ? "–" : `**${formatRatio(ratio.median)}** (${formatRange(ratio, formatRatio)})`;
}

/**
 * @param {import("../throughput.js").PeerResult[]} peers
 * @param {string} wanted
 */
function formatCpu(peers, wanted) {
  const cpuUs = peers.find(({ name }) => name === wanted)?.cpuUs;
  return cpuUs === undefined ? "–" : cpuUs.toFixed(cpuUs < 10 ? 2 : 1);
}

/**
 * @param {string[]} columns
 * @param {string[][]} rows
 */
function formatTable(columns, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  const rule = columns.map((_, index) => (index === 0 ? "---" : "---:"));
  return [columns, rule, ...rows].map(line).join("");
}
