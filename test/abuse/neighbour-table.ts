// Writes down how long neighbours waited during each attack, for `npm run test:abuse:table`.
import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import type { TimedCall } from "./neighbour.js";

/** The file to append to. */
const file = process.env.MANYWIRE_ABUSE_TABLE;

/** How long an attack goes on where it is recorded: p99 of a few calls says little. */
const recordedMs = 2000;

/** Attacks once. Where waits are recorded, attacks again and again for two seconds. */
export async function repeatIfRecorded(attack: () => Promise<void>): Promise<void> {
  const endMs = performance.now() + recordedMs;
  do {
    await attack();
  } while (file !== undefined && performance.now() < endMs);
}

/**
 * Appends one line of JSON for the test that runs: its name, and for each neighbour the milliseconds of its calls.
 * @param neighbours name → its calls that met the attack
 */
export function recordWaits(neighbours: Readonly<Record<string, readonly TimedCall[]>>): void {
  if (file === undefined) return;
  const { currentTestName: test, testPath } = expect.getState();
  const waits = Object.entries(neighbours).map(([name, calls]) => [
    name,
    calls.map(({ startMs, endMs }) => endMs - startMs),
  ]);
  appendFileSync(file, `${JSON.stringify({ testPath, test, waits: Object.fromEntries(waits) })}\n`);
}
