import { describe, expect, test } from "vitest";
import { type Exchange, respond } from "../../../server/http/exchange.js";
import { serverIdentity } from "../../support/certificates.js";
import { TestClock, turns } from "../../support/clock.js";
import { decodeFrames, encodeFrame, frameTypes } from "../../support/http2-frames.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";
import { dataFrame, describeStream, headersFrame, openFrames, startListener, untilFrame } from "./support.js";

const stallMs = 300;
const limits = { stallMs };
/** Time between two looks at the connections. */
const lookMs = stallMs / 4;
const ack = encodeFrame(frameTypes.settings, 1, 0);
/** SETTINGS with an initial window of 0. */
const noWindow = encodeFrame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const megabyte = Buffer.alloc(1_000_000, "x");

const resetOf = (id: number) => (frame: { type: number; stream: number }) =>
  frame.type === frameTypes.rstStream && frame.stream === id;

async function expectCalm(raw: RawSocket, stream: number, clock: TestClock): Promise<void> {
  const { payload } = await clock.passUntil(untilFrame(raw, resetOf(stream)), lookMs);
  expect(payload.readUInt32BE(0), "ENHANCE_YOUR_CALM").toBe(11);
}

/** Never responds. @param owesRest what the owner says of the body */
function hold(owesRest: boolean, closed: string[] = []): (exchange: Exchange) => void {
  return (exchange) => {
    exchange.attach({ owesRest, onData() {}, onEnd() {}, onDrain() {}, onClose: () => closed.push(exchange.path) });
    exchange.read();
  };
}

describe("a client that does not read", () => {
  test.each([
    ["a small response", Buffer.from("hello")],
    ["a large response", megabyte],
  ])("loses %s on HTTP/2 when it grants no window, and keeps its connection", async (_, body) => {
    const clock = new TestClock();
    await using server = await startListener({
      clock,
      limits,
      routes: { "/": (exchange) => respond(exchange, 200, {}, body) },
    });
    await using raw = await openFrames(server.url);
    raw.write(Buffer.concat([ack, noWindow, headersFrame(1, { isEnd: true })]));
    await expectCalm(raw, 1, clock);
    raw.write(encodeFrame(frameTypes.settings, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255])));
    raw.write(headersFrame(3, { path: "/other", isEnd: true }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 3);
  });

  test("keeps its response when it reads slowly", async () => {
    const clock = new TestClock();
    await using server = await startListener({
      clock,
      limits,
      routes: { "/": (exchange) => respond(exchange, 200, {}, megabyte) },
    });
    await using raw = await openFrames(server.url);
    raw.write(Buffer.concat([ack, noWindow, headersFrame(1, { isEnd: true })]));
    const grant = encodeFrame(frameTypes.windowUpdate, 0, 1, Buffer.from([0, 0, 0, 200]));
    for (let ms = 0; ms < 4 * stallMs; ms += lookMs) {
      const before = raw.received.length;
      raw.write(grant);
      await raw.untilBytes(before + 200);
      clock.advance(lookMs);
    }
    expect(decodeFrames(raw.received).filter(resetOf(1))).toEqual([]);
  });

  test.each([
    ["HTTP/1.1", undefined, get],
    ["HTTP/1.1 with TLS", serverIdentity, get],
    ["HTTP/2", undefined, undefined],
  ])("is disconnected if its socket takes no more: %s", async (_, tls, request) => {
    const closed: string[] = [];
    const clock = new TestClock();
    await using server = await startListener({
      tls,
      clock,
      limits,
      handler(exchange) {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => closed.push("closed") });
        exchange.sendHead(200, {});
        exchange.end(Buffer.alloc(50_000_000));
      },
    });
    await using raw = request === undefined ? await openFrames(server.url) : await openRaw(server.url);
    if (request === undefined) {
      const window = Buffer.from([0x7f, 0, 0, 0]);
      const wide = encodeFrame(frameTypes.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), window]));
      raw.write(Buffer.concat([ack, wide, encodeFrame(frameTypes.windowUpdate, 0, 0, window)]));
    }
    raw.socket.pause();
    raw.write(request ?? headersFrame(1, { isEnd: true }));
    const state = async () => {
      await clock.pass(lookMs, lookMs);
      return [closed, server.listener.connectionCount];
    };
    await expect.poll(state, { timeout: 5000 }).toEqual([["closed"], 0]);
  });

  test("may wait without limit for a stream that sends nothing", async () => {
    const closed: string[] = [];
    const handler = (exchange: Exchange) => {
      hold(false, closed)(exchange);
      exchange.sendHead(200, {});
      exchange.write(Buffer.from("first"));
    };
    const clock = new TestClock();
    await using server = await startListener({ clock, limits, handler });
    await using raw1 = await openRaw(server.url);
    raw1.write(get);
    await using raw2 = await openFrames(server.url);
    raw2.write(Buffer.concat([ack, headersFrame(1, { isEnd: true })]));
    await Promise.all([raw1.until(/first/), untilFrame(raw2, ({ type }) => type === frameTypes.data)]);
    await clock.pass(4 * stallMs, lookMs);
    expect([closed, server.listener.connectionCount]).toEqual([[], 2]);
  });

  test("gets no large responses over the limit of unsent bytes", async () => {
    const handler = (exchange: Exchange) => respond(exchange, 200, {}, exchange.path === "/" ? megabyte : "small");
    const clock = new TestClock();
    await using server = await startListener({ clock, limits: { unsentBytes: 2_500_000 }, handler });
    await using raw = await openFrames(server.url);
    raw.write(Buffer.concat([ack, noWindow]));
    for (const id of [1, 3, 5, 7]) raw.write(headersFrame(id, { isEnd: true }));
    raw.write(headersFrame(9, { path: "/small", isEnd: true }));
    await expectCalm(raw, 7, clock);
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 9);
    for (const id of [1, 3, 5, 9]) {
      expect(describeStream(raw, id)).toEqual(["HEADERS"]);
      raw.write(encodeFrame(frameTypes.windowUpdate, 0, id, Buffer.from([0, 0x10, 0, 0])));
    }
    raw.write(encodeFrame(frameTypes.windowUpdate, 0, 0, Buffer.from([0, 0x40, 0, 0])));
    for (const id of [1, 3, 5, 9]) {
      await untilFrame(raw, ({ type, stream, flags }) => type === frameTypes.data && stream === id && flags === 1);
    }
  });
});

describe("a client that stops in the middle of its body", () => {
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

  test("gets 408 on HTTP/1.1 if a rest is due, and its call ends", async () => {
    const closed: string[] = [];
    const clock = new TestClock();
    await using server = await startListener({ clock, limits, routes: { "/": hold(true, closed) } });
    await using raw = await openRaw(server.url);
    raw.write(`${head}hello`);
    await clock.passUntil(raw.closed, lookMs);
    expect(raw.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\nconnection: close\r\n/i);
    expect(closed).toEqual(["/"]);
  });

  test("loses its call on HTTP/2 if a rest is due, and keeps its connection", async () => {
    const closed: string[] = [];
    const clock = new TestClock();
    await using server = await startListener({ clock, limits, routes: { "/": hold(true, closed) } });
    await using raw = await openFrames(server.url);
    raw.write(Buffer.concat([ack, headersFrame(1), dataFrame(1, 5)]));
    await expectCalm(raw, 1, clock);
    expect(closed).toEqual(["/"]);
    raw.write(headersFrame(3, { path: "/other", isEnd: true }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 3);
  });

  test.each([
    ["it is not due", false, () => {}],
    ["it is not read", true, (exchange: Exchange) => exchange.pause()],
  ])("may wait without limit if %s", async (_, owesRest, act) => {
    const closed: string[] = [];
    let begun = 0;
    const handler = (exchange: Exchange) => {
      begun++;
      hold(owesRest, closed)(exchange);
      act(exchange);
    };
    const clock = new TestClock();
    await using server = await startListener({ clock, limits, handler });
    await using raw1 = await openRaw(server.url);
    raw1.write(`${head}hello`);
    await using raw2 = await openFrames(server.url);
    raw2.write(Buffer.concat([ack, headersFrame(1), dataFrame(1, 5)]));
    await expect.poll(() => begun).toBe(2);
    await clock.pass(4 * stallMs, lookMs);
    expect([closed, server.listener.connectionCount]).toEqual([[], 2]);
  });

  test("is not stopped while it sends slowly", async () => {
    const closed: string[] = [];
    const clock = new TestClock();
    await using server = await startListener({ clock, limits, handler: hold(true, closed) });
    await using raw = await openFrames(server.url);
    raw.write(Buffer.concat([ack, headersFrame(1)]));
    for (let ms = 0; ms < 4 * stallMs; ms += lookMs) {
      raw.write(dataFrame(1, 1));
      await turns();
      clock.advance(lookMs);
    }
    expect(closed).toEqual([]);
  });
});
