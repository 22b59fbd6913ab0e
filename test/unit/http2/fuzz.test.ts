// Random and mutated frames, to connections of both sides: they never throw, and hold no more than their limits.
// HTTP2_FUZZ_CASES says how many sequences, HTTP2_FUZZ_SEED where to begin.
import { expect, test } from "vitest";
import { clientPreface } from "../../../server/http2/frame/frame-types.js";
import {
  data,
  fieldsOf,
  frame,
  Harness,
  headers,
  ok,
  post,
  rst,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from "../../support/http2-peer.js";

const cases = Number(process.env.HTTP2_FUZZ_CASES ?? 1500);
const firstSeed = Number(process.env.HTTP2_FUZZ_SEED ?? Date.now() % 1_000_000);

type Random = (below: number) => number;

/** Numbers that depend on the seed only (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const pick = <One>(random: Random, list: readonly One[]): One => list[random(list.length)] as One;
const edges = [0, 1, 2, 100, 16_384, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const connectionEvent = /^(pong|goaway|failed) /;
const trailers = fieldsOf([["x", "y"]]);

function drawFrame(random: Random): Uint8Array {
  const id = random(12);
  const flags = pick(random, [0, 1, 4, 5, 8, 9, 0x2d, 0xff]);
  switch (random(14)) {
    case 0:
      return data(id, "a".repeat(pick(random, [0, 1, 50, 16_384])), flags);
    case 1:
      return rst(id, random(16));
    case 2:
      return windowUpdate(id, pick(random, edges));
    case 3:
      return settings([random(10), pick(random, edges)]);
    case 4:
      return frame(6, random(2), 0, [...uint32(pick(random, [0x6d77_0001, 0x6d77_0002, 9])), 0, 0, 0, 1]);
    case 5:
      return frame(7, 0, 0, [...uint32(id), ...uint32(random(16)), 97]);
    case 6:
      return frame(
        random(12),
        flags,
        id,
        Uint8Array.from({ length: random(40) }, () => random(256)),
      );
    case 7:
      return frame(9, flags, id, headers(1).subarray(9));
    case 8:
      return headers(id, pick(random, [ok, trailers]), flags & 5);
    case 9:
      return headers(id | 1, pick(random, [ok, trailers]), 5);
    default:
      return headers(id | 1, post, random(2) === 0 ? 4 : 5);
  }
}

/** Bytes as a peer might send them, or nearly. */
function drawBytes(random: Random, side: "server" | "client"): Uint8Array {
  const frames = side === "server" ? [clientPreface] : [];
  frames.push(settings([4, pick(random, edges.slice(0, 7))]), settingsAck);
  for (let count = random(30); count > 0; count--) frames.push(drawFrame(random));
  const bytes = Uint8Array.from(frames.flatMap((one) => [...one]));
  if (random(3) === 0) for (let count = random(4); count > 0; count--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

/** Does with streams what an owner might do, at any time. */
function actAtRandom(harness: Harness, random: Random): void {
  const { connection } = harness;
  harness.onCall = (event, stream) => {
    if (event === "close") harness.streams.delete(stream.id);
    const other = pick(random, [stream, ...harness.streams.values()]);
    for (let count = random(3); count > 0; count--) {
      const act = random(9);
      if (act === 0) connection.reset(other, random(16));
      else if (act === 1) connection.sendHead(other, ok, random(2) === 0);
      else if (act === 2) connection.sendTrailers(other, trailers);
      else if (act === 3 && other.heldBytes > 0) connection.consume(other, other.heldBytes);
      else if (act < 7) connection.sendData(other, new Uint8Array(pick(random, [0, 1, 5000, 40_000])), random(3) === 0);
      else if (act === 7 && random(20) === 0) connection.goaway();
      else if (random(40) === 0) connection.close(random(16));
    }
  };
}

test(`${cases} random sequences from seed ${firstSeed} on`, { timeout: 60_000 + cases * 20 }, () => {
  const limits = { concurrentStreams: 4, controlBurst: 50, unsentBytes: 1_000_000, headerBlockBytes: 5000 };
  let closed = 0;
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const random = randomOf(seed);
    const side = pick(random, ["server", "client"] as const);
    const harness = new Harness(side, limits);
    actAtRandom(harness, random);
    if (side === "client")
      for (let count = random(4); count > 0; count--) harness.connection.open(post, random(2) === 0);
    const bytes = drawBytes(random, side);
    try {
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + random(pick(random, [3, 100, 50_000]));
        harness.now += random(500);
        harness.connection.receive(bytes.subarray(at, end), harness.now);
        if (random(2) === 0) harness.connection.takeOutput();
        if (random(5) === 0) harness.connection.tick(harness.now);
        expect(harness.connection.streamCount).toBeLessThanOrEqual(8);
        expect(harness.connection.outputBytes).toBeLessThan(1_200_000);
        at = end;
      }
      if (harness.connection.isClosed) closed++;
      harness.connection.close();
      expect(harness.connection.streamCount).toBe(0);
      // Each stream was closed once, and has no event afterwards.
      const told = harness.events.filter((event) => event.startsWith("request ")).map((event) => event.split(" ")[1]);
      for (const id of told) {
        const ofStream = harness.events.filter((event) => event.split(" ")[1] === id && !connectionEvent.test(event));
        const ends = ofStream.filter((event) => event.startsWith("close "));
        expect([ends.length, ofStream.at(-1)?.startsWith("close ")]).toEqual([1, true]);
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  // Else the sequences would test little.
  expect(closed).toBeGreaterThan(cases / 10);
  expect(closed).toBeLessThan(cases);
});
