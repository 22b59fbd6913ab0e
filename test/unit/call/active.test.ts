import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ActiveCall, ActiveCalls } from "../../../server/call/active.js";
import type { Method } from "../../../server/call/method.js";

function call(path: string, calls: ActiveCalls, isLasting = false): ActiveCall & { errors: ConnectError[] } {
  const errors: ConnectError[] = [];
  const made = {
    method: { path } as Method,
    place: -1,
    errors,
    cancel(error: ConnectError) {
      errors.push(error);
      if (!isLasting) calls.delete(made);
    },
  };
  calls.add(made);
  return made;
}

const reason = new ConnectError("over", Code.Unavailable);

describe("calls under way", () => {
  test("are counted", () => {
    const calls = new ActiveCalls();
    const one = call("/a", calls);
    call("/b", calls);
    expect(calls.toArray().length).toBe(2);
    calls.delete(one);
    calls.delete(one);
    expect(calls.toArray().length).toBe(1);
  });

  test("are those that were added and not deleted, in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), (toggled) => {
        const calls = new ActiveCalls();
        const all = Array.from({ length: 10 }, (_, index) => call(`/${index}`, calls));
        for (const one of all) calls.delete(one);
        const under = new Set<(typeof all)[number]>();
        for (const one of toggled.map((index) => all[index] as (typeof all)[number])) {
          if (under.delete(one)) calls.delete(one);
          else {
            under.add(one);
            calls.add(one);
          }
        }
        expect(calls.toArray().length).toBe(under.size);
        calls.cancelAll(reason);
        expect(all.filter(({ errors }) => errors.length > 0)).toEqual(all.filter((one) => under.has(one)));
      }),
    );
  });

  test("are all cancelled once, even if they are deleted meanwhile", () => {
    const calls = new ActiveCalls();
    const all = ["/a", "/b", "/c"].map((path) => call(path, calls));
    calls.cancelAll(reason);
    expect(all.map(({ errors }) => errors)).toEqual([[reason], [reason], [reason]]);
    expect(calls.toArray().length).toBe(0);
  });

  test("can be cancelled in part, and the others stay active", () => {
    const calls = new ActiveCalls();
    const [watch, lasting] = [call("/watch", calls), call("/lasting", calls, true)];
    calls.cancelAll(reason, ({ path }) => path === "/lasting");
    expect([watch.errors, lasting.errors, calls.toArray().length]).toEqual([[], [reason], 2]);
  });
});
