// Reads what the runs have left in .cache/compatibility: reports of Vitest in its JSON form, and conformance.json of the
// conformance suites.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {import("../../support/subjects.js").Counts} Counts */
/** @typedef {import("../../support/subjects.js").Subject} Subject */
/** @typedef {{ status: string, ancestorTitles: string[], duration?: number }} Assertion */
/** @typedef {{ name: string, startTime: number, endTime: number, assertionResults: Assertion[] }} TestFile */
/** @typedef {{ subjects: Subject[], files: TestFile[] }} Results */

const suiteReport = "conformance.json";

/**
 * @param {string} folder
 * @returns {Results} empty if nothing was run
 */
export function readResults(folder) {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  const parse = (/** @type {string} */ name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  return {
    subjects: names.includes(suiteReport) ? parse(suiteReport).results : [],
    files: names.filter((name) => name !== suiteReport).flatMap((name) => parse(name).testResults),
  };
}

/**
 * @param {Results} results
 * @param {import("./judges.js").Judge["from"]} from
 * @returns {Counts | undefined} undefined if it was not run, or not all of it
 */
export function countCases({ subjects, files }, from) {
  if (from.kind === "conformance") {
    return subjects.find(({ subject }) => subject === from.subject);
  }
  const { title = "" } = from;
  const reports = from.files.map((path) => files.find(({ name }) => name.endsWith(`/${path}`)));
  const tests = reports.flatMap((report) => report?.assertionResults ?? []);
  const own = tests.filter(({ ancestorTitles: [suite = ""] }) => suite.startsWith(title));
  const count = (/** @type {string} */ status) => own.filter((test) => test.status === status).length;
  const passed = count("passed");
  const failed = count("failed");
  const isWhole = reports.every((report) => report !== undefined) && own.length > 0 && passed + failed === own.length;
  if (!isWhole) {
    return undefined;
  }
  const milliseconds = from.title
    ? own.reduce((sum, { duration = 0 }) => sum + duration, 0)
    : reports.reduce((sum, report) => sum + (report?.endTime ?? 0) - (report?.startTime ?? 0), 0);
  return { cases: own.length, passed, failed, seconds: Math.round(milliseconds / 1000) };
}
