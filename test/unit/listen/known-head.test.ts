import { expect, test } from "vitest";
import { similarityOf } from "../../../server/http/similar-headers.js";
import { HeadReader } from "../../../server/http1/head-reader.js";
import { Input } from "../../../server/http1/input.js";
import type { RequestHead } from "../../../server/http1/request-head.js";
import { type RequestFields, readRequestHead, readSimilarRequest } from "../../../server/http2/field-rules.js";
import { createField, type Field } from "../../../server/http2/hpack/field.js";
import { knownHeadOf as knownHead1 } from "../../../server/listen/http1/known-head.js";
import { knownHeadOf as knownHead2 } from "../../../server/listen/http2/known-head.js";
import { Random, seed } from "../../support/random.js";

type Known = ReturnType<typeof knownHead1> | ReturnType<typeof knownHead2>;

/** All that an exchange has of it. */
const describeKnown = (known: Known) => ({ ...known, headers: Object.entries(known.headers) });

/** Names whose values say something of others, or that may come more than once. */
const names = ["x-trace", "x-trace", "user-agent", "cookie", "set-cookie", "connection", "expect", "host", "te", "x-b"];
const drawValue = (random: Random) =>
  random.pick(["", "a", "a", "b, c", "100-continue", "x-trace", "trailers", "bad host", `${random.below(1000)}`]);

interface Line {
  name: string;
  value: string;
}

/** Heads of one connection, most of which are like the one before. */
function drawHeads(random: Random): { target: string; lines: Line[] }[] {
  let lines: Line[] = [
    { name: "host", value: "a" },
    ...random.several(1, 6, () => ({ name: random.pick(names), value: drawValue(random) })),
  ];
  const usual = random.below(lines.length);
  return random.several(5, 15, () => {
    const place = random.chance(0.7) ? usual : random.below(lines.length);
    const { name } = lines[place] as Line;
    lines = lines.with(place, { name: random.chance(0.95) ? name : random.pick(names), value: drawValue(random) });
    const target = random.chance(0.8) ? "/a" : random.pick(["/b?c=d", "*", "http://other/c", "//"]);
    return { target, lines };
  });
}

test("HTTP/1.1: what is known of a head does not depend on those before it", () => {
  const random = new Random(seed);
  let similar = 0;
  for (let round = 0; round < 300; round++) {
    const reader = new HeadReader(10_000);
    for (const { target, lines } of drawHeads(random)) {
      const version = random.chance(0.95) ? "1.1" : "1.0";
      const text = [`POST ${target} HTTP/${version}`, ...lines.map(({ name, value }) => `${name}: ${value}`), "", ""];
      const read = (by: HeadReader) => {
        const input = new Input();
        input.append(Buffer.from(text.join("\r\n"), "latin1"));
        return knownHead1(by.read(input) as RequestHead, 100);
      };
      const known = read(reader);
      if (similarityOf(known.headers) !== undefined) similar++;
      expect([text, describeKnown(known)]).toEqual([text, describeKnown(read(new HeadReader(10_000)))]);
    }
  }
  expect(similar).toBeGreaterThan(100);
});

test("HTTP/2: what is known of a head does not depend on those before it", () => {
  const random = new Random(seed);
  const seen = { similar: 0, whole: 0, refused: 0 };
  for (let round = 0; round < 300; round++) {
    let base: RequestFields | undefined;
    for (const { target, lines } of drawHeads(random)) {
      const method = random.chance(0.9) ? "POST" : random.pick(["GET", "CONNECT"]);
      const pseudo = { ":method": method, ":scheme": "http", ":path": target, ":authority": "a" };
      const raw: Field[] = [
        ...Object.entries(pseudo).map(([name, value]) => createField(name, value)),
        ...lines.map(({ name, value }) => createField(name, value)),
      ];
      const fresh = readRequestHead(raw);
      const similar = base && readSimilarRequest(raw, base);
      if (typeof fresh === "string") {
        seen.refused++;
        expect(similar, fresh).toBeUndefined();
        continue;
      }
      const { similar: _, ...facts } = fresh;
      if (similar === undefined) base = fresh;
      else expect(similar).toMatchObject(facts);
      const known = knownHead2(similar ?? fresh);
      if (similarityOf(known.headers) === undefined) seen.whole++;
      else seen.similar++;
      const expected = knownHead2(readRequestHead(raw) as RequestFields);
      expect([raw, describeKnown(known)]).toEqual([raw, describeKnown(expected)]);
    }
  }
  expect(seen.similar).toBeGreaterThan(100);
  expect(seen.whole).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(100);
});
