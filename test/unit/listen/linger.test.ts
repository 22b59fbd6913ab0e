import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../../server/http/exchange.js";
import { respond } from "../../../server/http/exchange.js";
import { TestClock, turns } from "../../support/clock.js";
import { openHttp2 } from "../../support/http.js";
import { encodeFrame, frameFlags, frameTypes } from "../../support/http2-frames.js";
import { openRaw, RawSocket } from "../../support/raw-socket.js";
import {
  dataFrame,
  describeStream,
  headersFrame,
  openFrames,
  startListener,
  startNeighbour,
  untilFrame,
} from "./support.js";

/** Responds at the first bytes of the body, and reads no more. */
function refuseEarly(exchange: Exchange): void {
  exchange.attach({
    onData() {
      if (exchange.isHeadSent) return;
      exchange.pause();
      respond(exchange, 413, {}, "too large");
    },
    onEnd() {},
    onDrain() {},
    onClose() {},
  });
  exchange.read();
}

const routes = {
  "/early": refuseEarly,
  "/unread": (exchange: Exchange) => respond(exchange, 413, {}, "too large"),
};
/** The lingering of HTTP/1.1 connections in the tests of its time. */
const lingerMs = 10;
/** The time for the rest of an HTTP/2 upload. */
const uploadMs = 1000;
const paths = ["/early", "/unread"];
const longBody = Buffer.alloc(4 * 1024 * 1024, "b");

/** A client that does not end its side when the server does. */
async function openHalf(url: string): Promise<RawSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  return new RawSocket(socket);
}

describe.each(paths)("an HTTP/1.1 request to %s with an early response", (path) => {
  test.each([
    ["of a known length", `Content-Length: ${longBody.length}\r\n\r\n`, longBody],
    [
      "in chunks",
      "Transfer-Encoding: chunked\r\n\r\n400000\r\n",
      Buffer.concat([longBody, Buffer.from("\r\n0\r\n\r\n")]),
    ],
  ])("%s: the client can send all of it and then read the response", async (_what, head, body) => {
    await using server = await startListener({ routes });
    await using _neighbour = await startNeighbour(server.url, "1.1");
    await using raw = await openHalf(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\n${head}`);
    raw.write(body);
    raw.end();
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n[\s\S]*too large$/);
  });

  test("is closed after `lingerMs`, even if the client keeps sending", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes, limits: { lingerMs } });
    await using raw = await openHalf(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\nsome`);
    await raw.until(/too large$/);
    await clock.untilScheduled(lingerMs);
    for (let ms = 1; ms < lingerMs; ms++) {
      raw.write("more");
      await clock.pass(1, 1);
    }
    expect(server.listener.connectionCount).toBe(1);
    clock.advance(1);
    await expect.poll(() => server.listener.connectionCount).toBe(0);
  });

  test("is closed after `lingerMs`, even if the client is silent", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes, limits: { lingerMs } });
    await using raw = await openHalf(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\nsome`);
    await raw.until(/too large$/);
    server.listener.stop();
    await clock.untilScheduled(lingerMs);
    clock.advance(lingerMs);
    await server.listener.closed;
  });

  test("is closed after `lingerBytes`", async () => {
    await using server = await startListener({ routes, clock: new TestClock(), limits: { lingerBytes: 1_000_000 } });
    await using raw = await openHalf(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\nsome`);
    await raw.until(/too large$/);
    raw.write(longBody);
    raw.write(longBody);
    await raw.closed;
  });

  test("keeps the connection if little of the body is missing", async () => {
    await using server = await startListener({ routes });
    await using raw = await openRaw(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\nsome`);
    await raw.until(/Connection: keep-alive\r\n[\s\S]*too large$/);
    // Together with the next request the body would be read in one go.
    for (let part = 0; part < 4; part++) {
      raw.write(Buffer.alloc(14_999, "b"));
      await turns();
    }
    raw.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    await raw.until(/GET \/next 0$/);
  });

  test("is read by a client that is still sending when a drain begins", async () => {
    await using server = await startListener({ routes, limits: { idleGraceMs: 0 } });
    await using raw = await openHalf(server.url);
    let error: Error | undefined;
    raw.socket.once("error", (found) => {
      error = found;
    });
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${longBody.length}\r\n\r\n`);
    raw.write(longBody.subarray(0, 100_000));
    await raw.until(/too large$/);
    server.listener.stop();
    raw.write(longBody.subarray(100_000));
    raw.end();
    await raw.closed;
    expect(error).toBeUndefined();
  });

  test("does not parse the rest of the body as a request", async () => {
    let hasNext = false;
    const next = () => {
      hasNext = true;
    };
    await using server = await startListener({ routes: { ...routes, "/next": next } });
    await using raw = await openHalf(server.url);
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nsome`);
    await raw.until(/Connection: close\r\n[\s\S]*too large$/);
    raw.write(Buffer.alloc(69996, "b"));
    raw.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    raw.end();
    await raw.closed;
    expect(hasNext).toBe(false);
  });
});

test("a client whose head is too large for HTTP/1.1 can send all of it and then read the response", async () => {
  await using server = await startListener();
  await using raw = await openHalf(server.url);
  raw.write(`GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(3_000_000)}\r\n\r\n`);
  raw.end();
  await raw.closed;
  expect(raw.text).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
});

test("an HTTP/1.1 request whose handler responds and then reads on does not block the next one", async () => {
  await using server = await startListener({
    routes: {
      "/": (exchange) => {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
        exchange.read();
        respond(exchange, 200, {}, "early");
      },
    },
  });
  await using raw = await openRaw(server.url);
  raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
  await raw.until(/early$/);
  raw.write(`${"b".repeat(60_000)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
  await raw.until(/GET \/next 0$/);
});

test("an unread HTTP/1.1 body does not block the next request", async () => {
  await using server = await startListener({ routes });
  await using raw = await openRaw(server.url);
  raw.write(`POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n${"b".repeat(60_000)}`);
  await raw.until(/too large$/);
  raw.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  await raw.until(/GET \/next 0$/);
});

describe.each(paths)("an HTTP/2 request to %s with an early response", (path) => {
  test("is reset after the response, and the connection stays usable", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes });
    await using _neighbour = await startNeighbour(server.url, "2");
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { path }));
    raw.write(dataFrame(1, 10_000));
    const reset = untilFrame(raw, ({ type, stream }) => type === frameTypes.rstStream && stream === 1);
    await clock.passUntil(reset, uploadMs);
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 9 END", "RST_STREAM 0"]);
    raw.write(dataFrame(1, 10_000));
    raw.write(headersFrame(3, { path: "/next", isEnd: true }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 3);
  });

  test("ends without a reset if the client ends it soon", async () => {
    await using server = await startListener({ routes });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { path }));
    raw.write(dataFrame(1, 10_000));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 1);
    raw.write(dataFrame(1, 10_000, true));
    // A stopped session ends when its streams have.
    server.listener.stop();
    await raw.closed;
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 9 END"]);
  });

  test("ends even if more is sent than is discarded", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes });
    await using connection = await openHttp2(server.url);
    const stream = connection.begin({ path });
    const closed = once(stream, "close");
    stream.resume();
    for (let megabytes = 0; megabytes < 20; megabytes++) stream.write(Buffer.alloc(1_000_000));
    await once(stream, "response");
    await clock.passUntil(closed, uploadMs);
    expect(stream.rstCode).toBe(0);
    expect((await connection.request({ path: "/next", body: Buffer.alloc(2_000_000) })).text).toBe(
      "POST /next 2000000",
    );
    connection.session.close();
    server.listener.stop();
    await server.listener.closed;
  });

  test("returns the client's window every time", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes, limits: { connectionWindowBytes: 100_000 } });
    await using raw = await openFrames(server.url);
    const streams = Array.from({ length: 20 }, (_, index) => 2 * index + 1);
    for (const stream of streams) {
      raw.write(headersFrame(stream, { path }));
      raw.write(dataFrame(stream, 16_000));
    }
    const last = streams.at(-1);
    const reset = untilFrame(raw, ({ type, stream }) => type === frameTypes.rstStream && stream === last);
    await clock.passUntil(reset, uploadMs);
    for (const stream of streams) expect(describeStream(raw, stream)).toContain("DATA 9 END");
  });
});

describe("the reset of an HTTP/2 upload", () => {
  test("does not overtake a response that waits for the client's window, nor its trailers", async () => {
    const clock = new TestClock();
    const answer = Buffer.alloc(100_000, "a");
    await using server = await startListener({
      clock,
      routes: {
        "/": (exchange) => {
          exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
          exchange.sendHead(200, {}, true);
          exchange.end(answer, { "grpc-status": "8" });
        },
      },
    });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1));
    raw.write(dataFrame(1, 1000));
    await untilFrame(raw, ({ type }) => type === frameTypes.data);
    await clock.pass(3 * uploadMs, uploadMs);
    expect(describeStream(raw, 1).filter((frame) => !frame.startsWith("DATA"))).toEqual(["HEADERS"]);
    const window = Buffer.alloc(4);
    window.writeUInt32BE(answer.length);
    for (const stream of [0, 1]) raw.write(encodeFrame(frameTypes.windowUpdate, 0, stream, window));
    await untilFrame(raw, ({ type, flags }) => type === frameTypes.headers && (flags & frameFlags.endStream) !== 0);
    await clock.passUntil(
      untilFrame(raw, ({ type }) => type === frameTypes.rstStream),
      uploadMs,
    );
    expect(describeStream(raw, 1).slice(-2)).toEqual(["HEADERS END", "RST_STREAM 0"]);
    const sizes = describeStream(raw, 1).map((frame) => Number(/DATA (\d+)/.exec(frame)?.[1] ?? 0));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(answer.length);
  });

  test("follows a response to HEAD, too", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, routes });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { method: "HEAD", path: "/unread" }));
    await clock.passUntil(
      untilFrame(raw, ({ type }) => type === frameTypes.rstStream),
      uploadMs,
    );
    expect(describeStream(raw, 1)).toEqual(["HEADERS END", "RST_STREAM 0"]);
  });

  test("does not come when the whole body was there", async () => {
    await using server = await startListener({ routes });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { path: "/early" }));
    raw.write(dataFrame(1, 16_000));
    raw.write(dataFrame(1, 16_000, true));
    await untilFrame(raw, ({ flags, stream }) => stream === 1 && (flags & frameFlags.endStream) !== 0);
    server.listener.stop();
    await raw.closed;
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 9 END"]);
  });
});
