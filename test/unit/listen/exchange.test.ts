import { describe, expect, test } from "vitest";
import { type Exchange, type RequestInfo, respond, toRequestInfo } from "../../../server/http/exchange.js";
import { HeaderSizeError } from "../../../server/http/header.js";
import { openConnection, request } from "../../support/http.js";
import { decodeFrames, encodeFrame, frameTypes } from "../../support/http2-frames.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";
import { dataFrame, describeStream, headersFrame, openFrames, startListener, untilFrame } from "./support.js";

const reset = encodeFrame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));

/** Reads a request to its end, responds, and records the calls of its owner. */
function record(onFirst: (exchange: Exchange) => void = () => {}): {
  events: string[];
  /** Resolves when the head has come. */
  begun: Promise<void>;
  exchange: Promise<Exchange>;
  closed: Promise<void>;
  handler: (x: Exchange) => void;
} {
  const events: string[] = [];
  let resolveBegun: () => void;
  let resolveExchange: (exchange: Exchange) => void;
  let resolveClosed: () => void;
  const begun = new Promise<void>((resolve) => {
    resolveBegun = resolve;
  });
  const exchange = new Promise<Exchange>((resolve) => {
    resolveExchange = resolve;
  });
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  const handler = (found: Exchange) => {
    found.attach({
      onData(chunk) {
        events.push(`data ${chunk.length}`);
        resolveExchange(found);
        if (events.length === 1) onFirst(found);
      },
      onEnd() {
        events.push("end");
        respond(found, 200, {});
      },
      onDrain() {},
      onClose() {
        events.push("close");
        resolveClosed();
      },
    });
    found.read();
    resolveBegun();
  };
  return { events, begun, exchange, closed, handler };
}

describe("a request whose client disconnects in the middle of the body", () => {
  test.each(["1.1", "2"] as const)("is not taken for a whole one: HTTP/%s", async (httpVersion) => {
    const { events, exchange, closed, handler } = record();
    await using server = await startListener({ handler });
    await using raw = httpVersion === "2" ? await openFrames(server.url) : await openRaw(server.url);
    if (httpVersion === "2") raw.write(Buffer.concat([headersFrame(1), dataFrame(1, 5)]));
    else raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    await exchange;
    if (httpVersion === "2") raw.write(reset);
    else raw.vanish();
    await closed;
    expect(events).toEqual(["data 5", "close"]);
  });

  test.each(["1.1", "2"] as const)("can be answered without harm: HTTP/%s", async (httpVersion) => {
    const { exchange, closed, handler } = record();
    await using server = await startListener({ handler });
    await using raw = httpVersion === "2" ? await openFrames(server.url) : await openRaw(server.url);
    if (httpVersion === "2") raw.write(Buffer.concat([headersFrame(1), dataFrame(1, 5)]));
    else raw.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    const found = await exchange;
    raw.vanish();
    await closed;
    expect(found.isClosed).toBe(true);
    respond(found, 200, {}, "too late");
    found.cut();
  });
});

const versions = ["1.1", "2"] as const;

/** Sends a request, and once it has begun its body: two parts in one packet. */
async function sendParts(
  url: string,
  httpVersion: (typeof versions)[number],
  begun: Promise<void>,
): Promise<RawSocket> {
  const raw = httpVersion === "2" ? await openFrames(url) : await openRaw(url);
  raw.write(httpVersion === "2" ? headersFrame(1) : "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  await begun;
  if (httpVersion === "2") raw.write(Buffer.concat([dataFrame(1, 5), dataFrame(1, 6, true)]));
  else raw.write("5\r\nddddd\r\n6\r\ndddddd\r\n0\r\n\r\n");
  return raw;
}

describe.each(versions)("the body of a request of HTTP/%s", (httpVersion) => {
  test("waits while its owner pauses, and then comes whole", async () => {
    const { events, begun, closed, handler } = record((exchange) => {
      exchange.pause();
      setTimeout(() => {
        events.push("read");
        exchange.read();
      }, 20);
    });
    await using server = await startListener({ handler });
    await using _ = await sendParts(server.url, httpVersion, begun);
    await closed;
    expect(events.filter((event) => event !== "read" && event !== "close")).toEqual(["data 5", "data 6", "end"]);
    // In HTTP/1.1 and 2 alike the second part was there with the first.
    expect(events.indexOf("read")).toBe(1);
  });

  test.each([
    ["without content", [0]],
    ["of two parts", [5, 6]],
  ])("%s comes to an owner that begins to read late", async (_, parts) => {
    await using server = await startListener({
      handler(exchange) {
        let bytes = 0;
        exchange.attach({
          onData(chunk) {
            bytes += chunk.length;
          },
          onEnd: () => respond(exchange, 200, {}, `${bytes}`),
          onDrain() {},
          onClose() {},
        });
        setTimeout(() => exchange.read(), 20);
      },
    });
    await using connection = openConnection(server.url, httpVersion);
    // The first request of a connection is read otherwise than the others: some of it comes with the preface.
    for (let count = 0; count < 2; count++) {
      const answer = await connection.request({ path: "/", body: parts.map((length) => Buffer.alloc(length)) });
      expect(Number(answer.text)).toBe(parts.reduce((sum, length) => sum + length));
    }
  });

  test("is the same from bytes and from text, beside a header that is not ASCII", async () => {
    const text = "äöü € 😀";
    await using server = await startListener({
      handler(exchange) {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
        exchange.read();
        respond(exchange, 200, { "x-name": "Zoë" }, exchange.path === "/text" ? text : Buffer.from(text));
      },
    });
    for (const path of ["/text", "/bytes"]) {
      const answer = await request(server.url, { path, body: "", httpVersion });
      expect(answer.text).toBe(text);
      expect(answer.headers["x-name"]).toBe("Zoë");
    }
  });
});

describe("an aborted response", () => {
  const half = Buffer.alloc(100_000, "x");
  const cuts: [when: string, handler: (exchange: Exchange) => void][] = [
    ["after its headers", (exchange) => exchange.cut()],
    [
      "after a part of its body",
      (exchange) => {
        exchange.write(half);
        exchange.cut();
      },
    ],
    [
      "after a part of its body has left",
      (exchange) => {
        exchange.write(half.subarray(0, 1000));
        setTimeout(() => exchange.cut(), 20);
      },
    ],
    [
      "after parts that wait for a window",
      (exchange) => {
        for (let count = 0; count < 10; count++) exchange.write(half);
        setTimeout(() => exchange.cut(), 20);
      },
    ],
  ];

  test.each(cuts)("%s is reset with INTERNAL_ERROR on HTTP/2, and its connection lives", async (_, act) => {
    const closed: string[] = [];
    const handler = (exchange: Exchange) => {
      exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => closed.push("closed") });
      exchange.sendHead(200, {});
      act(exchange);
    };
    await using server = await startListener({ routes: { "/": handler } });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { isEnd: true }));
    const { payload } = await untilFrame(raw, ({ type, stream }) => type === frameTypes.rstStream && stream === 1);
    expect(payload.readUInt32BE(0), "INTERNAL_ERROR").toBe(2);
    expect(describeStream(raw, 1).filter((frame) => frame.includes("END"))).toEqual([]);
    raw.write(headersFrame(3, { isEnd: true, path: "/other" }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 3);
    expect(closed).toEqual(["closed"]);
  });

  test.each([
    ["1.1", "HTTP/1.1\r\nHost: a\r\n"],
    ["1.0", "HTTP/1.0\r\n"],
  ])("is incomplete on HTTP/%s, too", async (version, rest) => {
    await using server = await startListener({
      handler(exchange) {
        exchange.sendHead(200, {});
        exchange.write(Buffer.from("half"));
        setTimeout(() => exchange.cut(), 20);
      },
    });
    await using raw = await openRaw(server.url);
    let reset: unknown;
    raw.socket.on("error", (error: NodeJS.ErrnoException) => {
      reset = error.code;
    });
    raw.write(`GET / ${rest}\r\n`);
    await raw.closed;
    expect(raw.text).toContain("half");
    expect(raw.text).not.toContain("0\r\n\r\n");
    // Without chunks, the end of the connection would be the end of the response.
    if (version === "1.0") expect(reset).toBe("ECONNRESET");
  });
});

describe.each(versions)("response headers and trailers over the limit, on HTTP/%s,", (httpVersion) => {
  const large = { "x-large": "x".repeat(64_000) };
  const many = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`x-${index}`, "x".repeat(60)]));
  const most = { "x-most": "x".repeat(64_000 - 32 - 6) };

  test.each([
    ["in one field", large],
    ["in many fields", many],
  ])("%s are refused before anything is sent", async (_, headers) => {
    const thrown: unknown[] = [];
    const attempt = (act: () => void) => {
      try {
        act();
      } catch (error) {
        thrown.push(error);
      }
    };
    await using server = await startListener({
      routes: {
        "/head"(exchange) {
          attempt(() => exchange.sendHead(200, headers));
          attempt(() => exchange.sendHeadOnly(200, headers));
          respond(exchange, 500, {}, "too large");
        },
        "/trailers"(exchange) {
          exchange.sendHead(200, {}, true);
          attempt(() => exchange.end("body", headers));
          exchange.end("body", { "x-small": "1" });
        },
      },
    });
    await using connection = openConnection(server.url, httpVersion);
    expect(await connection.request({ path: "/head" })).toMatchObject({ status: 500, text: "too large" });
    const answer = await connection.request({ path: "/trailers", headers: { te: "trailers" } });
    expect(answer).toMatchObject({ status: 200, text: "body" });
    expect(thrown).toEqual([expect.any(HeaderSizeError), expect.any(HeaderSizeError), expect.any(HeaderSizeError)]);
  });

  test("up to the limit are sent", async () => {
    await using server = await startListener({ handler: (exchange) => exchange.sendHeadOnly(200, most) });
    await using raw = httpVersion === "2" ? await openFrames(server.url) : await openRaw(server.url);
    raw.write(httpVersion === "2" ? headersFrame(1, { isEnd: true }) : "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // Node's own clients take fewer.
    await raw.untilBytes(48_000);
  });
});

test("response headers of over 64,000 bytes are sent to a client that has announced that it takes them", async () => {
  const announced = Buffer.from([0, 6, 0, 4, 0, 0]);
  await using server = await startListener({
    handler: (exchange) => respond(exchange, 200, { "x-large": "x".repeat(200_000) }),
  });
  await using raw = await openFrames(server.url, announced);
  raw.write(headersFrame(1, { isEnd: true }));
  const isDone = ({ type }: { type: number }) => type === frameTypes.data;
  await untilFrame(raw, isDone);
  const frames = decodeFrames(raw.received).filter(({ stream }) => stream === 1);
  expect(frames.map(({ type }) => type)).toEqual([
    frameTypes.headers,
    ...Array(12).fill(frameTypes.continuation),
    frameTypes.data,
  ]);
});

test("response headers over the limit that the client has announced are refused, and no others", async () => {
  await using server = await startListener({
    handler: (exchange) =>
      respond(exchange, 200, { "x-large": "x".repeat(9000), "x-limit": `${exchange.maxHeaderBytes}` }),
  });
  const settings = Buffer.from([0, 6, 0, 0, 0x20, 0]);
  await using raw = await openFrames(server.url);
  raw.write(encodeFrame(frameTypes.settings, 0, 0, settings));
  raw.write(headersFrame(1, { isEnd: true }));
  await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 1);
  expect(server.errors).toEqual([
    expect.stringMatching(/^handler: response headers: expected at most 8192 bytes, found 9\d\d\d$/),
  ]);
  await using other = await openFrames(server.url);
  other.write(headersFrame(1, { isEnd: true }));
  await untilFrame(other, ({ type, stream }) => type === frameTypes.headers && stream === 1);
  expect(server.errors).toHaveLength(1);
});

describe.each(["1.1", "2"] as const)("the head of a request on HTTP/%s", (httpVersion) => {
  test.each([
    ["/a/../b", "/a/../b", null],
    ["/a?b=c", "/a", "b=c"],
    ["/a?", "/a", ""],
    ["/a?b?c", "/a", "b?c"],
    ["//a%2Fb?%zz", "//a%2Fb", "%zz"],
  ])("has path and query as they were sent, and no pseudo-header: %s", async (target, path, query) => {
    await using server = await startListener({
      handler(exchange) {
        const pseudoHeaders = Object.keys(exchange.headers).filter((name) => name.startsWith(":"));
        const { method, scheme, path, query = null } = exchange;
        respond(exchange, 200, {}, JSON.stringify({ method, scheme, path, query, pseudoHeaders }));
      },
    });
    const { text } = await request(server.url, { path: target, body: "", httpVersion });
    expect(JSON.parse(text)).toEqual({ method: "POST", scheme: "http", path, query, pseudoHeaders: [] });
  });
});

describe("the head of a request for applications", () => {
  const h1 = (version: string) => `POST /a?b=c HTTP/${version}\r\nHost: localhost\r\nX-A: 1\r\nx-a: 2\r\n\r\n`;
  const rawHeaders = ["Host", "localhost", "X-A", "1", "x-a", "2"];

  test.each<[bytes: string | undefined, expected: Partial<RequestInfo>]>([
    [h1("1.0"), { httpVersion: "1.0", rawHeaders }],
    [h1("1.1"), { httpVersion: "1.1", rawHeaders }],
    [undefined, { httpVersion: "2.0", rawHeaders: ["x-a", "1, 2"] }],
  ])("has the version and the headers as they were sent: %j", async (bytes, expected) => {
    let info: RequestInfo | undefined;
    await using server = await startListener({
      handler(exchange) {
        info = toRequestInfo(exchange);
        respond(exchange, 200, {});
      },
    });
    await using raw = bytes === undefined ? await openFrames(server.url) : await openRaw(server.url);
    const more: [string, string][] = [
      ["x-a", "1"],
      ["x-a", "2"],
    ];
    raw.write(bytes ?? headersFrame(1, { path: "/a?b=c", isEnd: true, more }));
    await expect.poll(() => info).toMatchObject({ method: "POST", url: "/a?b=c", ...expected });
    expect(info?.headers["x-a"]).toBe("1, 2");
  });
});
