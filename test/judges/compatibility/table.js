// Writes the results of all judges as a table for a terminal, and as docs/compatibility.md.

/**
 * @typedef {object} Row
 * @property {string} name of the judge
 * @property {string} calls what it does
 * @property {string | undefined} version
 * @property {import("./results.js").Counts | undefined} counts undefined if it was not run
 */

const preamble = `# Compatibility

Programs and libraries that others wrote have judged manywire: as clients of the port, as proxies in front of it, as the server
that our client calls, each through its own network code, or as what sends messages to our codec. This page is written by
\`node test/judges/compatibility/run.js --write\` from what they found.

`;

const remarks = `
Clients call both implementations of the protocols, in plaintext and with TLS where they can. A case is one test of such a
combination, for a conformance suite one case of the suite.

The REST responses of grpc-gateway and of the port are the same but for the text of errors, fields that
are not set, and what [gateway-differences.ts](../test/judges/interop/gateway-differences.ts) lists, each with its reason.

| to run | command |
|---|---|
| libraries of npm, curl, buf curl | \`npm test\` |
| Go, Python, proxies, generators of clients | \`npm run test:interop\` |
| Chromium | \`npm run test:browser\` |
| Connect's conformance suite | \`npm run test:conformance\` |
| protobuf's conformance suite | \`npm run test:protobuf\` |
`;

/** @param {Row[]} rows */
export function formatTable(rows) {
  const cells = rows.map(({ name, calls, version = "", counts }) => {
    const label = name.includes("suite") ? `${name}, ${calls.split(":")[0]}` : name;
    return [
      label,
      version,
      ...(counts ? [counts.cases, counts.passed, counts.failed, counts.seconds] : ["not run"]),
    ].map(String);
  });
  const all = [["judge", "version", "cases", "passed", "failed", "seconds"], ...cells];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const pad = (/** @type {string} */ cell, /** @type {number} */ column) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return all.map((row) => `${row.map(pad).join("  ").trimEnd()}\n`).join("");
}

/**
 * Without times, so that the page changes only when something else did.
 * @param {Row[]} rows of judges that were run
 */
export function formatPage(rows) {
  const lines = rows.map(({ name, version, calls, counts }) =>
    ["", name, version, calls, counts?.cases, counts?.passed, counts?.failed, ""].join(" | ").trim(),
  );
  const head = ["| judge | version | what it does | cases | passed | failed |", "|---|---|---|---:|---:|---:|"];
  return `${preamble}${[...head, ...lines].join("\n")}\n${remarks}`;
}
