// Results as tables of text.
import { labels } from "../peers/names.js";

/** @typedef {import("../throughput.js").ScenarioResult} ScenarioResult */
/** @typedef {import("../throughput.js").PeerResult} PeerResult */
/** @typedef {import("../statistics.js").Spread} Spread */

/** @param {string} name */
export const labelOf = (name) => labels[/** @type {keyof typeof labels} */ (name)] ?? name;

/** @param {ScenarioResult} result */
export function formatScenario({ name, title, unit, peers, skipped }) {
  const heading = `\n${name}: ${title}\n`;
  if (skipped !== undefined) return `${heading}  skipped: ${skipped}\n`;
  const columns = ["", `${unit}/s`, "spread", "CPU µs each", "CPU ÷ it", "goal", "manywire ÷ it", "spread", "goal"];
  return (
    heading +
    formatTable(
      columns,
      peers.map((peer) => formatPeer(peer, cpuRatio(peers, peer.name))),
    )
  );
}

/** The peers that manywire's processor time is divided by. @type {import("../peers/names.js").PeerName[]} */
export const cpuPeers = ["grpc-go", "tonic"];

/**
 * Manywire's processor time ÷ that of another peer.
 * @param {PeerResult[]} peers
 * @param {string} other
 * @returns {number | undefined} undefined if one of them was not measured
 */
export function cpuRatio(peers, other) {
  const cpuUsOf = (/** @type {string} */ name) => peers.find((peer) => peer.name === name)?.cpuUs;
  const [own, its] = [cpuUsOf("fast"), cpuUsOf(other)];
  return own === undefined || its === undefined ? undefined : own / its;
}

/**
 * @param {PeerResult} peer
 * @param {number | undefined} cpu manywire's processor time ÷ the peer's
 */
function formatPeer({ name, rate, cpuUs, ratio, goal, cpuGoal }, cpu = Number.NaN) {
  const speed = [
    labelOf(name),
    formatCount(rate.median),
    formatRange(rate, formatCount),
    cpuUs.toFixed(cpuUs < 10 ? 2 : 1),
  ];
  if (ratio === undefined) return [...speed, "", "", "", "", ""];
  return [
    ...speed,
    ...[formatRatio(cpu), formatCpuGoal(cpu, cpuGoal)],
    formatRatio(ratio.median),
    formatRange(ratio, formatRatio),
    formatGoal(ratio, goal),
  ];
}

/**
 * @param {Spread} ratio
 * @param {number | undefined} goal
 */
function formatGoal(ratio, goal) {
  return goal === undefined ? "" : `≥ ${goal} ${ratio.median >= goal ? "met" : "missed"}`;
}

/**
 * @param {number} ratio
 * @param {number | undefined} goal
 */
function formatCpuGoal(ratio, goal) {
  return goal === undefined ? "" : `≤ ${goal} ${ratio <= goal ? "met" : "missed"}`;
}

/** The peers of the summary. */
const summarized = ["connect-node", "grpc-js", "grpc-go", "tonic", "floor"];

/** @param {ScenarioResult[]} results */
export function formatSummary(results) {
  const rows = results.map(({ name, peers, skipped }) => {
    const ratios = summarized.map((other) => {
      const peer = peers.find((each) => each.name === other);
      return peer?.ratio === undefined
        ? "–"
        : `${formatRatio(peer.ratio.median)} ${formatGoal(peer.ratio, peer.goal)}`.trim();
    });
    const cpu = cpuPeers.map((other) => {
      const ratio = cpuRatio(peers, other);
      const goal = peers.find((each) => each.name === other)?.cpuGoal;
      return ratio === undefined ? "–" : `${formatRatio(ratio)} ${formatCpuGoal(ratio, goal)}`.trim();
    });
    const cells = [...ratios, ...cpu];
    return [name, ...(skipped === undefined ? cells : cells.map((_, index) => (index === 0 ? "skipped" : "")))];
  });
  const columns = [...summarized.map((name) => `÷ ${labelOf(name)}`), ...cpuPeers.map((name) => `CPU ÷ ${name}`)];
  return `\nmanywire ÷ peer, medians\n${formatTable(["", ...columns], rows)}`;
}

/** @param {import("../half-load.js").HalfLoadResult[]} results */
export function formatHalfLoad(results) {
  const rows = results.map(({ name, load, rate, p50Ms, p99Ms }) => [
    ...[labelOf(name), load, formatCount(rate)],
    ...[p50Ms, p99Ms].flatMap((times) => [formatMs(times.median), formatRange(times, formatMs)]),
  ]);
  const columns = ["", "load", "calls/s", "p50 ms", "spread", "p99 ms", "spread"];
  return `\nhalf-load: how long a call takes\n${formatTable(columns, rows)}`;
}

/** A server that ends fewer calls than this share of those that were due has not reached the rate. */
const reachedShare = 0.98;

/** @param {import("../open-loop.js").OpenLoopResult} result */
export const isReached = ({ rate, reached }) => reached.median >= rate * reachedShare;

/**
 * What manywire's p99 at a rate is to be at most: milliseconds, and how often that of grpc-go.
 * @type {Record<number, { ms: number, timesGrpcGo?: number }>}
 */
const openLoopGoals = { 20000: { ms: 1.5, timesGrpcGo: 3 }, 60000: { ms: 5 } };

/** @param {import("../open-loop.js").OpenLoopResult[]} results */
export function formatOpenLoop(results) {
  const rows = results.map((result) => {
    const { name, rate, reached, p50Ms, p99Ms, lateP99Ms } = result;
    const times = [p50Ms, p99Ms].flatMap((each) => [formatMs(each.median), formatRange(each, formatMs)]);
    const found = isReached(result) ? [...times, formatMs(lateP99Ms.median)] : ["not reached", "", "", "", ""];
    const goal = name === "fast" ? formatOpenLoopGoal(result, results) : "";
    return [labelOf(name), formatCount(rate), formatCount(reached.median), ...found, goal];
  });
  const columns = ["", "calls/s", "reached", "p50 ms", "spread", "p99 ms", "spread", "load's own p99", "goal"];
  return `\nopen-loop: how long a call takes from when it was due\n${formatTable(columns, rows)}`;
}

/** @param {import("../overload.js").OverloadResult[]} results */
export function formatOverload(results) {
  const rows = results.map(({ name, load, rate, goodput, refused, p50Ms, p99Ms, healthP99Ms }) => [
    ...[name, `${load}×`, formatCount(rate), `${Math.round(goodput.median * 100)} %`],
    ...[`${Math.round(refused.median * 100)} %`, ...[p50Ms, p99Ms, healthP99Ms].map(({ median }) => formatMs(median))],
  ]);
  const columns = ["", "load", "calls/s", "goodput", "refused", "p50 ms", "p99 ms", "health p99 ms"];
  return `\noverload: calls that were served within a second, of the most that the server can take\n${formatTable(columns, rows)}`;
}

/** What a processor serves beside others, of what it serves alone. */
const perProcessorGoal = 0.9;

/** @param {import("../workers.js").WorkersResult[]} results */
export function formatWorkers(results) {
  const rows = results.map(({ name, workers, rate, cpuUs, perProcessor }) => [
    ...[name, `${workers}`, formatCount(rate.median), formatRange(rate, formatCount), cpuUs.median.toFixed(1)],
    ...[formatRatio(perProcessor.median), formatRange(perProcessor, formatRatio)],
    workers === 1 ? "" : formatGoal(perProcessor, perProcessorGoal),
  ]);
  const columns = ["", "workers", "calls/s", "spread", "CPU µs each", "per processor", "spread", "goal"];
  return `\nworkers: calls by a second of processor time, of those with one worker\n${formatTable(columns, rows)}`;
}

/** Milliseconds that a proxy may add to p99. */
const proxyAddsMs = 1;

/** The upstream alone, then proxies. @param {import("../open-loop.js").OpenLoopResult[]} results */
export function formatProxyLatency(results) {
  const rows = results.map((result, index) => {
    const { name, rate, reached, p50Ms, p99Ms } = result;
    const cells = [index === 0 ? withoutProxy(name) : labelOf(name), formatCount(rate), formatCount(reached.median)];
    if (!isReached(result)) return [...cells, "not reached", "", "", "", "", ""];
    const times = [p50Ms, p99Ms].flatMap((each) => [formatMs(each.median), formatRange(each, formatMs)]);
    return [...cells, ...times, ...(index === 0 ? ["", ""] : formatAdded(addedMs(results, index), name))];
  });
  const columns = ["", "calls/s", "reached", "p50 ms", "spread", "p99 ms", "spread", "added to p99", "goal"];
  return `\nproxy-latency: how long a call takes through a proxy\n${formatTable(columns, rows)}`;
}

/** @param {string} name of the upstream */
export const withoutProxy = (name) => `${labelOf(name)} alone`;

/**
 * What the proxy at `index` adds to p99, in milliseconds.
 * @param {import("../open-loop.js").OpenLoopResult[]} results
 * @param {number} index
 */
export function addedMs(results, index) {
  return (results[index]?.p99Ms.median ?? Number.NaN) - (results[0]?.p99Ms.median ?? Number.NaN);
}

/** @param {number} ms @param {string} name */
function formatAdded(ms, name) {
  return [formatMs(ms), name === "fast" ? `≤ ${proxyAddsMs} ms ${ms <= proxyAddsMs ? "met" : "missed"}` : ""];
}

/**
 * @param {import("../open-loop.js").OpenLoopResult} own
 * @param {import("../open-loop.js").OpenLoopResult[]} results
 */
function formatOpenLoopGoal({ rate, p99Ms }, results) {
  const goal = openLoopGoals[rate];
  if (goal === undefined) return "";
  const judge = (/** @type {number} */ ms) => (p99Ms.median <= ms ? "met" : "missed");
  const first = `≤ ${goal.ms} ms ${judge(goal.ms)}`;
  const grpcGo = results.find((each) => each.name === "grpc-go" && each.rate === rate);
  if (goal.timesGrpcGo === undefined || grpcGo === undefined || !isReached(grpcGo)) return first;
  return `${first}, ≤ ${goal.timesGrpcGo} × grpc-go ${judge(goal.timesGrpcGo * grpcGo.p99Ms.median)}`;
}

/** @param {import("../idle.js").IdleResult[]} results */
export function formatIdle(results) {
  const rows = results.map(({ name, connections, rssBytes, heapBytes }) => [
    ...[labelOf(name), formatCount(connections), ...[rssBytes, heapBytes].map(formatKilobytes)],
  ]);
  const columns = ["", "connections", "resident", "heap"];
  return `\nidle: memory of an idle HTTP/2 connection, in KB\n${formatTable(columns, rows)}`;
}

/** @param {import("../client.js").ClientResult[]} results */
export function formatClients(results) {
  const rows = results.map(({ name, cpuUs, ratio, goal }) => [
    ...[clientLabels[name], cpuUs.median.toFixed(1), formatRange(cpuUs, (us) => us.toFixed(1))],
    ...(ratio === undefined
      ? ["", "", ""]
      : [formatRatio(ratio.median), formatRange(ratio, formatRatio), formatGoal(ratio, goal)]),
  ]);
  const columns = ["", "CPU µs a call", "spread", "it ÷ manywire", "spread", "goal"];
  return `\nclient: processor time of unary gRPC calls, 32 at a time\n${formatTable(columns, rows)}`;
}

/** What the tables call each client. @type {Record<import("../client.js").ClientResult["name"], string>} */
export const clientLabels = {
  manywire: "manywire",
  "manywire-node": 'manywire, http2: "node"',
  "connect-node": "@connectrpc/connect-node",
  "grpc-js": "@grpc/grpc-js",
};

/** @param {import("../memory.js").MemoryResult[]} results */
export function formatMemory(results) {
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  const rows = results.flatMap(({ name, samples }) =>
    samples.map(({ calls, rssBytes, heapBytes }, index) => [
      ...[index === 0 ? labelOf(name) : "", formatCount(calls), megabytes(rssBytes), megabytes(heapBytes)],
    ]),
  );
  const table = formatTable(["", "calls", "resident", "heap"], rows);
  return `\nmemory: after calls, in MB\n${table}${results.map(formatGrowth).join("")}`;
}

/** @param {import("../memory.js").MemoryResult} result */
function formatGrowth({ name, samples }) {
  const middle = samples[Math.floor(samples.length / 2)];
  const last = samples.at(-1);
  if (middle === undefined || last === undefined) return "";
  const percent = (last.rssBytes / middle.rssBytes - 1) * 100;
  const calls = `${formatCount(middle.calls)} to ${formatCount(last.calls)} calls`;
  return `  ${labelOf(name)}, from ${calls}: resident ${percent < 0 ? "" : "+"}${percent.toFixed(1)} %\n`;
}

/**
 * What the codec is to reach, as shares of the time of others. @type {Record<string, { other: string, most: number }>}
 */
const codecGoals = {
  decode: { other: "protobufjs", most: 0.9 },
  encode: { other: "protobufjs", most: 0.8 },
  "JSON read": { other: "JSON.parse", most: 2.2 },
  "JSON write": { other: "JSON.stringify", most: 1.5 },
};

/** The rows of the table of the codec: a heading, then one for each task and size. @param {import("../codec.js").CodecRow[]} rows */
export function codecTable(rows) {
  const body = rows.map(({ task, size, bytes, us, ratios }) => {
    const { other, most } = codecGoals[task] ?? { other: "", most: 0 };
    const ratio = ratios[other] ?? Number.NaN;
    const others = [
      `${formatRatio(ratio)} ${other}`,
      `${formatRatio(ratios["protobuf-es"] ?? Number.NaN)} protobuf-es`,
    ];
    return [
      `${task}, ${size}`,
      formatCount(bytes),
      us.toFixed(2),
      ...others,
      `≤ ${most} ${ratio <= most ? "met" : "missed"}`,
    ];
  });
  return [["", "bytes", "µs", "÷", "÷", "goal"], ...body];
}

/** @param {import("../codec-study.js").CodecResult} result the first call and the memory, in sentences */
export function codecNotes({ firstCall, memory }) {
  const { fields, binaryMs, jsonMs } = firstCall;
  const times = ({ first = 0, median = 0 }) =>
    `${formatMs(median)} ms (${formatMs(first)} ms for the first type of a process)`;
  const first = `The first call of a type of ${fields} fields takes ${times(binaryMs)} as protobuf and ${times(jsonMs)} as JSON.`;
  const { api, types, preparedBytes, serviceBytes, allBytes } = memory;
  const kb = (/** @type {number} */ bytes) => `${formatCount(bytes / 1000)} KB`;
  const perType = `${kb(allBytes / types)} each`;
  return [
    first,
    `The ${formatCount(types)} types of ${api} take ${kb(preparedBytes)} before any call and ${kb(serviceBytes)} more after calls ` +
      `of each method of one service. All of them, read and written, take ${kb(allBytes)}, ${perType}.`,
  ];
}

/** @param {import("../codec-study.js").CodecResult} result */
export function formatCodec(result) {
  const notes = codecNotes(result).map((note) => `  ${note}\n`);
  return formatCodecRows(result.rows) + notes.join("");
}

/** @param {import("../codec.js").CodecRow[]} rows */
export function formatCodecRows(rows) {
  const [columns = [], ...body] = codecTable(rows);
  return `\ncodec: manywire's time, and as a share of what others take\n${formatTable(columns, body)}`;
}

/** @param {import("../profile.js").ProfileResult} profile */
export function formatProfile({ file, functions }) {
  const rows = functions.map(({ name, place, share }) => [`${name}  ${place}`, `${(share * 100).toFixed(1)} %`]);
  return `\n${formatTable(["function", "self time"], rows)}\nThe whole profile: ${file}\n`;
}

/** @param {Record<string, string>} machine */
export function formatMachine(machine) {
  return Object.entries(machine)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

/** @param {number} value */
export const formatCount = (value) => Math.round(value).toLocaleString("en-US");
/** @param {number} value */
export const formatRatio = (value) => value.toFixed(2);
/** @param {number} bytes */
export const formatKilobytes = (bytes) => (bytes / 1000).toFixed(1);
/** @param {number} value */
export const formatMs = (value) => value.toFixed(2);

/**
 * @param {Spread} range
 * @param {(value: number) => string} format
 */
export const formatRange = ({ min, max }, format) => `${format(min)} – ${format(max)}`;

/**
 * The first column to the left, the others to the right.
 * @param {string[]} columns
 * @param {string[][]} rows
 */
function formatTable(columns, rows) {
  const all = [columns, ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  const lines = all.map((row) => {
    const cells = row.map((cell, index) =>
      index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0),
    );
    return `  ${cells.join("   ")}`.trimEnd();
  });
  return `${lines.join("\n")}\n`;
}
