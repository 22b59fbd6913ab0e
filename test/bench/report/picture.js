// Results as a picture: for each scenario one bar per peer, as long as its rate over that of the floor.
import { formatCount, labels } from "./text.js";

/** @typedef {import("../throughput.js").ScenarioResult} ScenarioResult */

const width = 760;
const barsLeft = 190;
/** Where a bar as fast as the floor ends. */
const floorAt = 560;
const barHeight = 14;
const groupGap = 40;
const top = 84;

/** Both must be readable on white and on GitHub's dark grey. */
const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .scenario { font-weight: 600 } .note { fill: #59636e; font-size: 11px }
  .fast { fill: #0969da } .reference { fill: #8ec5ff } .connect-node { fill: #bf8700 } .grpc-js { fill: #1a7f37 } .floor { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 }
    .fast { fill: #4493f8 } .reference { fill: #2a5a94 } .connect-node { fill: #d29922 } .grpc-js { fill: #3fb950 } .floor { fill: #656c76 }
  }`;

/**
 * @param {ScenarioResult[]} results
 * @param {Record<string, string>} machine
 * @returns {string} an SVG document
 */
export function drawPicture(results, machine) {
  const lines = [];
  let y = top;
  for (const result of results.filter(({ skipped }) => skipped === undefined)) {
    lines.push(drawGroup(result, y));
    y += result.peers.length * (barHeight + 3) + groupGap;
  }
  const heading = "Rate of one server process, as a share of what Node itself can do";
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
  const full = peers.find(({ name }) => name === "floor")?.rate.median ?? best;
  const bars = peers.map(({ name, rate }, index) => {
    const top = y + 8 + index * (barHeight + 3);
    // A peer that is faster than the floor by chance must not leave the picture.
    const length = Math.max(1, Math.min(1.05, rate.median / full) * (floorAt - barsLeft));
    const text = `${formatCount(rate.median)} ${unit}/s, ${formatShare(rate.median / full)}`;
    return [
      `<text x="${barsLeft - 8}" y="${top + 11}" text-anchor="end">${escapeXml(labels[name])}</text>`,
      `<rect class="${name}" x="${barsLeft}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
      `<text x="${(barsLeft + length + 6).toFixed(1)}" y="${top + 11}">${escapeXml(text)}</text>`,
    ].join("");
  });
  return [`<text class="scenario" x="16" y="${y}">${escapeXml(title)}</text>`, ...bars].join("\n");
}

/** @param {number} share */
function formatShare(share) {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** @param {string} text */
function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
