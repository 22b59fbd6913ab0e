// What a listener counts of the connections and requests that it refuses, and of the others.
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Counters, type Refusal, refusalReasons } from "../../../server/counters.js";
import type { Exchange } from "../../../server/http/exchange.js";
import { respond } from "../../../server/http/exchange.js";
import { serverIdentity } from "../../support/certificates.js";
import { TestClock } from "../../support/clock.js";
import { openHttp2, request } from "../../support/http.js";
import { encodeFrame, frameTypes } from "../../support/http2-frames.js";
import { openRaw, RawSocket } from "../../support/raw-socket.js";
import { get, headersFrame, openFrames, startListener, untilFrame } from "./support.js";

/** What a client does, and how the listener is set. */
interface Cause {
  readonly options?: Parameters<typeof startListener>[0];
  /** Opens a connection, does what is refused, and resolves when the listener has refused it. */
  act(url: string, clock: TestClock): Promise<void>;
}

const settingsAck = encodeFrame(frameTypes.settings, 1, 0);
const limits = {
  openingMs: 1000,
  stallMs: 400,
  probeMs: 4000,
  maxConnectionAgeMs: 1000,
  maxConnectionAgeGraceMs: 1000,
  resetBurst: 2,
  resetsPerSecond: 1,
};
const hold = (exchange: Exchange) => {
  exchange.attach({ owesRest: true, onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
  exchange.read();
};

async function writeUntilClosed(raw: RawSocket, bytes: string | Uint8Array): Promise<void> {
  raw.write(bytes);
  await raw.closed;
  await raw[Symbol.asyncDispose]();
}

async function passUntilClosed(raw: RawSocket, clock: TestClock): Promise<void> {
  await clock.passUntil(raw.closed, 100);
  await raw[Symbol.asyncDispose]();
}

const causes: readonly [Refusal, string, Cause][] = [
  [
    "malformed_request",
    "bytes that are no HTTP",
    { act: async (url) => writeUntilClosed(await openRaw(url), "?\r\n") },
  ],
  [
    "malformed_request",
    "a request of HTTP/1.1 without Host",
    { act: async (url) => writeUntilClosed(await openRaw(url), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n") },
  ],
  [
    "malformed_request",
    "a CONNECT request",
    { act: async (url) => writeUntilClosed(await openRaw(url), "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n") },
  ],
  [
    "malformed_request",
    "a request of HTTP/2 with an invalid authority",
    {
      async act(url) {
        await using raw = await openFrames(url);
        raw.write(headersFrame(1, { authority: "a b", isEnd: true }));
        await untilFrame(raw, ({ stream }) => stream === 1);
      },
    },
  ],
  [
    "http2_protocol",
    "a frame that HTTP/2 does not allow",
    {
      act: async (url) => writeUntilClosed(await openFrames(url), encodeFrame(frameTypes.data, 0, 0, Buffer.alloc(1))),
    },
  ],
  [
    "flood",
    "more resets than the limit",
    {
      options: { limits, handler: hold },
      async act(url) {
        const streams = [1, 3, 5].map((id) => Buffer.concat([headersFrame(id), resetFrame(id)]));
        await writeUntilClosed(await openFrames(url), Buffer.concat([settingsAck, ...streams]));
      },
    },
  ],
  [
    "tls_handshake",
    "bytes that are no TLS",
    {
      options: { tls: serverIdentity },
      act: async (url) => writeUntilClosed(await openRaw(url.replace("https:", "http:")), get("/")),
    },
  ],
  [
    "opening_timeout",
    "a client that sends nothing",
    { options: { limits }, act: async (url, clock) => passUntilClosed(await openRaw(url), clock) },
  ],
  [
    "opening_timeout",
    "a client that does not acknowledge SETTINGS",
    {
      options: { limits: { openingMs: 1000 } },
      act: async (url, clock) => passUntilClosed(await openFrames(url), clock),
    },
  ],
  [
    "opening_timeout",
    "a proxy whose PROXY header does not arrive",
    {
      options: { limits: { openingMs: 1000 }, proxies: { includes: () => true, sendHeaders: true } },
      act: async (url, clock) => passUntilClosed(await openRaw(url), clock),
    },
  ],
  [
    "proxy_header",
    "a proxy without a PROXY header",
    {
      options: { proxies: { includes: () => true, sendHeaders: true } },
      act: async (url) => writeUntilClosed(await openRaw(url), get("/")),
    },
  ],
  [
    "request_timeout",
    "headers that do not arrive",
    {
      options: { limits: { headersMs: 1000 } },
      async act(url, clock) {
        const raw = await openRaw(url);
        raw.write("GET / HTTP/1.1\r\n");
        await passUntilClosed(raw, clock);
      },
    },
  ],
  [
    "stalled",
    "a client that stops in the middle of a request",
    {
      options: { limits: { stallMs: 400 }, handler: hold },
      async act(url, clock) {
        const raw = await openRaw(url);
        raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
        await passUntilClosed(raw, clock);
      },
    },
  ],
  [
    "unresponsive",
    "a client that does not reply to a ping",
    {
      options: { limits: { probeMs: 4000 } },
      async act(url, clock) {
        const raw = await openFrames(url);
        raw.write(settingsAck);
        await delay(50);
        await passUntilClosed(raw, clock);
      },
    },
  ],
  [
    "max_age",
    "a call that goes on after the grace of its connection",
    {
      options: { limits: { maxConnectionAgeMs: 1000, maxConnectionAgeGraceMs: 1000 }, handler: hold },
      async act(url, clock) {
        const raw = await openFrames(url);
        raw.write(Buffer.concat([settingsAck, headersFrame(1)]));
        await delay(50);
        await passUntilClosed(raw, clock);
      },
    },
  ],
  ["connections", "a connection too many", { options: { limits: { connections: 1 } }, act: openTwo }],
  [
    "connections_per_address",
    "a connection too many from one address",
    { options: { limits: { connectionsPerAddress: 1 } }, act: openTwo },
  ],
];

/** Opens a connection, and another one, which is closed. */
async function openTwo(url: string): Promise<void> {
  await using first = await openRaw(url);
  first.write(get("/"));
  await first.until(/GET/);
  // A reset may come before the connection is open.
  await new RawSocket(connect(Number(new URL(url).port))).closed;
}

function resetFrame(stream: number): Buffer {
  return encodeFrame(frameTypes.rstStream, 0, stream, Buffer.from([0, 0, 0, 8]));
}

describe("a listener", () => {
  test.each(causes)("counts as %s: %s", async (reason, _, { options, act }) => {
    const [counters, clock] = [new Counters(), new TestClock()];
    await using server = await startListener({ clock, counters, ...options });
    await act(server.url, clock);
    const others = Object.fromEntries(refusalReasons.map((name) => [name, 0]));
    expect(counters.refused).toEqual({ ...others, [reason]: 1 });
  });

  test("has a test for each reason", () => {
    // Calls are refused above the listener: test/behaviour/overload.test.ts.
    const ofCalls = new Set<Refusal>(["concurrent_calls", "event_loop_lag"]);
    const ofListener = refusalReasons.filter((reason) => !ofCalls.has(reason));
    expect([...new Set(causes.map(([reason]) => reason))]).toEqual(ofListener);
  });

  test("counts no refusal for good requests, and for clients that leave", async () => {
    const counters = new Counters();
    await using server = await startListener({ counters });
    await using opening = await openRaw(server.url);
    await request(server.url, { httpVersion: "1.1", path: "/" });
    await request(server.url, { httpVersion: "2", path: "/" });
    const raw = await openFrames(server.url);
    raw.vanish();
    await raw.closed;
    opening.end();
    await opening.closed;
    expect(Object.values(counters.refused).every((count) => count === 0)).toBe(true);
  });

  test("counts streams that the client and that the server reset, and not those that a lost connection ends", async () => {
    const counters = new Counters();
    await using server = await startListener({
      counters,
      routes: { "/cut": (exchange) => exchange.cut(), "/hold": hold, "/": (exchange) => respond(exchange, 200, {}) },
    });
    const raw = await openFrames(server.url);
    raw.write(Buffer.concat([settingsAck, headersFrame(1, { path: "/cut" })]));
    await untilFrame(raw, ({ stream }) => stream === 1);
    raw.write(Buffer.concat([headersFrame(3, { path: "/hold" }), resetFrame(3), headersFrame(5, { path: "/hold" })]));
    raw.write(headersFrame(7, { isEnd: true }));
    await untilFrame(raw, ({ stream }) => stream === 7);
    raw.vanish();
    await raw.closed;
    await expect.poll(() => server.listener.connectionCount).toBe(0);
    expect(counters.resets).toEqual({ client: 1, server: 1 });
  });

  test.each([
    ["plaintext", undefined],
    ["TLS", serverIdentity],
  ])("counts connections by HTTP version, and bytes: %s", async (_, tls) => {
    const counters = new Counters();
    await using server = await startListener({ counters, ...(tls !== undefined && { tls }) });
    const body = "x".repeat(100_000);
    await using http1 = await openRaw(server.url);
    http1.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await http1.until(/POST/);
    expect(server.listener.open).toEqual({ opening: 0, http1: 1, http2: 0 });
    {
      await using http2 = await openHttp2(server.url);
      await http2.request({ path: "/", body, httpVersion: "2" });
      expect(server.listener.open).toEqual({ opening: 0, http1: 1, http2: 1 });
      const { received, sent } = server.listener.bytes;
      expect(received).toBeGreaterThan(200_000);
      expect(received).toBeLessThan(210_000);
      expect(sent).toBeGreaterThan(100);
    }
    await expect.poll(() => server.listener.open).toEqual({ opening: 0, http1: 1, http2: 0 });
    // The bytes of the connection that was closed still count.
    expect(server.listener.bytes.received).toBeGreaterThan(200_000);
    expect(counters.accepted).toBe(2);
  });

  test("counts a connection that has sent nothing yet as opening", async () => {
    await using server = await startListener();
    await using _ = await openRaw(server.url);
    await expect.poll(() => server.listener.open).toEqual({ opening: 1, http1: 0, http2: 0 });
  });
});
