// What is particular to HTTP/1.1: how responses are framed, what a client gets before it sends a body, and pipelining.
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../../server/http/exchange.js";
import { respond } from "../../../server/http/exchange.js";
import { PreparedHead } from "../../../server/http/prepared-head.js";
import { turns } from "../../support/clock.js";
import { openRaw } from "../../support/raw-socket.js";
import { get, Held, startListener } from "./support.js";

const date = /Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/;
const alive = "Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n";
const closed = "Connection: close\r\n";

/** The response to one request, with D instead of its date. */
async function responseTo(handler: (exchange: Exchange) => void, head: string): Promise<string> {
  await using server = await startListener({ handler });
  await using raw = await openRaw(server.url);
  raw.write(head);
  await raw.until(/\r\n\r\n/);
  await turns();
  await turns();
  return raw.text.replace(date, "D");
}

const prepared = new PreparedHead(200, { "content-type": "a" });
const shapes: [what: string, handler: (exchange: Exchange) => void, onHttp11: string, onHttp10: string][] = [
  [
    "a body of a known length",
    (exchange) => respond(exchange, 200, { "x-content-type-options": undefined }, "hello"),
    `HTTP/1.1 200 OK\r\ncontent-length: 5\r\nD${alive}\r\nhello`,
    `HTTP/1.1 200 OK\r\ncontent-length: 5\r\nD${closed}\r\nhello`,
  ],
  [
    "a body in parts, with trailers",
    (exchange) => {
      exchange.sendPreparedHead(prepared, true);
      exchange.write(Buffer.from("he"));
      exchange.write(Buffer.alloc(0));
      exchange.end("llo", { "x-t": "1" });
    },
    `HTTP/1.1 200 OK\r\ncontent-type: a\r\nD${alive}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-t: 1\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ncontent-type: a\r\nD${closed}\r\nhello`,
  ],
  [
    "a head alone",
    (exchange) => exchange.sendHeadOnly(200, { date: "then" }),
    `HTTP/1.1 200 OK\r\ndate: then\r\n${alive}Content-Length: 0\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ndate: then\r\n${closed}Content-Length: 0\r\n\r\n`,
  ],
  [
    "a status without a body",
    (exchange) => exchange.sendHeadOnly(204, {}),
    `HTTP/1.1 204 No Content\r\nD${alive}\r\n`,
    `HTTP/1.1 204 No Content\r\nD${closed}\r\n`,
  ],
  [
    "a status whose body has to be told to be empty",
    (exchange) => {
      exchange.sendHead(205, {});
      exchange.end("not sent");
    },
    `HTTP/1.1 205 Reset Content\r\nD${alive}Content-Length: 0\r\n\r\n`,
    `HTTP/1.1 205 Reset Content\r\nD${closed}Content-Length: 0\r\n\r\n`,
  ],
  [
    "the last response, by its own word",
    (exchange) => exchange.sendHeadOnly(200, { connection: "close" }),
    `HTTP/1.1 200 OK\r\nD${closed}Content-Length: 0\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nD${closed}Content-Length: 0\r\n\r\n`,
  ],
];

test.each(shapes)("a response: %s", async (_, handler, onHttp11, onHttp10) => {
  expect(await responseTo(handler, get("/"))).toBe(onHttp11);
  expect(await responseTo(handler, "GET / HTTP/1.0\r\n\r\n")).toBe(onHttp10);
});

test("a response to HEAD has the head of GET", async () => {
  const handler = (exchange: Exchange) => {
    exchange.sendHead(200, { "content-length": 5 });
    exchange.end("hello");
  };
  const response = await responseTo(handler, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(response).toBe(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\nD${alive}\r\n`);
});

test("a connection of HTTP/1.0 stays open for a client that asks for it, if the length is known", async () => {
  await using server = await startListener();
  await using raw = await openRaw(server.url);
  for (const path of ["/a", "/b"]) {
    raw.write(`GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
    await raw.until(new RegExp(`Connection: keep-alive\r\n[\\s\\S]*GET ${path} 0$`));
  }
});

test.each([100, 16_384, 16_385, 1_000_000])(
  "a body of %i bytes comes whole, as text and as bytes, in one and in parts",
  async (length) => {
    const body = Buffer.alloc(length, "0123456789");
    await using server = await startListener({
      handler(exchange) {
        exchange.sendHead(200, {});
        if (exchange.path === "/parts") exchange.write(body);
        exchange.end(exchange.path === "/text" ? body.toString() : body);
      },
    });
    for (const path of ["/text", "/bytes", "/parts"]) {
      const received = Buffer.from(await (await fetch(`${server.url}${path}`)).arrayBuffer());
      expect(received.length).toBe(path === "/parts" ? 2 * length : length);
      expect(received.subarray(0, length).equals(body)).toBe(true);
    }
  },
);

describe("a client that waits for 100 before it sends its body", () => {
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  const goOn = "HTTP/1.1 100 Continue\r\n\r\n";

  test("gets it when the body is read", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write(head);
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    raw.write("hello");
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*keep-alive[\s\S]*POST \/ 5$/);
  });

  test("does not get it if the body has come", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write(`${head}hello`);
    await raw.until(/POST \/ 5$/);
    expect(raw.text).not.toContain(goOn);
  });

  test("does not get it if the body is not wanted, and the server does not wait for a body that may never come", async () => {
    await using server = await startListener({ handler: (exchange) => respond(exchange, 413, {}, "too large") });
    await using raw = await openRaw(server.url);
    raw.write(head);
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close\r\n[\s\S]*too large$/);
  });
});

describe("pipelined requests", () => {
  test("begin one after the other, and get their responses in order", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/1") + get("/2") + get("/3"));
    for (const path of ["/1", "/2", "/3"]) {
      await held.until(1);
      expect(held.calls.map((call) => call.path)).toEqual([path]);
      held.answer();
    }
    await raw.until(/(?:answered[\s\S]*){3}$/);
  });

  test("of over a megabyte end their connection", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/").repeat(100_000));
    await raw.closed;
    expect(server.errors).toEqual(["http/1.1: too many pipelined requests"]);
    expect(held.calls.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test("do not hide that their client has left", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/").repeat(10_000));
    await held.until(1);
    raw.vanish();
    await expect.poll(() => held.calls.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test("are served in a body's length and no other place", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    const inner = get("/inner");
    raw.write(`POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}${get("/next")}`);
    await raw.until(/GET \/next 0$/);
    expect(raw.text.match(/(?:GET|POST) \/\w+ \d+/g)).toEqual([`POST /outer ${inner.length}`, "GET /next 0"]);
  });
});

test("a request whose client leaves within its chunks is not taken for a whole one", async () => {
  const events: string[] = [];
  await using server = await startListener({
    handler(exchange) {
      exchange.attach({
        onData: (chunk) => void events.push(`data ${chunk.length}`),
        onEnd: () => void events.push("end"),
        onDrain() {},
        onClose: () => void events.push(`close ${exchange.resetCode}`),
      });
      exchange.read();
    },
  });
  await using raw = await openRaw(server.url);
  raw.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  await expect.poll(() => events).toEqual(["data 5"]);
  raw.end();
  await raw.closed;
  expect(raw.text).toMatch(/^HTTP\/1\.1 400 /);
  await expect.poll(() => events).toEqual(["data 5", "close 8"]);
});

test("what a client sends after a malformed part of its body is not held, though it does not read what it gets", async () => {
  await using server = await startListener({
    handler(exchange) {
      exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
      exchange.read();
      exchange.sendHead(200, {});
      exchange.write(Buffer.alloc(20_000_000));
    },
  });
  await using raw = await openRaw(server.url);
  raw.socket.pause();
  raw.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  await expect.poll(() => server.listener.bytes.received).toBeGreaterThan(0);
  raw.write("no chunk\r\n");
  await expect.poll(() => server.errors).toHaveLength(1);
  const before = process.memoryUsage().arrayBuffers;
  const junk = Buffer.alloc(1_000_000);
  for (let megabytes = 0; megabytes < 200; megabytes++) {
    await new Promise((resolve) => raw.socket.write(junk, resolve));
  }
  // V8 collects chunks only when tens of megabytes of them have come.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  server.listener.destroy();
});
