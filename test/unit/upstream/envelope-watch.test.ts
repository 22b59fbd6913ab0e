import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { type EnvelopeRules, EnvelopeWatch } from "../../../server/upstream/envelope-watch.js";
import { envelope } from "../../support/envelopes.js";
import { Random, seed } from "../../support/random.js";

const rules: EnvelopeRules = {
  limitBytes: 1000,
  limitName: "readMaxBytes",
  malformed: Code.InvalidArgument,
  onlyOne: undefined,
};

/** What is seen of a body that comes in these parts. */
function follow(parts: readonly Buffer[], given: Partial<EnvelopeRules> = {}, hasCompression = false) {
  const watch = new EnvelopeWatch({ ...rules, ...given });
  watch.hasCompression = hasCompression;
  const problem = problemOf(() => {
    for (const part of parts) watch.follow(part, 0, part.length);
  });
  return { messages: watch.messages, isInside: watch.isInside, problem };
}

function problemOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (reason) {
    const { code, rawMessage } = ConnectError.from(reason);
    return `${Code[code]}: ${rawMessage}`;
  }
}

const cutAt = (body: Buffer, ...places: readonly number[]) =>
  [0, ...places].map((place, index) => body.subarray(place, places[index] ?? body.length));

describe("EnvelopeWatch", () => {
  const body = Buffer.concat([envelope("abc"), envelope(""), envelope("d".repeat(300), 1)]);

  test("sees the same messages however a body is cut", () => {
    const whole = { messages: 3, isInside: false, problem: undefined };
    expect(follow([body], {}, true)).toEqual(whole);
    for (let place = 0; place <= body.length; place++) expect(follow(cutAt(body, place), {}, true)).toEqual(whole);
    expect(
      follow(
        [...body].map((byte) => Buffer.of(byte)),
        {},
        true,
      ),
    ).toEqual(whole);
    const random = new Random(seed);
    for (let round = 0; round < 100; round++) {
      const places = random.several(0, 9, () => random.below(body.length)).sort((a, b) => a - b);
      expect(follow(cutAt(body, ...places), {}, true)).toEqual(whole);
    }
  });

  test("knows at every byte whether an envelope has begun and not ended", () => {
    const ends = new Set([0, 8, 13, 318]);
    for (let length = 0; length <= body.length; length++) {
      expect(follow([body.subarray(0, length)], {}, true).isInside, `after ${length} bytes`).toBe(!ends.has(length));
    }
  });

  test.each<[string, Buffer, Partial<EnvelopeRules>, string]>([
    [
      "a message over the limit, by its head",
      envelope("", 0, 1001),
      {},
      "ResourceExhausted: message size 1001 is larger than configured readMaxBytes 1000",
    ],
    [
      "a length that is no signed number",
      envelope("", 0, 0xffff_ffff),
      { limitName: "writeMaxBytes" },
      "ResourceExhausted: message size 4294967295 is larger than configured writeMaxBytes 1000",
    ],
    [
      "the end of a stream of Connect",
      envelope("{}", 2),
      {},
      "InvalidArgument: protocol error: unexpected envelope flags 2",
    ],
    [
      "trailers of gRPC-Web",
      envelope("", 0x80),
      { malformed: Code.Internal },
      "Internal: protocol error: unexpected envelope flags 128",
    ],
    [
      "a compressed message without a compression",
      envelope("", 1),
      {},
      "Internal: received compressed envelope, but do not know how to decompress",
    ],
    [
      "a second message where there must be one",
      Buffer.concat([envelope("a"), Buffer.of(0)]),
      { onlyOne: () => new ConnectError("one", Code.Unimplemented) },
      "Unimplemented: one",
    ],
  ])("refuses %s", (_, bytes, given, problem) => {
    expect(follow([bytes], given).problem).toBe(problem);
    expect(
      follow(
        [...bytes].map((byte) => Buffer.of(byte)),
        given,
      ).problem,
    ).toBe(problem);
  });

  test("takes a message of exactly the limit", () => {
    expect(follow([envelope(Buffer.alloc(1000))]).problem).toBeUndefined();
  });
});
