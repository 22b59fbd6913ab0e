import process from "node:process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestQueue } from "../../../server/call/request-queue.js";
import { collect } from "../../support/outcome.js";

/** A queue of numbers that are doubled when they are taken, and a list of the calls of its source. */
function open(take: (item: number) => number | Promise<number> = (item) => item * 2) {
  const told: string[] = [];
  const queue = new RequestQueue<number, number>({
    open: take,
    pause: () => told.push("pause"),
    read: () => told.push("read"),
  });
  return { queue, told };
}

const unopened = (item: number): number => {
  throw new Error(`no ${item}`);
};
const later = (item: number) => Promise.resolve(item * 2);

describe("a queue of requests", () => {
  test("gives what has arrived in its order, and then ends", async () => {
    const arrivals = fc.array(fc.array(fc.nat(9), { maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.nat(6), fc.boolean(), async (batches, askedAfter, isLater) => {
        const { queue } = open(isLater ? later : undefined);
        let all: Promise<number[]> | undefined;
        for (const [index, batch] of batches.entries()) {
          if (index === askedAfter) all = collect(queue);
          queue.push([...batch], 1);
          await Promise.resolve();
        }
        queue.end();
        expect(await (all ?? collect(queue))).toEqual(batches.flat().map((item) => item * 2));
      }),
    );
  });

  test("resolves overlapping reads in order", async () => {
    const { queue } = open(later);
    const answers = [queue.next(), queue.next(), queue.next()];
    queue.push([1, 2], 1);
    queue.end();
    expect(await Promise.all(answers)).toEqual([
      { done: false, value: 2 },
      { done: false, value: 4 },
      { done: true, value: undefined },
    ]);
  });

  test("gives an error after what has arrived before it, to the next reader", async () => {
    const { queue } = open();
    queue.push([1], 1);
    queue.end(new Error("cut"));
    expect((await queue.next()).value).toBe(2);
    await expect(queue.next()).rejects.toThrow("cut");
    await expect(queue.next()).rejects.toThrow("cut");
  });

  test("wakes the waiting reader with the error", async () => {
    const { queue } = open();
    const waiting = queue.next();
    queue.stop(new Error("cancelled"));
    await expect(waiting).rejects.toThrow("cancelled");
  });

  test.each<[string, (item: number) => number | Promise<number>]>([
    ["at once", unopened],
    ["later", async (item) => unopened(item)],
  ])("drops an error, found %s, that no reader waits for", async (_, take) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.prependListener("unhandledRejection", note);
    const before = open(take);
    before.queue.push([1], 1);
    void before.queue.next();
    const after = open(take);
    void after.queue.next();
    void after.queue.next();
    after.queue.push([1, 2], 1);
    for (const { queue } of [before, after]) {
      queue.end(new Error("the end"));
      void queue.next();
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("gives nothing more after it was stopped", async () => {
    const { queue } = open();
    queue.push([1, 2, 3], 1);
    queue.stop();
    queue.push([4], 1);
    expect(await collect(queue)).toEqual([]);
  });

  test("gives the error of an item that cannot be opened in its place", async () => {
    const { queue } = open((item) => {
      if (item === 2) throw new Error("no message");
      return item;
    });
    queue.push([1, 2, 3], 1);
    expect((await queue.next()).value).toBe(1);
    await expect(queue.next()).rejects.toThrow("no message");
  });

  test("pauses the client while more than 64 KiB wait for the handler", async () => {
    const { queue, told } = open();
    queue.push([1], 64 * 1024);
    expect(told).toEqual([]);
    queue.push([2], 1);
    expect(told).toEqual(["pause"]);
    await queue.next();
    expect(told).toEqual(["pause"]);
    await queue.next();
    expect(told).toEqual(["pause", "read"]);
    queue.push([3], 64 * 1024);
    expect(told).toEqual(["pause", "read"]);
  });

  test("does not let the client wait for a handler that is waiting itself", async () => {
    const { queue, told } = open();
    const waiting = queue.next();
    queue.push([1], 100 * 1024);
    expect((await waiting).value).toBe(2);
    expect(told).toEqual([]);
  });

  test("continues to read after the reader stops, so that the connection is not blocked", async () => {
    const { queue, told } = open();
    queue.push([1, 2], 100 * 1024);
    for await (const value of queue) {
      expect(value).toBe(2);
      break;
    }
    expect(told).toEqual(["pause", "read"]);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
