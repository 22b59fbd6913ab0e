import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBuffer } from "../../../server/call/byte-buffer.js";

describe("a body that arrives in chunks", () => {
  test("is joined correctly for chunks of any length", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 5 }),
      fc.uint8Array({ minLength: 900, maxLength: 9000, size: "max" }),
    );
    const property = fc.property(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 3 }), (rows) => {
      const buffer = new ByteBuffer();
      for (const row of rows) {
        for (const bytes of row) buffer.push(Buffer.from(bytes));
        const whole = Buffer.concat(row);
        expect(buffer.length).toBe(whole.length);
        expect(buffer.take().equals(whole)).toBe(true);
        expect(buffer.length).toBe(0);
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("takes little more memory than its length", () => {
    const buffer = new ByteBuffer();
    const before = process.memoryUsage();
    for (let index = 0; index < 200_000; index++) buffer.push(Buffer.from([index]));
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2_000_000);
    expect(buffer.take()).toHaveLength(200_000);
  });

  test("keeps no large chunk alive", () => {
    const large = Buffer.alloc(1024 * 1024);
    const buffer = new ByteBuffer();
    buffer.push(large.subarray(0, 5));
    expect(buffer.take().buffer.byteLength).toBeLessThan(large.length);
    buffer.push(large.subarray(0, 5));
    buffer.push(large.subarray(5, 5000));
    expect(buffer.take().buffer.byteLength).toBeLessThan(large.length);
  });
});
