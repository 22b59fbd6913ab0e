// The table of all judges counts what was run, and nothing else.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Judge {
  name: string;
  version(): string;
  from: { kind: "tests"; files: string[]; title?: string } | { kind: "conformance"; subject: string };
}

interface Modules {
  judges: Judge[];
  countCases(results: object, from: Judge["from"]): { cases: number; passed: number; failed: number } | undefined;
  formatPage(rows: object[]): string;
}

const importHere = async (name: string): Promise<Modules> => import(new URL(name, import.meta.url).href);
const { judges } = await importHere("judges.js");
const { countCases } = await importHere("results.js");
const { formatPage } = await importHere("table.js");

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const testCase = (suite: string, status: string) => ({ status, ancestorTitles: [suite], duration: 400 });

const results = {
  subjects: [{ subject: "fast", cases: 9, passed: 8, failed: 1, seconds: 3 }],
  files: [
    {
      name: "/somewhere/test/one.test.ts",
      startTime: 1000,
      endTime: 8000,
      assertionResults: [testCase("a, fast", "passed"), testCase("a, slow", "passed"), testCase("b", "failed")],
    },
    {
      name: "/somewhere/test/two.test.ts",
      assertionResults: [testCase("c", "passed"), testCase("c", "skipped")],
    },
    { name: "/somewhere/test/three.test.ts", assertionResults: [] },
  ],
};

describe("the table of judges", () => {
  test.each<[Judge["from"], object | undefined]>([
    [
      { kind: "conformance", subject: "fast" },
      { cases: 9, passed: 8, failed: 1 },
    ],
    [{ kind: "conformance", subject: "client" }, undefined],
    [
      { kind: "tests", files: ["test/one.test.ts"] },
      { cases: 3, passed: 2, failed: 1, seconds: 7 },
    ],
    [
      { kind: "tests", files: ["test/one.test.ts"], title: "a" },
      { cases: 2, passed: 2, failed: 0 },
    ],
    [{ kind: "tests", files: ["test/one.test.ts"], title: "z" }, undefined],
    [{ kind: "tests", files: ["test/one.test.ts", "test/none.test.ts"] }, undefined],
    [{ kind: "tests", files: ["test/two.test.ts"] }, undefined],
    [{ kind: "tests", files: ["test/three.test.ts"] }, undefined],
  ])("counts %o only if all of it was run", (from, expected) => {
    const counts = countCases(results, from);
    expect(counts).toEqual(expected && expect.objectContaining(expected));
  });

  test("names only tests that are there", () => {
    const files = judges.flatMap(({ from }) => (from.kind === "tests" ? from.files : []));
    expect(files.filter((file) => !existsSync(path(file)))).toEqual([]);
  });

  test("has no time in the page", () => {
    const counts = { cases: 3, passed: 2, failed: 1, seconds: 77 };
    const page = formatPage([{ name: "judge", version: "1.2", calls: "gRPC", counts }]);
    expect(page).toContain("\n| judge | 1.2 | gRPC | 3 | 2 | 1 |\n");
    expect(page).not.toContain("77");
  });
});
