import { describe, expect, test } from "vitest";
import { type Exchange, respond } from "../../server/listen/exchange.js";
import { openConnection, request } from "../support/http.js";
import { encodeFrame, frameTypes } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { dataFrame, headersFrame, openFrames, startListener } from "./support.js";

const reset = encodeFrame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));

/** Reads a request to its end, answers it, and tells in order what its owner is told. */
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

describe("a request whose client leaves in the middle of the body", () => {
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

  test("comes to its owner where somebody has asked for Node's own request", async () => {
    const { events, begun, closed, handler } = record();
    await using server = await startListener({
      handler(exchange) {
        expect(exchange.nodeRequest().headers).toHaveProperty(httpVersion === "2" ? ":path" : "host");
        handler(exchange);
      },
    });
    await using _ = await sendParts(server.url, httpVersion, begun);
    await closed;
    expect(events).toEqual(["data 5", "data 6", "end", "close"]);
  });

  test("is answered alike with bytes and with text, beside a header that is not ASCII", async () => {
    const text = "äöü € 😀";
    await using server = await startListener({
      handler(exchange) {
        exchange.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} });
        exchange.read();
        respond(exchange, 200, { "x-name": "Zoë" }, exchange.target === "/text" ? text : Buffer.from(text));
      },
    });
    for (const path of ["/text", "/bytes"]) {
      const answer = await request(server.url, { path, body: "", httpVersion });
      expect(answer.text).toBe(text);
      expect(answer.headers["x-name"]).toBe("Zoë");
    }
  });
});
