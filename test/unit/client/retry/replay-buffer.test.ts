// The body of a request that may be sent again: each attempt gets it from its beginning, until it is not kept any more.

import { createWritableIterable } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { ReplayBuffer, ReplayMemory } from "../../../../client/retry/replay-buffer.js";
import { collect, each } from "../../../support/outcome.js";

const bytes = (...values: number[]) => values.map((value) => Uint8Array.of(value));
const memory = () => new ReplayMemory(1000);

function open(body: AsyncIterable<Uint8Array>, maxBytes = 100, shared = memory()) {
  const commits: number[] = [];
  let attempts = 0;
  const buffer = new ReplayBuffer(body, maxBytes, shared);
  const begin = () => {
    attempts += 1;
    const attempt = attempts;
    return buffer.begin(() => commits.push(attempt))[Symbol.asyncIterator]();
  };
  return { buffer, begin, commits };
}

async function take(iterator: AsyncIterator<Uint8Array>, count: number): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index++) {
    const { done, value } = await iterator.next();
    if (done === true) return [...values, -1];
    values.push(value[0] ?? -2);
  }
  return values;
}

test("each attempt gets the whole body", async () => {
  const { begin, commits } = open(each(...bytes(1, 2, 3)));
  expect(await take(begin(), 2)).toEqual([1, 2]);
  expect(await take(begin(), 1)).toEqual([1]);
  expect(await take(begin(), 4)).toEqual([1, 2, 3, -1]);
  expect(await take(begin(), 4)).toEqual([1, 2, 3, -1]);
  expect(commits).toEqual([]);
});

test("an attempt takes over the read of the one before, which gets nothing more", async () => {
  const body = createWritableIterable<Uint8Array>();
  const { begin } = open(body);
  const first = begin();
  const pending = first.next();
  const second = begin();
  const next = second.next();
  void body.write(Uint8Array.of(7));
  expect(await next).toEqual({ done: false, value: Uint8Array.of(7) });
  expect(await pending).toEqual({ done: true, value: undefined });
});

test("what is committed goes on from where it is, and nothing is kept", async () => {
  const shared = memory();
  const { buffer, begin } = open(each(...bytes(1, 2, 3, 4)), 100, shared);
  await take(begin(), 3);
  buffer.rewind();
  const attempt = begin();
  await take(attempt, 1);
  buffer.commit();
  expect(await take(attempt, 4)).toEqual([2, 3, 4, -1]);
  expect(shared.take(1000)).toBe(true);
});

test("a body that is longer than what is kept commits its attempt, and loses nothing", async () => {
  const { begin, commits } = open(each(...bytes(1, 2, 3, 4)), 2);
  expect(await take(begin(), 2)).toEqual([1, 2]);
  const second = begin();
  expect(await take(second, 2)).toEqual([1, 2]);
  expect(commits).toEqual([]);
  expect(await take(second, 3)).toEqual([3, 4, -1]);
  expect(commits).toEqual([2]);
});

test("a body that grows too long between two attempts commits the next one", async () => {
  const body = createWritableIterable<Uint8Array>();
  const { buffer, begin, commits } = open(body, 1);
  const first = begin();
  const taken = take(first, 2);
  // Read when the next one is asked for.
  await body.write(Uint8Array.of(1));
  buffer.rewind();
  void body.write(Uint8Array.of(2));
  expect(await taken).toEqual([1, -1]);
  commits.length = 0;
  expect(await take(begin(), 2)).toEqual([1, 2]);
  expect(commits).toEqual([2]);
});

test("all calls of a transport share what may be kept", async () => {
  const shared = new ReplayMemory(3);
  const one = open(each(...bytes(1, 2)), 100, shared);
  const other = open(each(...bytes(1, 2)), 100, shared);
  await take(one.begin(), 2);
  await take(other.begin(), 2);
  expect([one.commits, other.commits]).toEqual([[], [1]]);
  one.buffer.close();
  expect(shared.take(3)).toBe(true);
});

test("a body that fails commits its attempt, and fails in the next one too", async () => {
  async function* failing() {
    yield Uint8Array.of(1);
    throw new Error("no more");
  }
  const { begin, commits } = open(failing());
  const first = begin();
  await take(first, 1);
  await expect(first.next()).rejects.toThrow("no more");
  expect(commits).toEqual([1]);
  const second = begin();
  expect(commits).toEqual([1, 2]);
  expect(await take(second, 1)).toEqual([1]);
  await expect(second.next()).rejects.toThrow("no more");
});

test("the body is left when the last attempt needs no more of it, and not before", async () => {
  let isLeft = false;
  async function* watched() {
    try {
      yield* bytes(1, 2, 3);
    } finally {
      isLeft = true;
    }
  }
  const { buffer, begin } = open(watched());
  const first = begin();
  await take(first, 1);
  await first.return?.();
  expect(isLeft).toBe(false);
  const second = begin();
  await take(second, 2);
  buffer.commit();
  await second.return?.();
  await expect.poll(() => isLeft).toBe(true);
});

test("no more is read than the attempt asks for", async () => {
  let read = 0;
  async function* counted() {
    for (const chunk of bytes(1, 2, 3, 4)) {
      read += 1;
      yield chunk;
    }
  }
  const { begin } = open(counted());
  expect(read).toBe(0);
  await take(begin(), 2);
  expect(read).toBe(2);
  await take(begin(), 1);
  expect(read).toBe(2);
});

test("a body of one attempt is read as it is", async () => {
  const { buffer, begin } = open(each(...bytes(1, 2)));
  buffer.commit();
  expect(await collect({ [Symbol.asyncIterator]: begin })).toEqual(bytes(1, 2));
});
