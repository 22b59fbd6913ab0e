// Results as a picture: for each scenario one bar per peer, each scenario to its own scale. The floor is there where it is a
// goal: in a stream it writes all messages at once, and beside its bar the others would have no length.
import { formatCount, labelOf } from "./text.js";

/** @typedef {import("../throughput.js").ScenarioResult} ScenarioResult */

const width = 760;
const barsLeft = 190;
const longestBar = 390;
const barHeight = 14;
const groupGap = 40;
const top = 84;

/** Both must be readable on white and on GitHub's dark grey. */
const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .scenario { font-weight: 600 } .note { fill: #59636e; font-size: 11px }
  .fast { fill: #0969da } .reference { fill: #8ec5ff } .connect-node { fill: #bf8700 } .grpc-js { fill: #1a7f37 } .grpc-go { fill: #8250df }
  .connect-go { fill: #a475f9 } .vanguard-go { fill: #c297ff } .grpc-gateway { fill: #bf3989 } .grpc-gateway-python { fill: #e85aad } .proxy-python { fill: #54aeff }
  .grpcwebproxy { fill: #6639ba } .tonic { fill: #bc4c00 } .floor { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 }
    .fast { fill: #4493f8 } .reference { fill: #2a5a94 } .connect-node { fill: #d29922 } .grpc-js { fill: #3fb950 } .grpc-go { fill: #ab7df8 }
    .connect-go { fill: #8957e5 } .vanguard-go { fill: #6e40c9 } .grpc-gateway { fill: #db61a2 } .grpc-gateway-python { fill: #9e3670 } .proxy-python { fill: #388bfd }
    .grpcwebproxy { fill: #bc8cff } .tonic { fill: #f0883e } .floor { fill: #656c76 }
  }`;

/**
 * @param {ScenarioResult[]} results
 * @param {{ node: string, machine: string }} machine
 * @returns {string} an SVG document
 */
export function drawPicture(results, machine) {
  const lines = [];
  let y = top;
  for (const result of results.filter(({ skipped }) => skipped === undefined).map(withoutReportedFloor)) {
    lines.push(drawGroup(result, y));
    y += result.peers.length * (barHeight + 3) + groupGap;
  }
  const heading = "Calls and messages a second, one server process";
  const where = `Node ${machine.node}; ${machine.machine}, shared with the load. Medians; longer is better.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" role="img" aria-label="${escapeXml(heading)}">
<style>${style}
</style>
<text class="title" x="16" y="28">${escapeXml(heading)}</text>
<text class="note" x="16" y="48">${escapeXml(where)}</text>
${lines.join("\n")}
</svg>
`;
}

/**
 * @param {ScenarioResult} result
 * @param {number} y
 */
function drawGroup({ title, unit, peers }, y) {
  const best = Math.max(...peers.map(({ rate }) => rate.median));
  const bars = peers.map(({ name, rate }, index) => {
    const top = y + 8 + index * (barHeight + 3);
    const length = Math.max(1, (rate.median / best) * longestBar);
    return [
      `<text x="${barsLeft - 8}" y="${top + 11}" text-anchor="end">${escapeXml(labelOf(name))}</text>`,
      `<rect class="${name}" x="${barsLeft}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
      `<text x="${(barsLeft + length + 6).toFixed(1)}" y="${top + 11}">${formatCount(rate.median)} ${escapeXml(unit)}/s</text>`,
    ].join("");
  });
  return [`<text class="scenario" x="16" y="${y}">${escapeXml(title)}</text>`, ...bars].join("\n");
}

/** @param {ScenarioResult} result */
function withoutReportedFloor(result) {
  return { ...result, peers: result.peers.filter(({ name, goal }) => name !== "floor" || goal !== undefined) };
}

/** @param {string} text */
function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
