import { describe, expect, test } from "vitest";
import { type Exchange, respond } from "../../server/listen/exchange.js";
import { encodeFrame, frameTypes } from "../support/http2-frames.js";
import { openRaw } from "../support/raw-socket.js";
import { dataFrame, headersFrame, openFrames, startListener } from "./support.js";

const reset = encodeFrame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));

/** Reads a request to its end, and tells in order what its owner is told. */
function record(): {
  events: string[];
  exchange: Promise<Exchange>;
  closed: Promise<void>;
  handler: (x: Exchange) => void;
} {
  const events: string[] = [];
  let resolveExchange: (exchange: Exchange) => void;
  let resolveClosed: () => void;
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
      },
      onEnd: () => events.push("end"),
      onDrain() {},
      onClose() {
        events.push("close");
        resolveClosed();
      },
    });
    found.read();
  };
  return { events, exchange, closed, handler };
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
