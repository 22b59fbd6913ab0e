// h2spec, which sends what RFC 7540 and RFC 7541 allow and forbid, case by case, to our port.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serverIdentity } from "../../support/certificates.js";
import { outputOf } from "../../support/program.js";
import { startServer } from "../../support/server.js";
import { cache } from "./cache.js";
import { h2spec } from "./tools.js";

/** What all cases are. A version of h2spec with more of them is to be looked at. */
const caseCount = 145;

interface Place {
  readonly security: "plaintext" | "TLS";
  readonly flags: readonly string[];
  /** Cases that are not met, and why. */
  readonly exceptions: readonly string[];
}

const places: readonly Place[] = [
  {
    security: "plaintext",
    flags: [],
    // The port speaks HTTP/1.1 as well: what is no preface is a malformed request of that, and gets 400.
    exceptions: ["Sends invalid connection preface"],
  },
  { security: "TLS", flags: ["--tls", "--insecure"], exceptions: [] },
];

describe.each(places)("HTTP/2 with $security", ({ security, flags, exceptions }) => {
  test("passes every case of h2spec", async () => {
    await using server = await startServer({ tls: security === "TLS" ? serverIdentity : undefined });
    const report = join(cache, `h2spec-${security}.xml`);
    await rm(report, { force: true });
    const { hostname, port } = new URL(server.url);
    const where = ["--host", hostname, "--port", port, "--path", "/manywire.test.v1.TestService/Unary"];
    // Its exit code says whether all cases have passed.
    await outputOf(h2spec, [...where, ...flags, "--junit-report", report], { limitMs: 120_000 }).catch(() => {});
    const cases = readCases(await readFile(report, "utf8"));
    expect(cases).toHaveLength(caseCount);
    expect(cases.filter(({ hasFailed }) => hasFailed).map(({ name }) => name)).toEqual(exceptions);
  });
});

/** Reads the names of cases and whether they have failed. */
function readCases(report: string): { name: string; hasFailed: boolean }[] {
  const found = report.matchAll(/<testcase [^>]*classname="(?<name>[^"]*)"[^>]*>(?<body>[\s\S]*?)<\/testcase>/g);
  return [...found].map(({ groups }) => ({
    name: groups?.name ?? "",
    hasFailed: /<(?:failure|error)\b/.test(groups?.body ?? ""),
  }));
}
