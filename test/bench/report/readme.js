// README's table of speed: a few scenarios and peers of docs/benchmark.md.

/** @typedef {import("./page.js").Results} Results */
/** @typedef {import("../peers/names.js").PeerName} PeerName */

/** @type {[label: string, peer: PeerName][]} */
const columns = [
  ["÷ `connectNodeAdapter`", "connect-node"],
  ["÷ `@grpc/grpc-js`", "grpc-js"],
  ["÷ grpc-go", "grpc-go"],
];

/** Scenarios by what README calls them. Those without figures are left out. */
const rows = {
  "grpc-unary": "gRPC unary, 4 × 32 streams",
  "grpc-2kb": "the same with books of 2 KB",
  "grpc-20kb": "the same with books of 20 KB",
  "grpc-tls": "gRPC unary over TLS",
  "grpc-interceptors": "gRPC, two interceptors, a deadline, metadata",
  "grpc-server-stream": "gRPC server stream of 1,000 messages",
  "grpc-large": "gRPC unary, 1 MiB each way",
  "connect-json-http2": "Connect JSON, HTTP/2",
  "connect-json": "Connect JSON, HTTP/1.1",
  "connect-json-2kb": "the same with books of 2 KB",
  "grpc-web": "gRPC-Web, HTTP/1.1",
};

/** @param {Results} run @returns {string} a table of Markdown */
export function formatSpeed({ scenarios }) {
  const body = Object.entries(rows).flatMap(([name, label]) => {
    const scenario = scenarios.find((each) => each.name === name);
    return scenario === undefined ? [] : [[label, ...columns.map(([, peer]) => formatRatio(scenario, peer))]];
  });
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  return `${line(["", ...columns.map(([label]) => label)]).replace("|  |", "| |")}|---|${"---:|".repeat(columns.length)}\n${body.map(line).join("")}`;
}

/**
 * @param {Results["scenarios"][number]} scenario
 * @param {PeerName} peer
 */
function formatRatio({ peers }, peer) {
  const ratio = peers.find(({ name }) => name === peer)?.ratio?.median;
  if (ratio === undefined) return "–";
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2);
}

/** The table with its heading, as README has it. */
const table = /^\| \| ÷ .*\n\|---.*\n(?:\|.*\n)*/m;

/**
 * @param {string} readme
 * @param {Results} run
 * @returns {string} the README with the figures of the run
 */
export function replaceSpeed(readme, run) {
  return readme.replace(table, () => formatSpeed(run));
}
