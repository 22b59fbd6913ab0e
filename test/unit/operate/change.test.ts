import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createChange } from "../../../server/operate/change.js";

const never = new AbortController().signal;

describe("a change", () => {
  test("wakes everyone who waits, and no one who comes later", async () => {
    const change = createChange();
    const woken = Promise.all([change.next(never), change.next(never)]);
    expect(change.waiting).toBe(2);
    change.announce();
    expect(change.waiting).toBe(0);
    expect(await woken).toEqual([undefined, undefined]);
    const left = new AbortController();
    const later = change.next(left.signal);
    left.abort("nothing was announced");
    await expect(later).rejects.toBe("nothing was announced");
  });

  test("drops callers that stop waiting, with the signal's reason", async () => {
    const change = createChange();
    const left = new AbortController();
    const waiting = change.next(left.signal);
    left.abort("gone");
    await expect(waiting).rejects.toBe("gone");
    expect(change.waiting).toBe(0);
  });

  test("rejects a signal that is aborted already", async () => {
    const change = createChange();
    await expect(change.next(AbortSignal.abort("gone before"))).rejects.toBe("gone before");
    expect(change.waiting).toBe(0);
  });

  test("leaves no listener on the signal", async () => {
    const change = createChange();
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      const waiting = change.next(signal);
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      change.announce();
      await waiting;
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
    }
  });

  test("does not wake twice who waits again at once", async () => {
    const change = createChange();
    let wakes = 0;
    const again = change.next(never).then(() => {
      wakes++;
      void change.next(never).then(() => wakes++);
    });
    change.announce();
    await again;
    expect([wakes, change.waiting]).toEqual([1, 1]);
  });
});
