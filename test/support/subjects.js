// Keeps and prints what conformance suites found, by subject: what of this project they judged.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ cases: number, passed: number, failed: number, seconds: number }} Counts */
/** @typedef {{ subject: string } & Counts} Subject */

const reportFile = fileURLToPath(new URL("../../.cache/compatibility/conformance.json", import.meta.url));

/**
 * Leaves the results for the table of all judges, beside those of other subjects.
 * @param {Subject[]} results
 */
export function keepSubjects(results) {
  const before = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")).results : [];
  const others = before.filter((/** @type {Subject} */ { subject }) => !results.some((one) => one.subject === subject));
  mkdirSync(dirname(reportFile), { recursive: true });
  writeFileSync(reportFile, JSON.stringify({ results: [...others, ...results] }, null, 2));
}

/**
 * @param {string} title
 * @param {Subject[]} results
 */
export function formatSubjects(title, results) {
  const rows = results.map(({ subject, cases, passed, failed, seconds }) => [subject, cases, passed, failed, seconds]);
  const width = Math.max(12, ...results.map(({ subject }) => subject.length + 1));
  const lines = [["subject", "cases", "passed", "failed", "seconds"], ...rows].map(([first, ...rest]) =>
    [String(first).padEnd(width), ...rest.map((cell) => String(cell).padStart(8))].join(""),
  );
  return `\n${title}\n${lines.join("\n")}\n`;
}
