// What can be done to a server by opening connections and saying too little, too slowly or too much at the beginning.
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { preface } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { callHead, opening, unaryPath } from "./frames.js";
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
])("500 connections that %s leave nothing behind", async (_, bytes) => {
  await victim.withstand(async (url) => {
    for (let round = 0; round < 10; round++) {
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
