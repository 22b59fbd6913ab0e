// Runs the attacks one after the other, and prints how long a neighbour waited for a response during each of them.
//   npm run test:abuse:table [-- FILE…]     files of vitest; all attacks without them
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** @typedef {{ testPath: string, test: string, waits: Record<string, number[]> }} Attack milliseconds, by HTTP version */

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, ".cache", "abuse");
const file = join(folder, "waits.jsonl");
const versions = ["HTTP/1.1", "HTTP/2"];

mkdirSync(folder, { recursive: true });
writeFileSync(file, "");
const files = process.argv.slice(2);
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const args = [vitest, "run", ...(files.length > 0 ? files : ["test/abuse"]), "--no-file-parallelism"];
const env = { ...process.env, MANYWIRE_ABUSE_TABLE: file };
// The table alone goes to standard output.
const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: ["ignore", 2, 2] });
process.stdout.write(formatTable(readAttacks()));
process.exitCode = status ?? 1;

/** @returns {Attack[]} a test that attacks several times is one of them */
function readAttacks() {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  /** @type {Map<string, Attack>} */
  const attacks = new Map();
  for (const line of lines) {
    /** @type {Attack} */
    const found = JSON.parse(line);
    const key = `${found.testPath} ${found.test}`;
    const known = attacks.get(key);
    if (known === undefined) attacks.set(key, found);
    else for (const version of versions) known.waits[version]?.push(...(found.waits[version] ?? []));
  }
  return [...attacks.values()];
}

/** @param {Attack[]} attacks */
function formatTable(attacks) {
  const columns = versions.flatMap((version) => [`calls, ${version}`, "p50", "p99"]);
  const rows = attacks.map(({ testPath, test, waits }) => {
    const cells = versions.flatMap((version) => formatWaits(waits[version] ?? []));
    return [basename(testPath, ".test.ts"), test.replaceAll("|", "\\|"), ...cells];
  });
  const rule = ["---", "---", ...columns.map(() => "---:")];
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  const machine = `Node ${process.version}; a neighbour's wait for a response during each attack, in milliseconds\n\n`;
  return machine + [["", "attack", ...columns], rule, ...rows].map(line).join("");
}

/** @param {number[]} waits */
function formatWaits(waits) {
  const sorted = waits.toSorted((a, b) => a - b);
  const quantile = (/** @type {number} */ share) => sorted[Math.ceil(sorted.length * share) - 1]?.toFixed(1) ?? "–";
  return [`${sorted.length}`, quantile(0.5), quantile(0.99)];
}
