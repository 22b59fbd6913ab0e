import { describe, expect, test } from "vitest";
import { ReplyBatch } from "../../../server/call/reply-batch.js";

function open() {
  const written: string[] = [];
  const state = { hasRoom: true };
  const batch = new ReplyBatch((bytes) => {
    written.push(Buffer.from(bytes).toString());
    return state.hasRoom;
  });
  const add = (text: string) => batch.add(Buffer.from(text));
  return { batch, add, written, state };
}

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

describe("replies of a stream", () => {
  test("are sent together if they are ready together, and at once if not", async () => {
    const { add, written } = open();
    add("a");
    add("b");
    expect(written).toEqual([]);
    await nextTick();
    expect(written).toEqual(["ab"]);
    add("c");
    await nextTick();
    expect(written).toEqual(["ab", "c"]);
  });

  test("that were not sent can be taken, and sent with the end", async () => {
    const { batch, add, written } = open();
    add("a");
    add("b");
    expect(Buffer.from(batch.take() ?? []).toString()).toBe("ab");
    expect(batch.take()).toBeUndefined();
    await nextTick();
    expect(written).toEqual([]);
  });

  test("are enough from 32 KiB on, and then make room for others first", async () => {
    const { batch, add, written } = open();
    add("a".repeat(32 * 1024 - 1));
    expect(batch.isFull).toBe(false);
    add("b");
    expect(batch.isFull).toBe(true);
    let isOthersTurn = false;
    setImmediate(() => {
      isOthersTurn = true;
    });
    await batch.room();
    expect([isOthersTurn, batch.isFull, written.join("").length]).toEqual([true, false, 32 * 1024]);
  });

  test("keep their order, whether they are copied or not, and are written in blocks of about 16 KiB", async () => {
    const { batch, add, written } = open();
    const texts = [10, 5000, 10, 10, 4096, 100].map((length, index) => String(index).repeat(length));
    for (const text of texts) add(text);
    for (let index = 0; index < 1000; index++) batch.open().write(Buffer.from(`${index % 10}`.repeat(30)));
    await nextTick();
    const appended = Array.from({ length: 1000 }, (_, index) => `${index % 10}`.repeat(30));
    expect(written.join("")).toBe([...texts, ...appended].join(""));
    expect(Math.max(...written.map(({ length }) => length))).toBeLessThan(17 * 1024);
  });

  test("wait for a client that reads slowly", async () => {
    const { batch, add, state } = open();
    state.hasRoom = false;
    add("a");
    await nextTick();
    expect(batch.isFull).toBe(true);
    let hasRoom = false;
    const room = batch.room().then(() => {
      hasRoom = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    batch.drained();
    await room;
    expect([hasRoom, batch.isFull]).toEqual([true, false]);
  });
});
