import { expect, test } from "vitest";
import { ByteWriter } from "../../server/byte-writer.js";

const sequence = (length: number, from = 0) => Uint8Array.from({ length }, (_, index) => (from + index) & 0xff);

test("what is written is taken, once", () => {
  const writer = new ByteWriter();
  writer.write(sequence(10));
  writer.reserve(1);
  writer.bytes[writer.position++] = 10;
  writer.write(sequence(89, 11));
  expect(writer.position).toBe(100);
  expect(writer.take()).toEqual(sequence(100));
  expect(writer.position).toBe(0);
  expect(writer.take()).toHaveLength(0);
});

test("what has been taken is not written to again", () => {
  const writers = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
  const taken: [bytes: Uint8Array, from: number][] = [];
  for (let round = 0; round < 1000; round++) {
    for (const writer of writers) writer.write(sequence((round * 37) % 500, round));
    for (const writer of writers) if (round % 3 !== 0) taken.push([writer.take(), round]);
    if (round % 3 === 0) for (const writer of writers) writer.take();
  }
  for (const [bytes, round] of taken) expect(Buffer.compare(bytes, sequence((round * 37) % 500, round))).toBe(0);
});

test("what has been written stays at its position when the buffer grows", () => {
  const writer = new ByteWriter();
  writer.reserve(4);
  writer.position = 4;
  for (let index = 0; index < 100; index++) writer.write(sequence(1000));
  writer.bytes.set([1, 2, 3, 4], 0);
  const taken = writer.take();
  expect(taken).toHaveLength(100_004);
  expect(taken.subarray(0, 4)).toEqual(sequence(4, 1));
  for (let index = 0; index < 100; index++) {
    expect(taken.subarray(4 + index * 1000, 4 + (index + 1) * 1000)).toEqual(sequence(1000));
  }
});

test("a reservation larger than the buffer is met", () => {
  const writer = new ByteWriter();
  writer.write(sequence(3));
  writer.reserve(1_000_000);
  expect(writer.bytes.length).toBeGreaterThanOrEqual(1_000_003);
  expect(writer.take()).toEqual(sequence(3));
});

test("a writer that is idle holds no memory", () => {
  const writer = new ByteWriter();
  writer.write(sequence(3));
  writer.take();
  expect(writer.bytes).toHaveLength(0);
});
