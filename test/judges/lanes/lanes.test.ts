// The two lanes respond alike, except for a short list of known differences: random requests, from a seed that a
// failure names, get the same responses from both. MANYWIRE_DIFFERENTIAL is how many of them, for each protocol.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random, seed } from "../../support/random.js";
import { allowances } from "./allowed.js";
import { limitBytes } from "./bodies.js";
import { describeDifference, describeSample } from "./describe.js";
import { makeSample, type Sample, type Wire, wires } from "./generate.js";
import { type Compared, isSame, type Lanes, openLanes } from "./lanes.js";
import { interceptors } from "./service.js";

const count = Number(process.env.MANYWIRE_DIFFERENTIAL ?? 2000);
const atOnce = 8;
/** As many differences as a person would look at. */
const shown = 5;

const strict = {
  readMaxBytes: limitBytes,
  requireConnectProtocolHeader: true,
  compressMinBytes: 0,
  compressResponses: true,
  maxTimeoutMs: 200_000,
  interceptors,
};

describe("the lanes", () => {
  const places: Lanes[] = [];
  const used = new Map<string, number>();

  beforeAll(async () => {
    places.push(await openLanes({}), await openLanes(strict));
  });
  afterAll(async () => {
    for (const place of places) await place[Symbol.asyncDispose]();
  });

  async function compareAll(wire: Wire): Promise<string[]> {
    const random = new Random(seed);
    const different: string[] = [];
    for (let index = 0; index < count && different.length < shown; index += atOnce) {
      const samples = Array.from({ length: atOnce }, (): [Lanes, Sample] => {
        return [random.chance(0.4) ? (places[1] as Lanes) : (places[0] as Lanes), makeSample(random, wire)];
      });
      const compared = await Promise.all(samples.map(([place, sample]) => place.compare(wire, sample)));
      for (const { name } of compared.flatMap(({ used }) => used)) used.set(name, (used.get(name) ?? 0) + 1);
      different.push(...compared.filter((one) => !isSame(one)).map((one) => describeOne(one, index)));
    }
    return different;
  }

  test.each(wires)(`respond alike to ${count} random requests: %s`, { timeout: 30_000 + 20 * count }, async (wire) => {
    const different = await compareAll(wire);
    expect(different.slice(0, shown).join("\n\n")).toBe("");
  });

  test("differ in every way that is allowed, or it need not be allowed", () => {
    expect(allowances.filter(({ name }) => !used.has(name)).map(({ name }) => name)).toEqual([]);
  });
});

function describeOne({ sample, fast, reference, used }: Compared, index: number): string {
  const names = used.map(({ name }) => name).join(", ");
  const where = `MANYWIRE_SEED=${seed}, from request ${index}, faults ${sample.faults}, allowed: ${names}`;
  return `${where}\n${describeSample(sample)}\n${describeDifference(fast, reference)}`;
}
