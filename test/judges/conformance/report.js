// Reads what the suite's runner prints with --vv, and tells its failures in short.

/** @typedef {{ name: string, reason: string }} Failure */
/** @typedef {{ cases: number, passed: number, failed: number, failures: Failure[] }} Report */

/**
 * @param {string} output of the runner
 * @returns {Report} a run that ended without totals has passed nothing, and its failures are the calls without a response
 */
export function parseReport(output) {
  const totals = /^Total cases: (\d+)\n(\d+) passed, (\d+) failed/m.exec(output);
  if (!totals) {
    return parseStall(output);
  }
  const notRun = Number(/^Another (\d+) could not be run/m.exec(output)?.[1] ?? 0);
  const blocks = output.matchAll(/^FAILED: (.*):\n((?:\t.*\n|---- HTTP Trace[\s\S]*?\n-{20}\n)*)/gm);
  return {
    cases: Number(totals[1]) + notRun,
    passed: Number(totals[2]),
    failed: Number(totals[3]) + notRun,
    failures: Array.from(blocks, ([, name = "", reason = ""]) => ({ name, reason })),
  };
}

/**
 * @param {string} output
 * @returns {Report}
 */
function parseStall(output) {
  const cases = Number(
    /^(?:Filtered tests to|Computed) (\d+) test case permutation(?![\s\S]*^Filtered)/m.exec(output)?.[1],
  );
  const open = new Set(Array.from(output.matchAll(/^Sending request for "(.*)"\.\.\.$/gm), ([, name = ""]) => name));
  for (const [, name = ""] of output.matchAll(/^Received response for "(.*)"\.\.\.$/gm)) {
    open.delete(name);
  }
  if (open.size === 0) {
    throw new Error(`the suite ran nothing:\n${output}`);
  }
  const failures = Array.from(open, (name) => ({ name, reason: "\tno answer, and so the suite did not end\n" }));
  return { cases, passed: 0, failed: cases, failures };
}

/**
 * One paragraph per reason, with one case named in full, so that it can be given to --run, and the others without the axes of
 * their permutations (HTTP version, protocol, codec, compression, TLS).
 * @param {Failure[]} failures
 */
export function formatFailures(failures) {
  const groups = groupBy(failures, ({ reason }) => withoutNumbers(reason));
  const paragraphs = groups.map(([first, ...others]) => {
    const shortNames = new Set([first, ...others].map(({ name }) => withoutPermutation(name)));
    shortNames.delete(withoutPermutation(first.name));
    const also = Array.from(shortNames, (name) => `\talso ${name}\n`).join("");
    return `FAILED ${others.length + 1}×: ${first.name}\n${first.reason}${also}`;
  });
  return paragraphs.join("");
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} toKey
 * @returns {[T, ...T[]][]} in order of first appearance
 */
function groupBy(items, toKey) {
  /** @type {Map<string, [T, ...T[]]>} */
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(toKey(item));
    group ? group.push(item) : groups.set(toKey(item), [item]);
  }
  return [...groups.values()];
}

/** @param {string} name parts with a colon are the axes of a permutation */
function withoutPermutation(name) {
  const parts = name.split("/").filter((part) => !part.includes(":"));
  return parts.join("/");
}

/** @param {string} reason durations, ports and sizes differ between permutations */
function withoutNumbers(reason) {
  return reason.replaceAll(/\d+/g, "N");
}
