import { expect, test } from "vitest";
import { Stream } from "../../../server/http2/stream.js";
import { StreamTable } from "../../../server/http2/stream-table.js";
import { ReceiveWindow } from "../../../server/http2/window.js";
import { Random } from "../../support/random.js";

const createStream = (id: number) => new Stream<undefined>(id, 0, new ReceiveWindow(0, 0));

test("holds what a Map would hold, whatever comes and goes", () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const table = new StreamTable<undefined>();
    const expected = new Map<number, Stream<undefined>>();
    const most = 1 + random.below(60);
    for (let step = 0, id = 1; step < 400; step++) {
      if (expected.size < most && random.below(2) === 0) {
        // Of long streams only some are left, far from each other.
        id += 2 * (1 + random.below(random.below(10) === 0 ? 1000 : 2));
        const stream = createStream(id);
        table.add(stream);
        expected.set(id, stream);
      } else {
        const ids = [...expected.keys()];
        const gone = ids[random.below(ids.length + 1)] ?? id + 2;
        expect(table.delete(gone)).toBe(expected.delete(gone));
      }
      expect(table.size).toBe(expected.size);
    }
    expect(table.list()).toEqual([...expected.values()]);
    for (const [id, stream] of expected) expect(table.get(id)).toBe(stream);
    expect(table.get(3_000_001)).toBeUndefined();
  }
});
