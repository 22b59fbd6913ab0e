// What can be done to a server by opening connections and saying too little, too slowly or too much at the beginning.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { callFields, callHead, data, goaway, grant, opening, unaryPath } from "../support/call-frames.js";
import { serverIdentity } from "../support/certificates.js";
import { encodeFrame, encodeHeaders, frameFlags, frameTypes, preface } from "../support/http2-frames.js";
import { startChild } from "../support/process/child.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { quick, useVictim } from "./victim.js";

const victim = useVictim({});

/** How much later than its limit a connection may be closed on a busy machine, in milliseconds. */
const slackMs = 1500;
const head = `POST ${unaryPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
const long = "x".repeat(200_000);

async function openMany(url: string, count: number): Promise<RawSocket[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(url)));
}

/** Waits until the server has closed all of them. Returns how long it took, in milliseconds. */
async function untilClosed(sockets: readonly RawSocket[]): Promise<number> {
  const startMs = performance.now();
  await Promise.all(sockets.map(({ closed }) => closed));
  return performance.now() - startMs;
}

test("no attack at all leaves nothing behind: what the others are compared with", async () => {
  await victim.withstand(() => delay(1000));
});

test.each([
  ["that say nothing", "", quick.openingMs],
  ["that stop in the middle of the preface", preface.subarray(0, 12), quick.openingMs],
  ["that stop a byte before the end of the preface", preface.subarray(0, 23), quick.openingMs],
  ["that stop after the preface", preface, quick.openingMs],
  ["that stop in a request line", "POST /x", quick.headersMs],
  ["that stop in a header", `${head}X-A: `, quick.headersMs],
  ["that stop in a body", `${head}Content-Length: 10\r\n\r\n{`, quick.requestMs],
  ["that stop in a chunk", `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{`, quick.requestMs],
])("200 connections %s are closed in time", async (_, bytes, limitMs) => {
  await victim.withstand(async (url) => {
    const sockets = await openMany(url, 200);
    for (const socket of sockets) socket.write(bytes);
    expect(await untilClosed(sockets)).toBeLessThan(limitMs + slackMs);
  });
});

test.each([
  ["the preface", preface],
  ["a request", Buffer.from(`${head}Content-Length: 2\r\n\r\n{}`.padEnd(400, "\n"))],
])("50 connections that send %s byte by byte are closed in time", async (_, bytes) => {
  await victim.withstand(async (url) => {
    const sockets = await openMany(url, 50);
    const closed = untilClosed(sockets);
    for (let index = 0; index < bytes.length && sockets.some(({ socket }) => !socket.closed); index++) {
      for (const socket of sockets) socket.write(bytes.subarray(index, index + 1));
      await delay(40);
    }
    expect(await closed).toBeLessThan(quick.requestMs + slackMs + bytes.length * 40);
  });
});

test.each([
  ["HTTP/1.1, in one header", `${head}X-Long: ${long}\r\n\r\n`],
  ["HTTP/1.1, in the target", `POST /${long} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ["HTTP/1.1, in many headers", `${head}${"X-Long: 0123456789\r\n".repeat(10_000)}\r\n`],
  ["HTTP/1.1, in a header without an end", `${head}X-Long: ${long}`],
  ["HTTP/1.1, in trailers", `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Long: ${long}\r\n\r\n`],
  ["HTTP/1.1, in a chunk extension", `${head}Transfer-Encoding: chunked\r\n\r\n2;x=${long}\r\n{}\r\n0\r\n\r\n`],
])("200 KB of headers are refused: %s", async (_, bytes) => {
  await victim.withstand(async (url) => {
    const sockets = await openMany(url, 50);
    for (const socket of sockets) socket.write(bytes);
    expect(await untilClosed(sockets)).toBeLessThan(quick.requestMs + slackMs);
    for (const { text } of sockets) expect(text).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  });
});

test.each([
  ["connect and leave", ""],
  ["leave in the preface", preface.subarray(0, 10)],
  ["leave after the preface", preface],
  ["leave in a head", head],
  ["leave in a body", `${head}Content-Length: 1000\r\n\r\n{`],
  ["leave in a call of HTTP/2", Buffer.concat([opening(), callHead(1)])],
])("200 connections that %s leave nothing behind", async (_, bytes) => {
  await victim.withstand(async (url) => {
    for (let round = 0; round < 4; round++) {
      const sockets = await openMany(url, 50);
      for (const [index, socket] of sockets.entries()) {
        socket.write(bytes);
        if (index % 2 === 0) socket.vanish();
        else socket.end();
      }
      await delay(5);
      for (const socket of sockets) socket.vanish();
      await untilClosed(sockets);
    }
  });
});

const call = Buffer.concat([callHead(1), data(1, Buffer.from("{}"), frameFlags.endStream)]);
const brokenSessions: Readonly<Record<string, Uint8Array>> = {
  "a request of HTTP/1.1": Buffer.from(`${head}\r\n`),
  "bytes of no protocol": Buffer.alloc(100, 0x55),
  "half a preface": preface.subarray(0, 12),
  "a preface with a wrong end": Buffer.concat([preface.subarray(0, 20), Buffer.alloc(20, 0x55)]),
  "a preface without SETTINGS": Buffer.concat([preface, encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8))]),
  "a preface and a request of HTTP/1.1": Buffer.concat([preface, Buffer.from(`${head}\r\n`)]),
  "a frame over the maximum size": data(1, Buffer.alloc(20_000)),
  "DATA on stream 0": data(0, Buffer.alloc(5)),
  "DATA on an idle stream": data(5, Buffer.alloc(5)),
  "DATA on stream 0 after a call": Buffer.concat([call, data(0, Buffer.alloc(5))]),
  "DATA on stream 0 before a call": Buffer.concat([data(0, Buffer.alloc(5)), call]),
  "DATA on stream 0 within a call": Buffer.concat([callHead(1), data(0, Buffer.alloc(5))]),
  "HEADERS on stream 0": callHead(0),
  "HEADERS on an even stream": callHead(2),
  "HEADERS that are no HPACK": encodeFrame(frameTypes.headers, frameFlags.endHeaders, 1, Buffer.alloc(6, 0xff)),
  "HEADERS on a stream that has ended": Buffer.concat([callHead(1, {}, frameFlags.endStream), callHead(1)]),
  "a CONTINUATION of nothing": encodeFrame(frameTypes.continuation, 4, 1, encodeHeaders(callFields())),
  "SETTINGS of a wrong length": encodeFrame(frameTypes.settings, 0, 0, Buffer.alloc(5)),
  "a PING of a wrong length": encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(5)),
  "a window of 0": grant(0, 0),
  "a window that overflows": grant(0, 0x7fffffff),
  PUSH_PROMISE: encodeFrame(frameTypes.pushPromise, 4, 1, Buffer.from([0, 0, 0, 2])),
  "RST_STREAM on an idle stream": encodeFrame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])),
  "GOAWAY with an error": goaway(1),
  "GOAWAY with an error before a call": Buffer.concat([goaway(1), call]),
  "GOAWAY without an error": goaway(0),
};
/** What is sent before the frames of a session; nothing where the bytes are its preface. */
const startOf = (name: string) => (/preface|HTTP\/1.1$|no protocol/.test(name) ? Buffer.alloc(0) : opening());
const leavings: Readonly<Record<string, (socket: RawSocket) => unknown>> = {
  "closes at once": ({ socket }) => socket.destroy(),
  "closes later": ({ socket }) => setTimeout(() => socket.destroy(), 20),
  "resets at once": (socket) => socket.vanish(),
  "resets later": (socket) => setTimeout(() => socket.vanish(), 20),
  "ends its side": (socket) => {
    socket.end();
    setTimeout(() => socket.vanish(), 200);
  },
};

describe.each([
  ["plaintext", undefined],
  ["TLS", { cert: String(serverIdentity.cert), key: String(serverIdentity.key) }],
])("over %s", (_, tls) => {
  // Handshakes keep this process busy for longer than the quick limits.
  const victim = useVictim({ tls, limits: { ...quick, openingMs: 10_000, keepAliveMs: 65_000 } });

  test("260 sessions with a bad preface or frame leave no descriptor behind, however the client disconnects", async () => {
    await victim.withstand(async (url) => {
      for (const [name, bytes] of Object.entries(brokenSessions)) {
        const sockets = await Promise.all(Array.from({ length: 10 }, () => openRaw(url, { ALPNProtocols: ["h2"] })));
        for (const [index, socket] of sockets.entries()) {
          const ways = Object.values(leavings);
          const leave = ways[index % ways.length] as (socket: RawSocket) => unknown;
          socket.socket.write(Buffer.concat([startOf(name), bytes]), () => leave(socket));
        }
        await untilClosed(sockets);
      }
    });
  }, 60_000);
});

test("running out of file descriptors is reported once, and passes", async () => {
  const child = await startChild({ limits: { ...quick, openingMs: 10_000 } }, { descriptors: 256 });
  for (let round = 0; round < 3; round++) {
    // Some of them are closed before they are open.
    const opened = await Promise.allSettled(Array.from({ length: 300 }, () => openRaw(child.url)));
    await delay(100);
    const sockets = opened.filter((result) => result.status === "fulfilled").map(({ value }) => value);
    for (const socket of sockets) socket.vanish();
    await untilClosed(sockets);
  }
  const { acceptErrors } = await child.report();
  expect(acceptErrors).toEqual(["no file descriptor left: new connections are closed; raise the limit (ulimit -n)"]);
  await child.close();
  expect(await child.exit).toEqual({ code: 0, signal: null, stderr: "" });
}, 20_000);
