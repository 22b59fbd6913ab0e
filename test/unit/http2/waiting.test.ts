import { expect, test } from "vitest";
import { Waiting } from "../../../server/http2/stream.js";
import { Random, seed } from "../../support/random.js";

test("what waits leaves in the order in which it came, whatever the sizes", () => {
  const random = new Random(seed);
  for (let round = 0; round < 100; round++) {
    const waiting = new Waiting();
    const pushed: Buffer[] = [];
    const shifted: Uint8Array[] = [];
    const shift = () => shifted.push(Uint8Array.from(waiting.shift(1 + random.below(3000))));
    for (let step = 0; step < 200; step++) {
      const chunk = random.bytes(random.pick([0, 1, 1, 1, 7, 300, 1023, 1024, 2000]));
      pushed.push(chunk);
      waiting.push(chunk);
      while (waiting.bytes > 0 && random.chance(0.4)) shift();
    }
    while (waiting.bytes > 0) shift();
    expect(Buffer.concat(shifted).equals(Buffer.concat(pushed)), `round ${round}`).toBe(true);
  }
});

test("what has been taken does not change with what comes later", () => {
  const waiting = new Waiting();
  for (let byte = 0; byte < 40; byte++) waiting.push(Uint8Array.of(byte));
  const taken: Uint8Array[] = [];
  while (waiting.bytes > 0) taken.push(waiting.shift(8));
  for (let byte = 0; byte < 40; byte++) waiting.push(Uint8Array.of(255));
  expect([...Buffer.concat(taken)]).toEqual(Array.from({ length: 40 }, (_, byte) => byte));
});

test("single bytes take little more memory than their number", () => {
  const waiting = new Waiting();
  const chunks: Uint8Array[] = [];
  for (let byte = 0; byte < 16_000; byte++) waiting.push(Uint8Array.of(byte));
  while (waiting.bytes > 0) chunks.push(waiting.shift(16_384));
  expect(chunks.length).toBeLessThan(20);
});
