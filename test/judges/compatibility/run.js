// Makes one table of what all judges found in their last runs, and prints it; with --write also docs/compatibility.md.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { judges } from "./judges.js";
import { countCases, readResults } from "./results.js";
import { formatPage, formatTable } from "./table.js";

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const path = (/** @type {string} */ name) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

const results = readResults(path(".cache/compatibility"));
const rows = judges.map(({ name, version, calls, from, isByHand = false }) => {
  const counts = countCases(results, from);
  return { name, calls, version: counts && version(), counts, isByHand };
});
process.stdout.write(formatTable(rows));
const missing = rows.filter(({ counts }) => counts === undefined);
const failing = rows.filter(({ counts }) => counts !== undefined && counts.failed > 0);
if (missing.length > 0) {
  process.stderr.write(
    `not run, or not all of it: ${missing.map(({ name, calls }) => `${name} (${calls})`).join("; ")}\n`,
  );
} else if (values.write) {
  writeFileSync(path("docs/compatibility.md"), formatPage(rows));
}
process.exitCode = missing.some(({ isByHand }) => values.write || !isByHand) || failing.length > 0 ? 1 : 0;
