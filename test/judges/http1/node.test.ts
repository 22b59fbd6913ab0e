// Node's HTTP/1.1 judges ours: of the same random bytes, both make the same requests, or ours refuses more, for a known reason.
// What two servers in a row read differently is how requests are smuggled.
// MANYWIRE_HTTP1_CASES says how many connections, MANYWIRE_SEED where to begin.
import { expect, test } from "vitest";
import { Random, seed } from "../../support/random.js";
import { findDifference } from "./differences.js";
import { drawBytes, drawParts } from "./drawn.js";
import { readNode, readOwn, type Seen } from "./read.js";

const cases = Number(process.env.MANYWIRE_HTTP1_CASES ?? 3000);

test("random bytes are read as by Node, or refused", { timeout: 60_000 + cases * 20 }, async () => {
  const failures: string[] = [];
  for (let number = seed; number < seed + cases && failures.length < 10; number++) {
    const random = new Random(number);
    const bytes = drawBytes(random);
    const [ours, theirs] = await Promise.all([readOwn([bytes]), readNode([bytes])]);
    const difference = findDifference(ours, theirs);
    if (difference !== undefined) failures.push(describe(number, difference, bytes, ours, theirs));
  }
  expect(failures.join("\n\n")).toBe("");
});

test("random bytes are read in parts as they are read in one", { timeout: 60_000 + cases * 20 }, async () => {
  const failures: string[] = [];
  for (let number = seed; number < seed + cases && failures.length < 10; number++) {
    const random = new Random(number);
    const bytes = drawBytes(random);
    const [whole, parts] = await Promise.all([readOwn([bytes]), readOwn(drawParts(random, bytes))]);
    const isSame = JSON.stringify(whole.requests) === JSON.stringify(parts.requests);
    if (!isSame || whole.isRefused !== parts.isRefused) failures.push(describe(number, "parts", bytes, whole, parts));
  }
  expect(failures.join("\n\n")).toBe("");
});

function describe(number: number, what: string, bytes: Buffer, ours: Seen, theirs: Seen): string {
  const text = JSON.stringify(bytes.toString("latin1"));
  return `seed ${number}: ${what}\n  ${text}\n  ours:  ${JSON.stringify(ours)}\n  other: ${JSON.stringify(theirs)}`;
}
