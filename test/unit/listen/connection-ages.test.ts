import { describe, expect, test } from "vitest";
import { respond } from "../../../server/http/exchange.js";
import { TestClock, turns } from "../../support/clock.js";
import { decodeFrames, frameTypes } from "../../support/http2-frames.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";
import {
  acknowledgePing,
  describeStream,
  get,
  Held,
  headersFrame,
  openFrames,
  startListener,
  untilFrame,
} from "./support.js";

// The clients of these tests do not acknowledge SETTINGS, so all is over within `openingMs`.
const implementations = ["own", "node"] as const;
const isGoaway = ({ type }: { type: number }) => type === frameTypes.goaway;

async function untilServed(raw: RawSocket, stream: number): Promise<void> {
  await untilFrame(raw, (frame) => frame.type === frameTypes.data && frame.stream === stream);
}

describe.each(implementations)("a connection of HTTP/2, by %s,", (http2) => {
  test("ends at its age, after its calls", async () => {
    const clock = new TestClock();
    const held = new Held();
    await using server = await startListener({
      clock,
      http2,
      handler: held.handler,
      limits: { maxConnectionAgeMs: 5000 },
    });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    await held.until(1);
    await clock.pass(4000, 1000);
    expect(decodeFrames(raw.received).filter(isGoaway)).toEqual([]);
    await clock.passUntil(untilFrame(raw, isGoaway), 1000);
    if (http2 === "own") await acknowledgePing(raw);
    for (const exchange of held.calls) respond(exchange, 200, {}, "late");
    await clock.passUntil(raw.closed, 1000);
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 4 END"]);
  });

  test("is cut when its calls do not end within the grace", async () => {
    const clock = new TestClock();
    const held = new Held();
    const limits = { maxConnectionAgeMs: 1000, maxConnectionAgeGraceMs: 5000 };
    await using server = await startListener({ clock, http2, handler: held.handler, limits });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    await held.until(1);
    await clock.passUntil(raw.closed, 1000);
    expect(describeStream(raw, 1)).toEqual([]);
  });

  test("ends after its time without a call, and not while it has calls", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, http2, limits: { maxConnectionIdleMs: 2000 } });
    await using raw = await openFrames(server.url);
    for (const stream of [1, 3, 5]) {
      raw.write(headersFrame(stream, { isEnd: true }));
      await untilServed(raw, stream);
      await clock.pass(1500, 500);
      expect(decodeFrames(raw.received).filter(isGoaway)).toEqual([]);
    }
    await clock.passUntil(raw.closed, 1000);
    expect(decodeFrames(raw.received).filter(isGoaway).at(-1)?.payload.readUInt32BE(4), "NO_ERROR").toBe(0);
  });
});

describe("a connection of HTTP/1.1", () => {
  test("says with its next response that it ends at its age, and loses no call", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, limits: { maxConnectionAgeMs: 10_000 } });
    await using raw = await openRaw(server.url);
    raw.write(get("/young"));
    await raw.until(/GET \/young 0$/);
    expect(raw.text).toMatch(/Connection: keep-alive/);
    await clock.pass(12_000, 1000);
    raw.write(get("/old"));
    await raw.closed;
    expect(raw.text).toMatch(/Connection: close\r\n[\s\S]*GET \/old 0$/);
  });

  test("is cut when its calls do not end within the grace", async () => {
    const clock = new TestClock();
    const held = new Held();
    const limits = { maxConnectionAgeMs: 1000, maxConnectionAgeGraceMs: 5000 };
    await using server = await startListener({ clock, handler: held.handler, limits });
    await using raw = await openRaw(server.url);
    raw.write(get("/"));
    await held.until(1);
    await clock.pass(3000, 1000);
    await turns();
    expect(raw.socket.destroyed).toBe(false);
    await clock.passUntil(raw.closed, 1000);
    expect(raw.text).toBe("");
  });
});
