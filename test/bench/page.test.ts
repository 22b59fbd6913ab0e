// The page of the benchmark says what was measured, and nothing else.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

interface Page {
  readResults(docs: string): object[];
  formatPage(runs: object[]): string;
}

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const { readResults, formatPage }: Page = await import(new URL("report/page.js", import.meta.url).href);

test("docs/benchmark.md is what npm run bench -- --page makes of the results", () => {
  const runs = readResults(docs);
  expect(runs.length).toBeGreaterThan(0);
  expect(readFileSync(`${docs}/benchmark.md`, "utf8")).toBe(formatPage(runs));
});
