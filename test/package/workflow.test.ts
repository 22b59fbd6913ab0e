// The workflow of the repository's host runs the same commands as a developer and the gate.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");

interface Workflow {
  readonly jobs: Record<
    string,
    { strategy?: { matrix: { node: number[] } }; steps: { uses?: string; run?: string }[] }
  >;
}

const { jobs }: Workflow = parse(readFileSync(join(root, ".github/workflows/ci.yml"), "utf8"));

function commandsOf(job: string): string[] {
  return jobs[job]?.steps.flatMap(({ run }) => run ?? []) ?? [];
}

test("the workflow runs README's commands on every supported Node", () => {
  expect(commandsOf("test")).toEqual(["npm ci", "npm test"]);
  const gate = readFileSync(join(root, ".ci/run"), "utf8");
  const versions = /^node_versions=\(([^)]*)\)/m
    .exec(gate)?.[1]
    ?.split(" ")
    .map((version) => Number.parseInt(version, 10));
  expect(jobs.test?.strategy?.matrix.node).toEqual(versions);
});

test("the workflow runs the gate", () => {
  expect(commandsOf("gate").at(-1)).toBe("bash .ci/run");
  expect(existsSync(join(root, ".ci/run"))).toBe(true);
});
