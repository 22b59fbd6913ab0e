import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tooLarge } from "../../../server/call/error.js";
import { type Envelope, EnvelopeReader, encodeEnvelope, headBytes } from "../../../server/rpc/envelope.js";
import { cut, cuts } from "../../support/cuts.js";
import { envelope } from "../../support/envelopes.js";

const parts = fc.array(fc.record({ flags: fc.nat(3), data: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 8 });

function readAll(chunks: readonly Buffer[], reader = new EnvelopeReader(1000)): Envelope[] {
  const found: Envelope[] = [];
  for (const chunk of chunks) reader.push(chunk, found);
  return found;
}

describe("the reader of envelopes", () => {
  test("finds the same envelopes however the body is split", () => {
    fc.assert(
      fc.property(parts, cuts, (envelopes, places) => {
        const body = Buffer.concat(envelopes.map(({ flags, data }) => envelope(data, flags)));
        const reader = new EnvelopeReader(1000);
        expect(readAll(cut(body, places), reader)).toEqual(envelopes);
        expect(reader.hasRest).toBe(false);
      }),
    );
  });

  test("keeps back what is not whole, and knows that it does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(44), cuts, (data, missing, places) => {
        const whole = envelope(data);
        const length = Math.max(0, whole.length - 1 - missing);
        const reader = new EnvelopeReader(1000);
        expect(readAll(cut(whole.subarray(0, length), places), reader)).toEqual([]);
        expect(reader.hasRest).toBe(length > 0);
        const found: Envelope[] = [];
        reader.push(whole.subarray(length), found);
        expect(found).toEqual([{ flags: 0, data }]);
      }),
    );
  });

  test("passes over envelopes that carry no message", () => {
    const body = Buffer.concat([envelope("a"), envelope("end", 0x80), envelope("b", 1), envelope("", 0x81)]);
    const found = readAll([body], new EnvelopeReader(1000, 0x80));
    expect(found.map(({ flags, data }) => [flags, Buffer.from(data).toString()])).toEqual([
      [0, "a"],
      [1, "b"],
    ]);
  });

  test("takes the limit, and refuses one byte more by its head alone", () => {
    expect(readAll([envelope(Buffer.alloc(1000))])).toHaveLength(1);
    const head = envelope("", 0, 1001);
    expect(head.length).toBe(headBytes);
    expect(() => readAll([head])).toThrow(tooLarge(1000, 1001));
    expect(() => readAll([envelope("", 0, 0xffffffff)])).toThrow("message size 4294967295 is larger");
  });

  test("gives the envelopes before the one that is too large", () => {
    const found: Envelope[] = [];
    const body = Buffer.concat([envelope("a"), envelope("b"), envelope("", 0, 1001)]);
    expect(() => new EnvelopeReader(1000).push(body, found)).toThrow(tooLarge(1000, 1001));
    expect(found).toHaveLength(2);
  });

  test("does not keep a large chunk alive for a small message", () => {
    const large = Buffer.alloc(1024 * 1024);
    const length = envelope("small").copy(large);
    const [found] = readAll([large.subarray(0, length)]);
    // Node's own pool, out of which it may be copied, has 8 KiB on Node 20 and 64 KiB on Node 24.
    expect(found?.data.buffer.byteLength).toBeLessThan(large.length);
  });
});

describe("an envelope", () => {
  test("is one byte of flags, four of length, and the data", () => {
    expect(encodeEnvelope(2, Buffer.from("ab"))).toEqual(Buffer.from([2, 0, 0, 0, 2, 0x61, 0x62]));
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 70_000, size: "max" }), (flags, data) => {
        expect(Buffer.compare(encodeEnvelope(flags, data), envelope(data, flags))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});

test("a message that is too large is resource_exhausted, with its size where that is known", () => {
  const known = tooLarge(10, 11);
  expect(known).toBeInstanceOf(ConnectError);
  expect(known.code).toBe(Code.ResourceExhausted);
  expect(known.rawMessage).toBe("message size 11 is larger than configured readMaxBytes 10");
  expect(tooLarge(10).rawMessage).toBe("message size is larger than configured readMaxBytes 10");
});
