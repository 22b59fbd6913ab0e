// Reads what the suite prints at its end, and tells its failures in short.

/** @typedef {{ name: string, reason: string }} Failure */

/**
 * @param {string} output of the runner
 * @returns {{ cases: number, passed: number, failed: number, failures: Failure[] } | undefined} nothing where it has no totals
 */
export function parseReport(output) {
  const totals = /^Total cases: (\d+)\n(\d+) passed, (\d+) failed/m.exec(output);
  if (!totals) {
    return undefined;
  }
  const notRun = Number(/^Another (\d+) could not be run/m.exec(output)?.[1] ?? 0);
  const failures = Array.from(
    output.matchAll(/^FAILED: (.*):\n((?:\t.*\n|---- HTTP Trace[\s\S]*?\n-{20}\n)*)/gm),
    (match) => ({
      name: match[1] ?? "",
      reason: match[2] ?? "",
    }),
  );
  return {
    cases: Number(totals[1]) + notRun,
    passed: Number(totals[2]),
    failed: Number(totals[3]) + notRun,
    failures,
  };
}

/**
 * One paragraph per reason and case: the permutations of HTTP version, protocol, codec, compression and TLS are only counted,
 * and the first one is named in full, so that it can be given to --run.
 * @param {Failure[]} failures
 */
export function formatFailures(failures) {
  /** @type {Map<string, { first: Failure, count: number }>} */
  const groups = new Map();
  for (const failure of failures) {
    const key = `${withoutPermutation(failure.name)}\n${withoutNumbers(failure.reason)}`;
    const group = groups.get(key) ?? { first: failure, count: 0 };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  return Array.from(groups.values(), ({ first, count }) => `FAILED ${count}×: ${first.name}\n${first.reason}`).join("");
}

/** @param {string} name of a case: parts with a colon are the axes of its permutation */
function withoutPermutation(name) {
  return name
    .split("/")
    .filter((part) => !part.includes(":"))
    .join("/");
}

/** @param {string} reason durations, ports and sizes differ between permutations */
function withoutNumbers(reason) {
  return reason.replaceAll(/\d+/g, "N");
}
