import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeTable } from "../../../../server/rest/route/edge-table.js";

const number = fc.oneof(fc.nat(20), fc.nat(2 ** 31 - 1));
const entry = fc.tuple(number, number, fc.nat(2 ** 31 - 1));
const keyOf = ([first, second]: readonly number[]) => `${first} ${second}`;

test("a table has what was added, and nothing else", () => {
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: keyOf, maxLength: 200 }), fc.array(entry), (entries, others) => {
      const table = new EdgeTable();
      for (const [first, second, value] of entries) table.add(first, second, value);
      const known = new Map(entries.map((one) => [keyOf(one), one[2]]));
      for (const [first, second] of [...entries, ...others]) {
        expect(table.get(first, second)).toBe(known.get(keyOf([first, second])));
      }
    }),
  );
});

test("a table may grow to any size", () => {
  const table = new EdgeTable();
  for (let index = 0; index < 50_000; index++) table.add(index % 7, index, index);
  const wrong = Array.from({ length: 50_000 }, (_, index) => index).filter(
    (index) => table.get(index % 7, index) !== index || table.get((index + 1) % 7, index) !== undefined,
  );
  expect(wrong).toEqual([]);
});
