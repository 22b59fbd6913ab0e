import { once } from "node:events";
import http from "node:http";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { respond } from "../../../server/http/exchange.js";
import { DEFAULT_LISTEN_LIMITS } from "../../../server/listen/limits.js";
import { clientIdentity, serverIdentity } from "../../support/certificates.js";
import { TestClock, turns } from "../../support/clock.js";
import { answerOf, openHttp2, request } from "../../support/http.js";
import { decodeFrames, encodeFrame, frameFlags, frameTypes, preface } from "../../support/http2-frames.js";
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

const maxStreamId = 2 ** 31 - 1;

/** The streams that each GOAWAY names as the last one, with its code. */
function goaways(raw: RawSocket): [last: number, code: number][] {
  return decodeFrames(raw.received)
    .filter(({ type }) => type === frameTypes.goaway)
    .map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);
}

async function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const refused = await once(socket, "connect").then(
    () => false,
    (error) => error.code === "ECONNREFUSED",
  );
  socket.destroy();
  return refused;
}

describe("a drain", () => {
  test("accepts no new connections, and ends at once without open ones", async () => {
    await using server = await startListener();
    expect(await isRefused(server.url)).toBe(false);
    server.listener.stop();
    expect(await isRefused(server.url)).toBe(true);
    await server.listener.closed;
    expect(server.listener.connectionCount).toBe(0);
  });

  test("finishes an HTTP/1.1 call with Connection: close, and closes", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/"));
    await held.until(1);
    server.listener.stop();
    held.answer();
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*answered$/);
    await server.listener.closed;
  });

  test("finishes an HTTP/1.1 response whose head was sent before, and closes", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/"));
    await held.until(1);
    const [exchange] = held.calls;
    exchange?.sendHead(200, { "content-length": 6 });
    exchange?.write(Buffer.from("abc"));
    await raw.until(/abc$/);
    server.listener.stop();
    exchange?.end(Buffer.from("def"));
    await raw.closed;
    expect(raw.text).toMatch(/Connection: keep-alive\r\n[\s\S]*abcdef$/);
  });

  test("sends all of a long HTTP/1.1 response that was written before", async () => {
    const answer = Buffer.alloc(20_000_000, "a");
    const held = new Held();
    await using server = await startListener({
      handler: (exchange) => {
        respond(exchange, 200, {}, answer);
        held.handler(exchange);
      },
    });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(get("/"));
    await held.until(1);
    server.listener.stop();
    // The client has not read until now, so most of it is still in the server.
    let received = 0;
    for await (const chunk of socket) received += chunk.length;
    expect(received).toBeGreaterThan(answer.length);
  });

  test("responds to all pipelined requests in order", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openRaw(server.url);
    raw.write(get("/").repeat(3));
    await held.until(1);
    held.answer();
    await raw.until(/answered$/);
    server.listener.stop();
    for (const _ of ["second", "third"]) {
      await held.until(1);
      held.answer();
    }
    await raw.closed;
    expect(raw.text.match(/answered/g)).toHaveLength(3);
    expect(raw.text.match(/Connection: \S+/g)).toEqual([
      "Connection: keep-alive",
      "Connection: keep-alive",
      "Connection: close",
    ]);
  });

  test("closes HTTP/1.1 connections that are idle, silent, or in the middle of headers", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, limits: { idleGraceMs: 100 } });
    await using half = await openRaw(server.url);
    await using silent = await openRaw(server.url);
    await using idle = await openRaw(server.url);
    half.write("GET / HTTP/1.1\r\nHost");
    idle.write(get("/"));
    await idle.until(/GET \/ 0$/);
    server.listener.stop();
    clock.advance(99);
    await turns();
    expect(server.listener.connectionCount).toBe(3);
    clock.advance(1);
    await Promise.all([idle.closed, half.closed, silent.closed, server.listener.closed]);
  });

  test("responds to a request on an idle HTTP/1.1 connection within the grace time", async () => {
    await using server = await startListener({ clock: new TestClock(), limits: { idleGraceMs: 100 } });
    await using raw = await openRaw(server.url);
    await using fresh = await openRaw(server.url);
    raw.write(get("/a"));
    await raw.until(/GET \/a 0$/);
    server.listener.stop();
    raw.write(get("/b"));
    fresh.write(get("/c"));
    await Promise.all([raw.closed, fresh.closed]);
    expect(raw.text).toMatch(/Connection: keep-alive\r\n[\s\S]*Connection: close\r\n[\s\S]*GET \/b 0$/);
    expect(fresh.text).toMatch(/Connection: close\r\n[\s\S]*GET \/c 0$/);
  });

  test("sends GOAWAY, finishes an HTTP/2 call, and closes", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    await held.until(1);
    server.listener.stop();
    await untilFrame(raw, ({ type }) => type === frameTypes.goaway);
    expect(describeStream(raw, 1)).toEqual([]);
    expect(goaways(raw)).toEqual([[maxStreamId, 0]]);
    await acknowledgePing(raw);
    held.answer();
    await raw.closed;
    expect(goaways(raw)).toEqual([
      [maxStreamId, 0],
      [1, 0],
    ]);
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 8 END"]);
    await server.listener.closed;
  });

  test("serves what an HTTP/2 client has begun before it read GOAWAY, and nothing after the last stream was named", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    await held.until(1);
    server.listener.stop();
    await untilFrame(raw, ({ type }) => type === frameTypes.goaway);
    raw.write(headersFrame(3, { isEnd: true }));
    await held.until(2);
    await acknowledgePing(raw);
    await untilFrame(raw, ({ type, payload }) => type === frameTypes.goaway && payload.readUInt32BE(0) === 3);
    raw.write(headersFrame(5, { isEnd: true }));
    raw.write(encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)));
    await untilFrame(raw, ({ type, flags }) => type === frameTypes.ping && flags === frameFlags.ack);
    expect(held.calls).toHaveLength(2);
    held.answer();
    await raw.closed;
    expect([describeStream(raw, 3), describeStream(raw, 5)]).toEqual([["HEADERS", "DATA 8 END"], []]);
  });

  test("does not wait long for an HTTP/2 client that does not say that it has read GOAWAY", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock });
    await using raw = await openFrames(server.url);
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    server.listener.stop();
    await clock.passUntil(Promise.all([raw.closed, server.listener.closed]), 1000);
    expect(goaways(raw)).toEqual([
      [maxStreamId, 0],
      [0, 0],
    ]);
  });

  test("serves HTTP/2 requests that arrived before", async () => {
    const held = new Held();
    await using server = await startListener({ handler: held.handler });
    await using raw = await openFrames(server.url);
    await untilFrame(raw, ({ type }) => type === frameTypes.settings);
    raw.socket.write(headersFrame(1, { isEnd: true }), () => server.listener.stop());
    await held.until(1);
    held.answer();
    await raw.closed;
    expect(describeStream(raw, 1)).toEqual(["HEADERS", "DATA 8 END"]);
  });

  test("closes HTTP/2 connections whose client never ends its side", async () => {
    const clock = new TestClock();
    await using server = await startListener({ clock, limits: { lingerMs: 100 } });
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    await once(socket, "connect");
    socket.write(preface);
    await once(socket, "data");
    server.listener.stop();
    await clock.passUntil(server.listener.closed, 100);
    socket.destroy();
  });

  test("with TLS ends connections in every state", async () => {
    const held = new Held();
    await using server = await startListener({ tls: serverIdentity, handler: held.handler });
    const { hostname, port } = new URL(server.url);
    const handshaking = connect(Number(port), hostname);
    handshaking.on("error", () => {});
    await once(handshaking, "connect");
    handshaking.write(Buffer.from("160301", "hex"));
    await using idle1 = await openRaw(server.url);
    await using idle2 = await openHttp2(server.url);
    await using call1 = await openRaw(server.url, clientIdentity);
    await using call2 = await openHttp2(server.url);
    call1.write(get("/"));
    const answer = answerOf(call2.begin({ path: "/", method: "GET" }).end());
    await held.until(2);
    const ended = [once(handshaking, "close"), idle1.closed, once(idle2.session, "close")];
    server.listener.stop();
    await Promise.all(ended);
    held.answer();
    expect((await answer).text).toBe("answered");
    await Promise.all([call1.closed, server.listener.closed]);
    expect(call1.text).toMatch(/answered$/);
  });

  test("may be started twice", async () => {
    await using server = await startListener();
    server.listener.stop();
    server.listener.stop();
    await server.listener.closed;
    server.listener.stop();
    server.listener.destroy();
  });
});

describe("the end of a listener", () => {
  test.each(["1.1", "2"] as const)("aborts active calls over HTTP/%s", async (httpVersion) => {
    const held = new Held();
    const codes: number[] = [];
    await using server = await startListener({
      handler: (exchange) => {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => codes.push(exchange.resetCode) });
        exchange.read();
        held.handler(exchange);
      },
    });
    await using raw = httpVersion === "2" ? await openFrames(server.url) : await openRaw(server.url);
    raw.write(httpVersion === "2" ? headersFrame(1) : get("/"));
    await held.until(1);
    server.listener.destroy();
    await Promise.all([raw.closed, server.listener.closed]);
    expect(codes).toEqual([8]);
    expect(server.listener.connectionCount).toBe(0);
  });

  test("closes the connection of a client that does not read its response", async () => {
    await using server = await startListener({ handler: (exchange) => respond(exchange, 200, {}, Buffer.alloc(2e7)) });
    await using raw = await openRaw(server.url);
    raw.socket.pause();
    raw.write(get("/"));
    await once(raw.socket, "readable");
    server.listener.stop();
    server.listener.destroy();
    await server.listener.closed;
  });

  test("leaves no timer and no socket behind", async () => {
    const clock = new TestClock();
    const before = activeResources();
    {
      await using server = await startListener({ clock });
      await using _raw = await openRaw(server.url);
      await using http2 = await openHttp2(server.url);
      await http2.request({ path: "/" });
    }
    await expect.poll(activeResources).toEqual(before);
    // Timers of connections that have closed may still run, for at most 10 s. Those of the listener have stopped.
    clock.advance(DEFAULT_LISTEN_LIMITS.openingMs);
    expect(clock.delays).toEqual([]);
  });
});

function activeResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name));
}

test("a listener counts its connections", async () => {
  await using server = await startListener();
  expect(server.listener.connectionCount).toBe(0);
  await using _first = await openHttp2(server.url);
  {
    await using _second = await openRaw(server.url);
    await expect.poll(() => server.listener.connectionCount).toBe(2);
  }
  await expect.poll(() => server.listener.connectionCount).toBe(1);
});

describe("a handler that throws", () => {
  test.each([
    ["1.1", "/throw"],
    ["1.1", "/reject"],
    ["2", "/throw"],
    ["2", "/reject"],
  ])("is reported, and its client over HTTP/%s gets 500: %s", async (httpVersion, path) => {
    await using server = await startListener({
      routes: {
        "/throw": () => {
          throw new Error("boom");
        },
        "/reject": () => Promise.reject(new Error("boom")),
      },
    });
    await using connection = await openHttp2(server.url);
    const status =
      httpVersion === "2"
        ? (await connection.request({ path })).status
        : (await fetchStatus(`${server.url}${path}`)).status;
    expect(status).toBe(500);
    expect(server.errors).toEqual(["handler: boom"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("no log");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("no log"))],
  ])("gets 500 even if reporting it %s, which becomes a process warning", async (_, onError) => {
    const warnings: unknown[] = [];
    const listen = ({ message, detail }: Error & { detail?: string }) =>
      warnings.push([message, detail?.split("\n")[0]]);
    process.on("warning", listen);
    const handler = () => {
      throw new Error("boom");
    };
    await using server = await startListener({ handler, onError });
    for (const httpVersion of ["1.1", "2"] as const) {
      expect((await request(server.url, { httpVersion, path: "/" })).status).toBe(500);
    }
    await using raw = await openRaw(server.url);
    raw.write("no HTTP\r\n\r\n");
    await raw.closed;
    const warning = ["onConnectionError has thrown", "Error: no log"];
    await expect.poll(() => warnings).toEqual(Array(3).fill(warning));
    process.off("warning", listen);
  });

  test("after its head was sent aborts the response", async () => {
    await using server = await startListener({
      handler: (exchange) => {
        exchange.sendHead(200, {});
        exchange.write(Buffer.from("half"));
        throw new Error("boom");
      },
    });
    await using connection = await openHttp2(server.url);
    const stream = connection.begin({ path: "/" });
    const [error] = await once(stream.resume().end(), "error");
    expect(error.message).toMatch(/NGHTTP2_INTERNAL_ERROR/);
    await using raw = await openRaw(server.url);
    raw.write(get("/"));
    await raw.closed;
    expect(raw.text).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

async function fetchStatus(url: string): Promise<{ status: number | undefined }> {
  const call = http.get(url, { agent: false });
  const [response] = await once(call, "response");
  await buffer(response);
  return { status: response.statusCode };
}
