import { describe, expect, test } from "vitest";
import { respond, targetOf } from "../../../server/http/exchange.js";
import { type RawRequest, request } from "../../support/http.js";
import { encodeFrame, frameFlags, frameTypes } from "../../support/http2-frames.js";
import { openRaw } from "../../support/raw-socket.js";
import {
  dataFrame,
  describeStream,
  type HeadersOptions,
  headersFrame,
  openFrames,
  startListener,
  startNeighbour,
  untilFrame,
} from "./support.js";

const good = "GET /good HTTP/1.1\r\nHost: localhost\r\n\r\n";

const refused1: [head: string, fault: string][] = [
  ["GET / HTTP/1.1\r\nHost: x:99999", "bad Host"],
  ["GET / HTTP/1.1\r\nHost: a b", "bad Host"],
  ["GET / HTTP/1.1\r\nHost:", "bad Host"],
  ["GET / HTTP/1.1\r\nHost: user@host", "bad Host"],
  ["GET / HTTP/1.1\r\nHost: b\xfccher", "bad Host"],
  ["GET / HTTP/1.1", "no Host"],
  ["GET / HTTP/1.1\r\nHost: a\r\nHost: a", "more than one Host"],
  ["GET / HTTP/1.1\r\nHost: a\r\nhOsT: b", "more than one Host"],
  ["GET http://x/ HTTP/1.1", "no Host"],
  ["GET * HTTP/1.1\r\nHost: a", "bad request target"],
  ["GET http://x:99999/ HTTP/1.1\r\nHost: a", "bad request target"],
  ["GET http:///x HTTP/1.1\r\nHost: a", "bad request target"],
  ["GET http://?x HTTP/1.1\r\nHost: a", "bad request target"],
  ["GET http://user@x/ HTTP/1.1\r\nHost: a", "bad request target"],
  ["GET ftp://x/ HTTP/1.1\r\nHost: a", "bad request target"],
];

describe("a request of HTTP/1.1", () => {
  test.each(refused1)("%j gets 400, %s, and the connection stays usable", async (head, fault) => {
    await using server = await startListener();
    await using _neighbour = await startNeighbour(server.url, "1.1");
    await using raw = await openRaw(server.url);
    raw.write(Buffer.from(`${head}\r\n\r\n`, "latin1"));
    const [, status, text] = await raw.until(/^HTTP\/1\.1 (\d+) [\s\S]*\r\n\r\n(.*)\n$/);
    expect([status, text]).toEqual(["400", fault]);
    raw.write(good);
    await raw.until(/GET \/good 0$/);
  });

  test("with a body gets its rejection, and the connection stays usable", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write("POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 5\r\n\r\n");
    await raw.until(/bad Host\n$/);
    raw.write(`hello${good}`);
    await raw.until(/GET \/good 0$/);
  });

  test("of version 1.0 needs no Host, but one that it has is to be good", async () => {
    await using server = await startListener({
      routes: { "/good": (exchange) => respond(exchange, 200, {}, `at ${exchange.authority}`) },
    });
    for (const [host, end] of [
      ["", /^HTTP\/1\.1 200 [\s\S]*at localhost$/],
      ["Host: x\r\n", /^HTTP\/1\.1 200 [\s\S]*at x$/],
      ["Host: a b\r\n", /^HTTP\/1\.1 400 [\s\S]*bad Host\n$/],
    ] as const) {
      await using raw = await openRaw(server.url);
      raw.write(`GET /good HTTP/1.0\r\n${host}\r\n`);
      await raw.closed;
      expect(raw.text).toMatch(end);
    }
  });

  test.each([
    ["http://example.com:81/a?b=c", "/a?b=c", "example.com:81"],
    ["HTTPS://Example.com:443/", "/", "Example.com:443"],
    ["http://x", "/", "x"],
    ["http://x?a=/b", "/?a=/b", "x"],
    ["http://x//y", "//y", "x"],
    ["http://x/a/%2e%2e/healthz", "/a/%2e%2e/healthz", "x"],
    ["http://x/a/../b/./c", "/a/../b/./c", "x"],
    ["http://x/a\\b", "/a\\b", "x"],
    ["http://[::1]:80/a", "/a", "[::1]:80"],
  ])(
    "in absolute form keeps its dot segments, and its host replaces the Host header: %s",
    async (form, target, host) => {
      await using server = await startListener({
        handler: (exchange) => respond(exchange, 200, {}, `${targetOf(exchange)} at ${exchange.authority}\n`),
      });
      await using raw = await openRaw(server.url);
      raw.write(`GET ${form} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const [, found] = await raw.until(/\r\n\r\n(.*)\n$/);
      expect(found).toBe(`${target} at ${host}`);
    },
  );

  test("with Upgrade is served as one without, and the connection stays usable", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    raw.write(`GET /a HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n${good}`);
    await raw.until(/^HTTP\/1\.1 200 OK\r\n[\s\S]*GET \/a 0[\s\S]*GET \/good 0$/);
  });

  test("CONNECT gets 405, and the connection is closed", async () => {
    await using server = await startListener();
    await using raw = await openRaw(server.url);
    raw.write("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
    await raw.closed;
    expect(raw.text).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
    expect(raw.text).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
  });
});

const refused2: [options: HeadersOptions, fault: string][] = [
  [{ authority: "x:99999" }, "bad Host"],
  [{ authority: "%2Frun%2Fsock" }, "bad Host"],
  [{ authority: undefined, more: [["host", "x:99999"]] }, "bad Host"],
  [{ authority: undefined }, "no Host"],
  [{ authority: "a b" }, "bad Host"],
  [{ authority: "" }, "no Host"],
];

/** What is malformed in HTTP/2 (RFC 9113 section 8.1.1). */
const reset2: [options: HeadersOptions, reason: string][] = [
  [{ path: "http://x/" }, "an absolute path"],
  [{ path: "*" }, "an asterisk without OPTIONS"],
  [{ path: "" }, "an empty path"],
  [{ path: undefined }, "no path"],
  [{ more: [["Upper", "case"]] }, "a name in upper case"],
  [{ more: [["connection", "close"]] }, "a header of connections"],
];

describe.each(["1.1", "2"] as const)("on HTTP/%s", (httpVersion) => {
  test("OPTIONS * gets 204, and paths that begin with two slashes reach the handler", async () => {
    await using server = await startListener();
    await using raw = await (httpVersion === "2" ? openFrames(server.url) : openRaw(server.url));
    if (httpVersion === "2") {
      raw.write(headersFrame(1, { method: "OPTIONS", path: "*", isEnd: true }));
      await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 1);
      expect(describeStream(raw, 1)).toEqual(["HEADERS END"]);
    } else {
      raw.write("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await raw.until(/^HTTP\/1\.1 204 No Content\r\n[\s\S]*\r\n\r\n$/);
    }
    for (const path of ["//x:99999", "//", "/\\x", "//pkg.S/M"]) {
      expect((await request(server.url, { httpVersion, path, method: "GET" })).text).toBe(`GET ${path} 0`);
    }
  });

  test.each<[what: string, options: RawRequest]>([
    ["OPTIONS *", { method: "OPTIONS", path: "*" }],
    ["a bad Host", { path: "/", headers: { host: "x:99999" } }],
    ["an unknown expectation", { path: "/", headers: { expect: "a miracle" } }],
    ["a handler that throws", { path: "/throw" }],
  ])("the response to %s has nosniff", async (_, options) => {
    const routes = {
      "/throw"() {
        throw new Error("thrown");
      },
    };
    await using server = await startListener({ routes });
    const { headers } = await request(server.url, { httpVersion, ...options });
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff" });
  });
});

const isBodyEnd = (stream: number) => (frame: { type: number; flags: number; stream: number }) =>
  frame.stream === stream && frame.type === frameTypes.data && (frame.flags & frameFlags.endStream) !== 0;

describe("a request of HTTP/2", () => {
  test.each(refused2)("with %o gets 400, %s, and the connection stays usable", async (options, fault) => {
    await using server = await startListener();
    await using _neighbour = await startNeighbour(server.url, "2");
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { ...options, isEnd: true }));
    const { payload } = await untilFrame(raw, isBodyEnd(1));
    expect(payload.toString()).toBe(`${fault}\n`);
    raw.write(headersFrame(3, { path: "/good", isEnd: true }));
    expect((await untilFrame(raw, isBodyEnd(3))).payload.toString()).toBe("POST /good 0");
  });

  test.each(reset2)("with %o is refused by a reset, and the connection stays usable: %s", async (options) => {
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { ...options, isEnd: true }));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.rstStream && stream === 1);
    raw.write(headersFrame(3, { path: "/good", isEnd: true }));
    await untilFrame(raw, isBodyEnd(3));
    expect(describeStream(raw, 1)).toEqual(["RST_STREAM 1"]);
  });

  test.each<[string, Buffer]>([
    ["for a handler", headersFrame(1)],
    ["with an invalid authority", headersFrame(1, { authority: "x:99999" })],
    ["with Expect: 100-continue", headersFrame(1, { more: [["expect", "100-continue"]] })],
    ["with another expectation", headersFrame(1, { more: [["expect", "a miracle"]] })],
    ["by CONNECT", withoutScheme(headersFrame(1, { method: "CONNECT", path: undefined }))],
  ])("%s may be reset in the same breath", async (_what, headers) => {
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    const reset = encodeFrame(frameTypes.rstStream, 0, 1, Buffer.from([0, 0, 0, 8]));
    raw.write(Buffer.concat([headers, reset, headersFrame(3, { path: "/good", isEnd: true })]));
    expect((await untilFrame(raw, isBodyEnd(3))).payload.toString()).toBe("POST /good 0");
  });

  test("may name its host by Host alone", async () => {
    await using server = await startListener({
      routes: { "/": (exchange) => respond(exchange, 200, {}, exchange.authority) },
    });
    await using raw = await openFrames(server.url);
    raw.write(headersFrame(1, { authority: undefined, more: [["host", "example.com:81"]], isEnd: true }));
    expect((await untilFrame(raw, isBodyEnd(1))).payload.toString()).toBe("example.com:81");
  });

  test("CONNECT gets 405, and the connection stays usable", async () => {
    await using server = await startListener();
    await using raw = await openFrames(server.url);
    const connect = headersFrame(1, { method: "CONNECT", path: undefined, isEnd: true });
    raw.write(withoutScheme(connect));
    await untilFrame(raw, ({ type, stream }) => type === frameTypes.headers && stream === 1);
    raw.write(headersFrame(3));
    raw.write(dataFrame(3, 5, true));
    expect((await untilFrame(raw, isBodyEnd(3))).payload.toString()).toBe("POST / 5");
  });
});

/** CONNECT has neither path nor scheme. */
function withoutScheme(frame: Buffer): Buffer {
  const scheme = Buffer.from("\0\x07:scheme\x04http", "latin1");
  const at = frame.indexOf(scheme);
  const rest = Buffer.concat([frame.subarray(0, at), frame.subarray(at + scheme.length)]);
  rest.writeUIntBE(rest.length - 9, 0, 3);
  return rest;
}

describe.each(["1.1", "2"] as const)("over HTTP/%s", (httpVersion) => {
  test("Expect: 100-continue gets its interim response and then the response", async () => {
    await using server = await startListener();
    const headers = { expect: "100-continue" };
    const answer = await request(server.url, { httpVersion, path: "/a", body: "hello", headers });
    expect([answer.status, answer.text]).toEqual([200, "POST /a 5"]);
  });

  test("an unknown expectation gets 417", async () => {
    await using server = await startListener();
    const answer = await request(server.url, { httpVersion, path: "/a", headers: { expect: "a miracle" } });
    expect(answer.status).toBe(417);
  });
});
