// A listener behind a TCP proxy that names its clients by PROXY headers.
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import { type Exchange, respond } from "../../../server/http/exchange.js";
import { DEFAULT_LISTEN_LIMITS } from "../../../server/listen/limits.js";
import { authority, serverIdentity } from "../../support/certificates.js";
import { TestClock } from "../../support/clock.js";
import { encodeFrame, frameTypes, preface } from "../../support/http2-frames.js";
import { proxyHeader1, proxyHeader2 } from "../../support/proxy-header.js";
import { openRaw, RawSocket } from "../../support/raw-socket.js";
import { get, headersFrame, startListener } from "./support.js";

const tellPeer = (exchange: Exchange) => respond(exchange, 200, {}, `<${exchange.peer}>`);
const proxies = { includes: (address: string) => address === "127.0.0.1" || address === "", sendHeaders: true };
const behind = { handler: tellPeer, proxies };

const header1 = proxyHeader1("203.0.113.9");
const header2 = proxyHeader2(0x21, 0x11, "cb007109 0a000001 c738 01bb");
const local = proxyHeader2(0x20, 0, "");
const get2 = Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0), headersFrame(1, { isEnd: true })]);

const requests = { "1.1": Buffer.from(get("/")), "2": get2 };
const headers: [what: string, header: Buffer, peer: string][] = [
  ["version 1", header1, "203.0.113.9"],
  ["version 2", header2, "203.0.113.9"],
  ["version 2 of the proxy itself", local, "127.0.0.1"],
];

async function openTcp(url: string): Promise<Socket> {
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  return socket;
}

/** TLS after bytes in plaintext. */
async function openTlsAfter(url: string, header: Buffer, alpn: string): Promise<RawSocket> {
  const transport = await openTcp(url);
  transport.write(header);
  const socket = connectTls({ ca: authority, host: "127.0.0.1", socket: transport, ALPNProtocols: [alpn] });
  await once(socket, "secureConnect");
  return new RawSocket(socket, transport);
}

const speakers = [
  ["1.1", "own"],
  ["2", "own"],
  ["2", "node"],
] as const;

describe.each(speakers)("over HTTP/%s (%s)", (httpVersion, http2) => {
  test.each(headers)("a header of %s comes first, whole or in parts", async (_, header, peer) => {
    await using server = await startListener({ ...behind, http2 });
    const bytes = Buffer.concat([header, requests[httpVersion]]);
    for (const sizes of [[], [1], [header.length - 1], [header.length], [header.length + 1], [12, 20, 30]]) {
      await using raw = await openRaw(server.url);
      let start = 0;
      for (const end of [...sizes, bytes.length]) {
        raw.write(bytes.subarray(start, end));
        start = end;
        await delay(3);
      }
      expect((await raw.until(/<(.*)>/))[1]).toBe(peer);
    }
    expect(server.errors).toEqual([]);
  });

  test("a header comes one byte at a time, as the request does", async () => {
    await using server = await startListener({ ...behind, http2 });
    await using raw = await openRaw(server.url);
    for (const byte of Buffer.concat([header2, requests[httpVersion]])) {
      raw.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await raw.until(/<(.*)>/))[1]).toBe("203.0.113.9");
  });

  test.each(headers)("a header of %s comes before TLS", async (_, header, peer) => {
    await using server = await startListener({ ...behind, http2, tls: serverIdentity });
    await using raw = await openTlsAfter(server.url, header, httpVersion === "2" ? "h2" : "http/1.1");
    raw.write(requests[httpVersion]);
    expect((await raw.until(/<(.*)>/))[1]).toBe(peer);
    expect(server.errors).toEqual([]);
  });

  test("a header comes in one packet with the ClientHello", async () => {
    await using server = await startListener({ ...behind, http2, tls: serverIdentity });
    const transport = await openTcp(server.url);
    transport.cork();
    transport.write(header1);
    const alpn = httpVersion === "2" ? "h2" : "http/1.1";
    const socket = connectTls({ ca: authority, host: "127.0.0.1", socket: transport, ALPNProtocols: [alpn] });
    await delay(20);
    transport.uncork();
    await once(socket, "secureConnect");
    await using raw = new RawSocket(socket, transport);
    raw.write(requests[httpVersion]);
    expect((await raw.until(/<(.*)>/))[1]).toBe("203.0.113.9");
  });

  test("many requests follow on the connection", async () => {
    await using server = await startListener({ ...behind, http2 });
    await using raw = await openRaw(server.url);
    raw.write(header1);
    if (httpVersion === "2") {
      raw.write(get2);
      for (let id = 3; id < 41; id += 2) raw.write(headersFrame(id, { isEnd: true }));
    } else for (let count = 0; count < 20; count++) raw.write(requests["1.1"]);
    await raw.until(/(?:<203\.0\.113\.9>[^<]*){20}/);
  });
});

const { openingMs } = DEFAULT_LISTEN_LIMITS;

describe.each([undefined, serverIdentity])("a trusted proxy, with TLS or without,", (tls) => {
  test.each([
    ["a request", get("/"), "expected one, found other bytes"],
    ["a malformed header", "PROXY TCP4 1 2 3 4\r\n", "malformed address"],
    ["the header of another", Buffer.concat([Buffer.from("\x16\x03\x01"), header1]), "expected one, found other bytes"],
  ])("that sends %s is cut off, with a report", async (_, bytes, message) => {
    await using server = await startListener({ ...behind, tls });
    await using raw = new RawSocket(await openTcp(server.url));
    raw.write(bytes);
    await raw.closed;
    expect(raw.text).toBe("");
    expect(server.errors).toEqual([`proxy header: PROXY header: ${message}`]);
  });

  test("that sends no whole header has the time of the first bytes", async () => {
    const clock = new TestClock();
    await using server = await startListener({ ...behind, tls, clock });
    await using raw = new RawSocket(await openTcp(server.url));
    raw.write(header1.subarray(0, 20));
    await clock.untilScheduled(openingMs);
    clock.advance(openingMs);
    await raw.closed;
    expect(server.errors).toEqual([]);
  });

  test("that leaves before the end of the header, or after it, is no error", async () => {
    await using server = await startListener({ ...behind, tls });
    for (const bytes of ["", header1.subarray(0, 20), header1, local]) {
      const socket = await openTcp(server.url);
      socket.resume().end(bytes);
      await once(socket, "close");
      const reset = await openTcp(server.url);
      reset.write(bytes);
      reset.resetAndDestroy();
    }
    await expect.poll(() => server.listener.connectionCount).toBe(0);
    expect(server.errors).toEqual([]);
  });

  test("does not keep a drain waiting", async () => {
    await using server = await startListener({ ...behind, tls });
    await using raw = new RawSocket(await openTcp(server.url));
    raw.write(header1.subarray(0, 20));
    await expect.poll(() => server.listener.connectionCount).toBe(1);
    server.listener.stop();
    await raw.closed;
  });
});

test("connections of others have no header: one is malformed HTTP", async () => {
  await using server = await startListener({ ...behind, proxies: { ...proxies, includes: () => false } });
  await using plain = await openRaw(server.url);
  plain.write(get("/"));
  expect((await plain.until(/<(.*)>/))[1]).toBe("127.0.0.1");
  await using raw = await openRaw(server.url);
  raw.write(Buffer.concat([header1, Buffer.from(get("/"))]));
  await raw.closed;
  expect(raw.text).toMatch(/^HTTP\/1\.1 400 /);
});

test("a proxy on a Unix socket names clients, too", async () => {
  const path = join(tmpdir(), `proxy-header-${process.pid}.sock`);
  await using _ = await startListener({ ...behind, address: { path } });
  await using raw = new RawSocket(connectTcp(path));
  raw.write(Buffer.concat([header1, Buffer.from(get("/"))]));
  expect((await raw.until(/<(.*)>/))[1]).toBe("203.0.113.9");
});

describe("limits.connectionsPerAddress", () => {
  const limits = { connectionsPerAddress: 2 };

  test.each([
    ["TCP", undefined],
    ["TLS", serverIdentity],
    ["a Unix socket", undefined],
  ])("holds for the clients that a proxy names, and not for the proxy, over %s", async (way, tls) => {
    const path = join(tmpdir(), `proxy-limit-${process.pid}.sock`);
    const address = way === "a Unix socket" ? { address: { path } } : {};
    await using server = await startListener({ ...behind, ...address, tls, limits });
    const openFor = async (header: Buffer) => {
      const socket = way === "a Unix socket" ? connectTcp(path) : await openTcp(server.url);
      socket.write(header);
      return new RawSocket(socket);
    };
    const open: RawSocket[] = [];
    for (let count = 0; count < 4; count++) open.push(await openFor(local));
    for (const client of ["203.0.113.1", "203.0.113.2"]) {
      for (let count = 0; count < 2; count++) open.push(await openFor(proxyHeader1(client)));
      await delay(20);
      const refused = await openFor(proxyHeader1(client));
      await refused.closed;
    }
    expect(server.listener.connectionCount).toBe(8);
    for (const raw of open) await raw[Symbol.asyncDispose]();
    expect(server.errors).toEqual(["accept: connections closed over limits.connectionsPerAddress (2): 1"]);
  });

  test("does not hold for proxies that send no headers", async () => {
    await using server = await startListener({ ...behind, proxies: { ...proxies, sendHeaders: false }, limits });
    const open = await Promise.all(Array.from({ length: 4 }, () => openRaw(server.url)));
    for (const raw of open) raw.write(get("/"));
    for (const raw of open) expect((await raw.until(/<(.*)>/))[1]).toBe("127.0.0.1");
    for (const raw of open) await raw[Symbol.asyncDispose]();
  });
});
