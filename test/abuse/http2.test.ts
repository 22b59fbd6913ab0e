// What can be done to a server with frames of HTTP/2 that are each allowed, and too many or out of season together.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { callFields, callHead, cancel, data, grant, opening, wholeData } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { decodeFrames, encodeFrame, encodeHeaders, frameFlags, frameTypes } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { quick, useVictim } from "./victim.js";

const victim = useVictim({});

const streamPath = "/manywire.test.v1.TestService/ServerStream";
const odd = (count: number) => Array.from({ length: count }, (_, index) => 2 * index + 1);
const settings = (payload: Buffer) => encodeFrame(frameTypes.settings, 0, 0, payload);
const ping = encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8));
const table = Buffer.from([0, 1, 0, 0, 16, 0]);

/** Writes everything as fast as it is taken, until the server takes no more. */
async function flood({ socket }: RawSocket, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    const drained = new Promise((resolve) => socket.once("drain", () => resolve(true)));
    if (!(await Promise.race([drained, delay(3000, false)]))) return;
  }
}

/** Whether the server still acknowledges a PING on the connection. */
async function isServed(socket: RawSocket): Promise<boolean> {
  const mark = Buffer.from("served??");
  socket.write(encodeFrame(frameTypes.ping, 0, 0, mark));
  const answer = encodeFrame(frameTypes.ping, frameFlags.ack, 0, mark);
  const isAnswered = socket.until(new RegExp(answer.toString("latin1").replaceAll("?", "\\?"), "s")).then(
    () => true,
    () => false,
  );
  return Promise.race([isAnswered, delay(2000, false)]);
}

test.each([
  ["3,000 PINGs", Array(3000).fill(ping)],
  ["3,000 SETTINGS", Array(3000).fill(settings(table))],
  ["3,000 empty SETTINGS", Array(3000).fill(settings(Buffer.alloc(0)))],
  ["3,000 WINDOW_UPDATEs", Array(3000).fill(grant(0, 1))],
  ["3,000 PRIORITYs", odd(3000).map((id) => encodeFrame(frameTypes.priority, 0, id, Buffer.alloc(5, 3)))],
  ["3,000 frames of an unknown type", Array(3000).fill(encodeFrame(0xee, 0xff, 0, Buffer.alloc(100)))],
])("%s get a response or a reset, and leave nothing behind", async (_, frames) => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    await flood(socket, [opening(), ...frames]);
    await isServed(socket);
  });
});

test.each([
  ["3,000 PINGs", Array(3000).fill(ping)],
  ["3,000 SETTINGS", Array(3000).fill(settings(table))],
])("%s from a client that reads nothing end its connection", async (_, frames) => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    socket.socket.pause();
    await flood(socket, [opening(), ...frames]);
  });
});

describe("a budget of 1,000 resets", () => {
  const strict = useVictim({ limits: { ...quick, resetBurst: 1000, resetsPerSecond: 33 } });

  test.each([
    ["at once", odd(1500).map((id) => Buffer.concat([callHead(id), cancel(id)]))],
    ["with a body", odd(1500).map((id) => Buffer.concat([callHead(id), data(id, Buffer.alloc(100)), cancel(id)]))],
    ["of a stream", odd(1500).map((id) => Buffer.concat([callHead(id, { ":path": streamPath }), cancel(id)]))],
  ])("1,500 calls that are reset %s end the connection", async (_, frames) => {
    await strict.withstand(async (url) => {
      await using socket = await openRaw(url);
      await flood(socket, [opening(), ...frames]);
      expect(await isServed(socket)).toBe(false);
    });
  });
});

test.each([
  ["that is unknown", { ":path": "/nowhere" }],
  ["to an unknown method", { ":path": "/manywire.test.v1.TestService/Nothing", "content-type": "application/grpc" }],
  ["with a bad authority", { ":authority": "x:99999" }],
  ["to a path of two slashes", { ":path": "//" }],
  ["with a content type of no protocol", { "content-type": "text/html" }],
  ["by a wrong verb", { ":method": "GET" }],
  ["with an expectation", { expect: "100-continue" }],
  ["with an unknown expectation", { expect: "the unexpected" }],
  ["for a tunnel", { ":method": "CONNECT" }],
  ["for health", { ":method": "GET", ":path": "/healthz" }],
  ["with a deadline that is none", { "content-type": "application/grpc", "grpc-timeout": "soon" }],
  ["with an unknown compression", { "content-encoding": "x" }],
])("a request %s may be reset in the packet that brings it", async (_, fields) => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    for (const end of [0, frameFlags.endStream]) {
      const head = end === 0 ? callHead(1, fields) : callHead(3, fields, end);
      socket.write(Buffer.concat([...(end === 0 ? [opening()] : []), head, cancel(end === 0 ? 1 : 3)]));
    }
    expect(await isServed(socket)).toBe(true);
  });
});

test.each([
  ["with an end", 20, frameFlags.endHeaders],
  ["without an end", 20, 0],
])("HEADERS with 200 KB in CONTINUATIONs %s are refused", async (_, count, last) => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    const fields = encodeHeaders([["x-long", "x".repeat(10_000)]]);
    await flood(socket, [
      opening(),
      encodeFrame(frameTypes.headers, frameFlags.endStream, 1, encodeHeaders(callFields())),
      ...Array(count - 1).fill(encodeFrame(frameTypes.continuation, 0, 1, fields)),
      encodeFrame(frameTypes.continuation, last, 1, fields),
    ]);
    await isServed(socket);
    expect(decodeFrames(socket.received).filter(({ type }) => type === frameTypes.headers)).toEqual([]);
  });
});

test("10,000 empty CONTINUATIONs end the connection", async () => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    const first = encodeFrame(frameTypes.headers, 0, 1, encodeHeaders(callFields()));
    await flood(socket, [opening(), first, ...Array(10_000).fill(encodeFrame(frameTypes.continuation, 0, 1))]);
    await socket.closed;
  });
});

test("a table of headers that refers to itself 16,000 times a frame is refused", async () => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    // A field of 4,000 bytes with indexing (RFC 7541 section 6.2.1), then that field from the table again and again.
    const name = Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]);
    const bomb = Buffer.concat([name, Buffer.alloc(4000, 0x62), Buffer.alloc(12_000, 0xbe)]);
    await flood(socket, [
      opening(),
      ...odd(50).flatMap((id) => [
        encodeFrame(frameTypes.headers, frameFlags.endHeaders | frameFlags.endStream, id, bomb),
      ]),
    ]);
    await isServed(socket);
  });
});

// Requests in binary, for JSON has long work with so many bytes: field 3 is the count, field 6 the bytes of a reply.
test.each([
  ["unary", { "content-type": "application/proto" }, Buffer.from([0x30, 0xa0, 0x8d, 0x06])],
  [
    "server-streaming",
    { ":path": streamPath, "content-type": "application/grpc" },
    envelope(Buffer.from([0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x30, 0xe8, 0x07])),
  ],
])("200 calls of a client with windows of zero wait for it, %s", async (kind, fields, body) => {
  const mostMegabytes = kind === "unary" ? 96 : 64;
  await victim.withstand(
    async (url) => {
      await using socket = await openRaw(url);
      const calls = odd(200).flatMap((id) => [callHead(id, fields), wholeData(id, body)]);
      await flood(socket, [opening([[4, 0]]), ...calls]);
      expect(await isServed(socket)).toBe(true);
      await delay(200);
    },
    { peakBytes: mostMegabytes * 1024 * 1024 },
  );
});

test("a call of a client that opens and shuts its window gets its response", async () => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    await flood(socket, [opening([[4, 0]]), callHead(1), wholeData(1, Buffer.from('{"replyBytes":1000}'))]);
    for (let step = 0; step < 700; step++) socket.write(grant(1, 1));
    for (const size of [0, 1, 0, 1_000_000, 0]) socket.write(settings(Buffer.from([0, 4, ...uint32(size)])));
    for (let step = 0; step < 700; step++) socket.write(grant(1, 1));
    // What comes in many frames is one text without their heads.
    const text = async () =>
      Buffer.concat(
        decodeFrames(socket.received).map(({ type, payload }) => (type === 0 ? payload : Buffer.alloc(0))),
      ).toString();
    await expect.poll(text).toBe(JSON.stringify({ data: Buffer.alloc(1000).toString("base64") }));
  });
});

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

test.each([
  ["a window over 2^31 - 1", Buffer.concat([opening(), grant(0, 0x7fffffff)])],
  ["a window update of zero", Buffer.concat([opening(), grant(0, 0)])],
  ["DATA on stream 0", Buffer.concat([opening(), data(0, Buffer.alloc(1))])],
  ["DATA on an idle stream", Buffer.concat([opening(), data(5, Buffer.alloc(1))])],
  ["HEADERS on an even stream", Buffer.concat([opening(), callHead(2)])],
  ["PUSH_PROMISE", Buffer.concat([opening(), encodeFrame(frameTypes.pushPromise, 4, 1, Buffer.alloc(10))])],
  ["CONTINUATION without HEADERS", Buffer.concat([opening(), encodeFrame(frameTypes.continuation, 4, 1)])],
  ["a frame instead of CONTINUATION", Buffer.concat([opening(), encodeFrame(1, 0, 1), ping])],
  ["a frame of 16 MB", Buffer.concat([opening(), Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])])],
  ["HPACK that is none", Buffer.concat([opening(), encodeFrame(1, 5, 1, Buffer.alloc(100, 0xff))])],
  ["a first frame that is not SETTINGS", Buffer.concat([opening().subarray(0, 24), ping])],
  ["SETTINGS of 5 bytes", Buffer.concat([opening(), settings(Buffer.alloc(5))])],
  ["SETTINGS of 100 entries", Buffer.concat([opening(), settings(Buffer.alloc(600))])],
  ["padding longer than its frame", Buffer.concat([opening(), callHead(1), data(1, Buffer.of(255, 0), 8)])],
])("a connection that sends %s ends", async (_, bytes) => {
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    socket.write(bytes);
    await socket.closed;
  });
});

test.each([
  ["no error", 0],
  ["an error", 2],
])("calls behind a GOAWAY of %s get a response or a reset", async (_, code) => {
  const payload = Buffer.from([0, 0, 0, 0, 0, 0, 0, code]);
  const goaway = encodeFrame(frameTypes.goaway, 0, 0, payload);
  const calls = odd(3).flatMap((id) => [callHead(id), data(id, Buffer.from("{}"), frameFlags.endStream)]);
  await victim.withstand(async (url) => {
    await using socket = await openRaw(url);
    socket.write(Buffer.concat([opening(), goaway, ...calls]));
    await socket.closed;
  });
});
