import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { DEFAULT_LISTEN_LIMITS, type ListenLimits, resolveLimits } from "../../../server/listen/limits.js";
import { TestClock, turns } from "../../support/clock.js";
import { openHttp2 } from "../../support/http.js";
import { decodeFrames, encodeFrame, encodeHeaders, frameFlags, frameTypes } from "../../support/http2-frames.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";
import { describeStream, headersFrame, openFrames, startListener, startNeighbour, untilFrame } from "./support.js";

describe("limits", () => {
  test("have defaults, and those that are given replace them", () => {
    expect(resolveLimits()).toEqual(DEFAULT_LISTEN_LIMITS);
    expect(resolveLimits({ headerBytes: 1000 })).toEqual({ ...DEFAULT_LISTEN_LIMITS, headerBytes: 1000 });
  });

  test.each<[Partial<ListenLimits>, string]>([
    [{ headerBytes: 0 }, "limits.headerBytes: expected a whole number from 1 to 2147483647, found 0"],
    [{ openingMs: 1.5 }, "limits.openingMs: expected a whole number from 1 to 2147483647, found 1.5"],
    [{ lingerMs: -1 }, "limits.lingerMs: expected a whole number from 0 to 2147483647, found -1"],
    [{ keepAliveMs: Number.NaN }, "limits.keepAliveMs: expected a whole number from 0 to 2147483647, found NaN"],
    [{ headersMs: 2 ** 31 }, "limits.headersMs: expected a whole number from 1 to 2147483647, found 2147483648"],
    [{ requestMs: 1000 }, "limits.requestMs: expected 0 or at least headersMs (15000), found 1000"],
  ])("of %o stop the start", (limits, message) => {
    expect(() => resolveLimits(limits)).toThrow(new RangeError(message));
  });
});

/** Identifiers of SETTINGS, RFC 9113 section 6.5.2. */
const settingNames = new Map([
  [3, "MAX_CONCURRENT_STREAMS"],
  [4, "INITIAL_WINDOW_SIZE"],
  [6, "MAX_HEADER_LIST_SIZE"],
  [9, "NO_RFC7540_PRIORITIES"],
]);

function readSettings(payload: Buffer): Record<string, number> {
  const settings: Record<string, number> = {};
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    settings[settingNames.get(id) ?? id] = payload.readUInt32BE(at + 2);
  }
  return settings;
}

const pad = (bytes: number) => "x".repeat(bytes);
const resetOf = (stream: number) => (frame: { type: number; stream: number }) =>
  frame.type === frameTypes.rstStream && frame.stream === stream;

describe("HTTP/2", () => {
  test("announces its limits, and the window of a connection", async () => {
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    const { payload } = await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    expect(readSettings(payload)).toEqual({
      MAX_CONCURRENT_STREAMS: 250,
      INITIAL_WINDOW_SIZE: 256 * 1024,
      MAX_HEADER_LIST_SIZE: 16 * 1024,
      NO_RFC7540_PRIORITIES: 1,
    });
    const window = await untilFrame(raw, ({ type, stream }) => type === frameTypes.windowUpdate && stream === 0);
    expect(window.payload.readUInt32BE(0)).toBe(1024 * 1024 - 65_535);
  });

  const tooMany: [what: string, more: [string, string][]][] = [
    ["one header of 17 KB", [["a", pad(17 * 1024)]]],
    ["many small ones", Array.from({ length: 120 }, (_, index) => [`name-${index}`, pad(120)])],
    ["more than 128", Array.from({ length: 130 }, (_, index) => [`n${index}`, "v"])],
  ];
  const ack = encodeFrame(frameTypes.settings, frameFlags.ack, 0);

  test.each([
    ...tooMany.map(([what, more]) => [what, "has", more, ack] as const),
    ...tooMany.map(([what, more]) => [what, "has not", more, Buffer.alloc(0)] as const),
  ])("resets only a stream with %s, when the client %s acknowledged the limit", async (...given) => {
    const [, , more, before] = given;
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    raw.write(before);
    writeInParts(raw, 1, more);
    raw.write(headersFrame(3, { isEnd: true }));
    const { payload } = await untilFrame(raw, resetOf(1));
    expect(payload.readUInt32BE(0), "ENHANCE_YOUR_CALM").toBe(11);
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 3);
  });

  test("closes the connection of a client that never acknowledges the limits", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    await untilFrame(raw, ({ type }) => type === frameTypes.data);
    await clock.passUntil(raw.closed, DEFAULT_LISTEN_LIMITS.openingMs);
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 8 END"]);
  });

  test("accepts headers at the limit", async () => {
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    writeInParts(raw, 1, [["a", pad(15 * 1024)]]);
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 1);
  });

  test("rejects 200 KB of headers, and other connections work on", async () => {
    await using server = await startListener();
    await using _neighbour = await startNeighbour(server.url, "2");
    await using raw = await openFrames(server.url);
    writeInParts(raw, 1, [["a", pad(200 * 1024)]]);
    await untilFrame(
      raw,
      ({ type, stream }) => type === frameTypes.goaway || (type === frameTypes.rstStream && stream === 1),
    );
    expect(describeStream(raw, 1)).not.toContain("HEADERS");
  });

  test("refuses calls over the limit of a connection, and takes others when those before have ended", async () => {
    const answers: (() => void)[] = [];
    await using server = await startListener({
      limits: { streamsPerConnection: 3 },
      handler: (exchange) => {
        answers.push(() => {
          exchange.sendHead(200, {});
          exchange.end();
        });
      },
    });
    await using connection = await openHttp2(server.url);
    await once(connection.session, "remoteSettings");
    expect(connection.session.remoteSettings.maxConcurrentStreams).toBe(3);
    const calls = Array.from({ length: 4 }, (_, index) => connection.begin({ path: `/${index}` }));
    const statuses = calls.map(async (call) => {
      const [headers] = await once(call.end().resume(), "response");
      return headers[":status"];
    });
    while (answers.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of answers.splice(0)) answer();
    while (answers.length < 1) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of answers.splice(0)) answer();
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 200]);
  });

  test("refuses a stream over the limit that a client opens nevertheless", async () => {
    await using server = await startListener({ limits: { streamsPerConnection: 2 }, handler() {} });
    await using raw = await openFrames(server.url);
    for (const stream of [1, 3, 5]) raw.write(headersFrame(stream));
    const { payload } = await untilFrame(raw, resetOf(5));
    expect(payload.readUInt32BE(0), "REFUSED_STREAM").toBe(7);
    server.listener.destroy();
  });
});

/** HEADERS and CONTINUATION in frames of at most 16 KiB. */
function writeInParts(raw: RawSocket, stream: number, more: [string, string][]): void {
  const block = encodeHeaders([
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "localhost"],
    ...more,
  ]);
  const parts: Buffer[] = [];
  for (let at = 0; at < block.length; at += 16_384) parts.push(block.subarray(at, at + 16_384));
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    const end = index === 0 ? frameFlags.endStream : 0;
    const type = index === 0 ? frameTypes.headers : frameTypes.continuation;
    raw.write(encodeFrame(type, end | (isLast ? frameFlags.endHeaders : 0), stream, part));
  });
}

const ping = encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8));
const settings = encodeFrame(frameTypes.settings, 0, 0, Buffer.from("000300000064", "hex"));

function rapidReset(count: number): Buffer {
  const frames: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const stream = 2 * index + 1;
    frames.push(headersFrame(stream), encodeFrame(frameTypes.rstStream, 0, stream, Buffer.from([0, 0, 0, 8])));
  }
  return Buffer.concat(frames);
}

function continuations(count: number): Buffer {
  const [name, empty] = [encodeHeaders([["a", "b"]]), Buffer.alloc(0)];
  const head = encodeFrame(frameTypes.headers, 0, 1, headersFrame(1).subarray(9));
  const more = Array.from({ length: count }, (_, index) =>
    encodeFrame(frameTypes.continuation, 0, 1, index % 2 === 0 ? name : empty),
  );
  return Buffer.concat([head, ...more]);
}

describe("a flood", () => {
  test.each([
    ["3,000 resets", rapidReset(3000)],
    ["10,000 CONTINUATION frames", continuations(10_000)],
    [
      "200 frames of a stream that was never opened",
      Buffer.alloc(19 * 200, encodeFrame(frameTypes.data, 0, 1, Buffer.alloc(10))),
    ],
    ["random bytes", Buffer.alloc(50_000, "5fb1c7")],
    ["3,000 PING in one go", Buffer.alloc(3000 * ping.length, ping)],
    ["3,000 SETTINGS in one go", Buffer.alloc(3000 * settings.length, settings)],
  ])("of %s ends the connection, and other connections work on", async (_what, bytes) => {
    // Node 20 says GOAWAY and no more. The probe then finds that the connection is deaf.
    await using server = await startListener({ limits: { probeMs: 100 } });
    await using _neighbour1 = await startNeighbour(server.url, "1.1");
    await using _neighbour2 = await startNeighbour(server.url, "2");
    await using raw = await openFrames(server.url);
    raw.write(bytes);
    await raw.closed;
  });

  test.each([
    ["PING", ping, frameTypes.ping],
    ["SETTINGS", settings, frameTypes.settings],
  ])(
    "of 3,000 %s is acknowledged if the client reads in between, and other connections work on",
    async (_what, frame, type) => {
      await using server = await startListener();
      await using _neighbour = await startNeighbour(server.url, "2");
      await using raw = await openFrames(server.url);
      const acks = () =>
        decodeFrames(raw.received).filter((found) => found.type === type && found.flags === frameFlags.ack);
      for (let sent = 500; sent <= 3000; sent += 500) {
        raw.write(Buffer.alloc(500 * frame.length, frame));
        while (acks().length < sent) await raw.untilBytes(raw.received.length + 1);
      }
      raw.write(headersFrame(1, { isEnd: true }));
      await untilFrame(raw, ({ stream }) => stream === 1);
    },
  );
});

describe("a silent HTTP/2 connection", () => {
  const { probeMs } = DEFAULT_LISTEN_LIMITS;
  const ack = encodeFrame(frameTypes.settings, frameFlags.ack, 0);

  test("stays open if its client acknowledges PING", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openFrames(server.url);
    raw.write(ack);
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    const pings = () => decodeFrames(raw.received).filter(({ type }) => type === frameTypes.ping);
    for (let answered = 0; answered < 3; ) {
      await clock.pass(probeMs, probeMs);
      for (const { payload } of pings().slice(answered)) {
        raw.write(encodeFrame(frameTypes.ping, frameFlags.ack, 0, payload));
        answered++;
      }
      await turns();
    }
    raw.write(headersFrame(1, { isEnd: true }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.data && stream === 1);
  });

  test("is closed if it does not, and its calls are cancelled", async () => {
    const codes: number[] = [];
    const clock = new TestClock();
    await using server = await startListener({
      clock,
      handler: (exchange) => {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => codes.push(exchange.resetCode) });
        exchange.read();
      },
    });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1));
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    await clock.pass(3 * probeMs, probeMs);
    await raw.closed;
    expect(codes).toEqual([8]);
  });
});

describe("HTTP/1.1", () => {
  test("rejects headers over the limit with 431, and other connections work on", async () => {
    await using server = await startListener();
    await using _neighbour = await startNeighbour(server.url, "1.1");
    await using raw = await openRaw(server.url);
    raw.write(`GET / HTTP/1.1\r\nHost: a\r\nx: ${pad(200 * 1024)}\r\n\r\n`);
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\nConnection: close\r\n/);
    expect(server.errors).toEqual(["http/1.1: headers: expected at most 16384 bytes"]);
  });

  test.each([
    [128, "200 OK"],
    [129, "431 Request Header Fields Too Large"],
  ])("responds to %i headers with %s, and the connection stays usable", async (count, status) => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    const more = Array.from({ length: count - 1 }, (_, index) => `n${index}: v\r\n`).join("");
    raw.write(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await raw.until(/GET \/next 0$/);
    expect(raw.text.split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`);
  });

  test("rejects headers that take too long with 408, even while they keep arriving", async () => {
    await using server = await startListener({ limits: { headersMs: 100 } });
    await using raw = await openRaw(server.url);
    raw.write("GET / HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => raw.write("x: y\r\n"), 20);
    await raw.closed;
    clearInterval(drip);
    expect(raw.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  test("rejects a body that takes too long with 408, if there is a limit", async () => {
    await using server = await startListener({ limits: { headersMs: 100, requestMs: 100 } });
    await using raw = await openRaw(server.url);
    raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhel");
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  test("waits for a body without a limit by default", async () => {
    await using server = await startListener({ limits: { headersMs: 50, keepAliveMs: 50 } });
    await using raw = await openRaw(server.url);
    raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    await new Promise((resolve) => setTimeout(resolve, 300));
    raw.write("lo");
    await raw.until(/POST \/ 5$/);
  });

  test("closes an idle connection", async () => {
    await using server = await startListener({ limits: { keepAliveMs: 100 } });
    await using raw = await openRaw(server.url);
    raw.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await raw.until(/GET \/ 0$/);
    await raw.closed;
  });

  test("rejects a malformed body with 400", async () => {
    let onData = () => {};
    const hasData = new Promise<void>((resolve) => {
      onData = resolve;
    });
    await using server = await startListener({
      handler(exchange) {
        exchange.attach({ onData, onEnd() {}, onDrain() {}, onClose() {} });
        exchange.read();
      },
    });
    await using raw = await openRaw(server.url);
    raw.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await hasData;
    raw.write("no chunk\r\n");
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(server.errors).toEqual(["http/1.1: chunk: expected a size in hexadecimal digits"]);
  });
});
