import { describe, expect, test } from "vitest";
import { DEFAULT_LISTEN_LIMITS } from "../../../server/listen/limits.js";
import { type HttpVersion, versionOf } from "../../../server/listen/sniff.js";
import { TestClock } from "../../support/clock.js";
import { encodeFrame, frameFlags, frameTypes, preface } from "../../support/http2-frames.js";
import { openRaw } from "../../support/raw-socket.js";
import { describeStream, headersFrame, startListener, untilFrame } from "./support.js";

const versions: [bytes: string, version: HttpVersion | undefined, reason: string][] = [
  ["", undefined, "nothing has come"],
  ["P", undefined, "POST begins like the preface"],
  ["PO", "http1", "the second byte differs"],
  ["G", "http1", "the first byte differs"],
  ["PRI", undefined, "a method PRI could go on otherwise"],
  ["PRI /", "http1", "and does"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r", undefined, "one byte is missing"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2", "all of it"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", "http2", "all of it, and frames"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", "http1", "the last byte differs"],
  ["\x16\x03\x01", "http1", "TLS, which the parser of HTTP/1.1 refuses"],
];

test.each(versions)("the bytes %j are of version %s: %s", (bytes, version) => {
  expect(versionOf(Buffer.from(bytes, "latin1"))).toBe(version);
});

const get = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
const get2 = Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0), headersFrame(1, { isEnd: true })]);

const { openingMs } = DEFAULT_LISTEN_LIMITS;

describe("a listener", () => {
  test("understands HTTP/1.1 one byte at a time", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.socket.setNoDelay();
    for (const byte of get) {
      raw.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.until(/HTTP\/1\.1 200 OK[\s\S]*GET \/a 0$/);
  });

  test("understands HTTP/2 one byte at a time", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.socket.setNoDelay();
    for (const byte of get2) {
      raw.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await untilFrame(raw, ({ type, flags }) => type === frameTypes.data && (flags & frameFlags.endStream) !== 0);
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 8 END"]);
  });

  test("waits for an HTTP/1.1 client that pauses after three bytes", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openRaw(server.url);
    await clock.untilScheduled(openingMs);
    raw.write("GET");
    await expect.poll(() => clock.delays).not.toContain(openingMs);
    clock.advance(openingMs);
    raw.write(get.slice(3));
    await raw.until(/GET \/a 0$/);
  });

  test.each([
    ["says nothing", ""],
    ["sends half of the preface", "PRI * HTTP/2"],
    ["sends a byte that could be of either version", "P"],
  ])("closes a connection that %s, and others work on", async (_what, bytes) => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openRaw(server.url);
    raw.write(bytes);
    await clock.untilScheduled(openingMs);
    clock.advance(openingMs - 1);
    await using other = await openRaw(server.url);
    await clock.untilScheduled(openingMs, 2);
    clock.advance(1);
    await raw.closed;
    expect(raw.text).toBe("");
    other.write(get);
    await other.until(/GET \/a 0$/);
  });

  test("closes an HTTP/2 connection on which no SETTINGS follow the preface", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openRaw(server.url);
    raw.write(preface);
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    await clock.passUntil(raw.closed, openingMs);
  });

  test("closes a connection that ends before its version is known", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write("PRI");
    raw.end();
    await raw.closed;
    expect(raw.text).toBe("");
  });

  test("responds to a client that has ended its side after an HTTP/1.1 request", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write(get);
    raw.end();
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*GET \/a 0$/);
  });

  test("closes an HTTP/2 connection when the client ends its side", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write(get2);
    await untilFrame(raw, ({ type }) => type === frameTypes.data);
    raw.end();
    await raw.closed;
  });

  test.each([
    ["PRI / HTTP/1.1\r\nHost: localhost\r\n\r\n", "a method of HTTP/1.1 that looks like the preface"],
    ["PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "a preface with two bytes wrong"],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "the hello of TLS"],
    ["hello\r\n\r\n", "no HTTP"],
    [`GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`, "two lengths"],
    ["GET / HTTP/1.1\r\nHost: a\r\nx y: z\r\n\r\n", "a name with a space"],
    ["GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "a control character in the target"],
  ])("rejects %j with HTTP/1.1 400 and closes: %s", async (bytes) => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write(Buffer.from(bytes, "latin1"));
    await raw.closed;
    const headers = "Connection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff";
    expect(raw.text).toBe(`HTTP/1.1 400 Bad Request\r\n${headers}\r\n\r\n`);
    expect(server.errors).toEqual([expect.stringMatching(/^http\/1\.1: \S.*: (?:expected |content-length as well$)/)]);
  });

  test("responds to a request to upgrade to h2c in HTTP/1.1", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    raw.write(`GET /a HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`);
    await raw.until(/^HTTP\/1\.1 200 OK[\s\S]*GET \/a 0$/);
  });

  test("responds to pipelined requests in order", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    raw.write(paths.map((path) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`).join(""));
    await raw.until(/POST \/19 2$/);
    expect(raw.text.match(/POST \/\d+ 2/g)).toEqual(paths.map((path) => `POST ${path} 2`));
  });
});
