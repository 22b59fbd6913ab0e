import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, brotliDecompressSync, constants, createGunzip, gunzipSync, gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { setCompression } from "../../../server/index.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { answerOf, beginRequest, openHttp2 } from "../../support/http.js";
import { openRaw } from "../../support/raw-socket.js";
import { json, type RestServiceImpl, send, startRestServer, versions } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

async function start(implementation: RestServiceImpl = {}, options: TestServerOptions = {}) {
  const server = await startRestServer(implementation, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Yields so many replies, then fails. */
function failing(after: number): RestServiceImpl {
  return {
    async *serverStream() {
      for (let number = 0; number < after; number++) yield create(EverythingSchema, { number: BigInt(number) });
      throw new ConnectError("no more", Code.NotFound);
    },
  };
}

/** Something to wait for. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const status = '{"code":5,"message":"no more","details":[]}';
const events = { accept: "text/event-stream" };
const lines = { accept: "application/x-ndjson" };
const end = "event: end\nid: end-of-stream\ndata: {}\n\n";

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  test.each([
    [undefined, "application/json", '[{"text":"a"},{"text":"a","number":"1"}]'],
    ["*/*", "application/json", '[{"text":"a"},{"text":"a","number":"1"}]'],
    ["text/html, application/json", "application/json", '[{"text":"a"},{"text":"a","number":"1"}]'],
    ["application/x-ndjson", "application/x-ndjson", '{"text":"a"}\n{"text":"a","number":"1"}\n'],
    ["application/jsonl", "application/x-ndjson", '{"text":"a"}\n{"text":"a","number":"1"}\n'],
    ["text/event-stream", "text/event-stream", `data: {"text":"a"}\n\ndata: {"text":"a","number":"1"}\n\n${end}`],
    [
      "application/json;q=0.5, text/event-stream",
      "text/event-stream",
      `data: {"text":"a"}\n\ndata: {"text":"a","number":"1"}\n\n${end}`,
    ],
  ])("Accept: %s gets %s", async (accept, type, text) => {
    const server = await start();
    const headers = accept === undefined ? {} : { accept };
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a?number=2", headers });
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, type, text]);
    expect(answer.headers.vary).toBe("Accept-Encoding");
  });

  test.each([
    [{}, 0, 404, status],
    [events, 0, 404, status],
    [lines, 0, 404, status],
    [{}, 1, 200, `[{},{"error":${status}}]`],
    [lines, 1, 200, `{}\n{"error":${status}}\n`],
    [events, 1, 200, `data: {}\n\nevent: error\nid: end-of-stream\ndata: ${status}\n\n`],
  ])("with %o, an error after %i replies has the status %i", async (headers, after, expected, text) => {
    const server = await start(failing(after));
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a", headers });
    expect([answer.status, answer.text]).toEqual([expected, text]);
    expect(server.finished.map(({ protocol, code }) => [protocol, code])).toEqual([["rest", Code.NotFound]]);
  });

  test.each([
    [{}, "[]"],
    [lines, ""],
    [events, end],
  ])("with %o, a stream without replies is empty", async (headers, text) => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a", headers });
    expect([answer.status, answer.text]).toEqual([200, text]);
  });

  test("events forbid caching and buffering, and the handler gets the last event id", async () => {
    let last: string | null = null;
    const server = await start({
      async *serverStream(_, { requestHeader }) {
        last = requestHeader.get("last-event-id");
        yield {};
      },
    });
    const headers = { ...events, "last-event-id": "7" };
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a", headers });
    expect([answer.headers["cache-control"], answer.headers["x-accel-buffering"], last]).toEqual([
      "no-cache",
      "no",
      "7",
    ]);
  });

  test("a reader of events that has had the end gets 204, and no other reader does", async () => {
    let calls = 0;
    const server = await start({
      async *serverStream() {
        calls++;
        yield {};
      },
      clientStream: async () => ({ text: "a" }),
    });
    const path = "/v1/server-stream/a";
    const after = { "last-event-id": "end-of-stream" };
    for (const method of ["GET", "HEAD"]) {
      const ended = await send(server.url, { httpVersion, method, path, headers: { ...events, ...after } });
      expect([ended.status, ended.text, ended.headers["content-type"]]).toEqual([204, "", undefined]);
    }
    expect(calls).toBe(0);
    for (const headers of [after, { ...lines, ...after }, { ...events, "last-event-id": "end-of-streams" }, events]) {
      expect((await send(server.url, { httpVersion, path, headers })).status).toBe(200);
    }
    const one = { httpVersion, path: "/v1/client-stream", body: "[]", headers: { ...events, ...after } };
    const answer = await send(server.url, one);
    expect([answer.status, answer.headers["content-type"], json(answer)]).toEqual([
      200,
      "application/json",
      { text: "a" },
    ]);
  });

  test("every reply is sent at once, also compressed", async () => {
    const next = gate();
    const server = await start({
      async *serverStream() {
        yield { text: "a" };
        await next.opened;
        yield { text: "b" };
      },
    });
    const connection = await openHttp2(server.url);
    onTestFinished(() => connection[Symbol.asyncDispose]());
    const stream = connection.begin({
      method: "GET",
      path: "/v1/server-stream/a",
      headers: { ...lines, "accept-encoding": "gzip" },
    });
    const text = stream.pipe(createGunzip()).setEncoding("utf8");
    const [first] = await once(text, "data");
    expect(first).toBe('{"text":"a"}\n');
    next.open();
    const [second] = await once(text, "data");
    expect(second).toBe('{"text":"b"}\n');
    await once(text, "end");
  });

  test.each([
    ["gzip", gunzipSync],
    ["br", brotliDecompressSync],
  ] as const)("a stream is compressed by %s", async (name, decompress) => {
    const server = await start();
    const headers = { ...lines, "accept-encoding": name };
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a?number=2000", headers });
    expect(answer.headers["content-encoding"]).toBe(name);
    expect(decompress(answer.body).toString().split("\n")).toHaveLength(2001);
  });

  test.each([
    ["with compressResponses: false", { compressResponses: false }, undefined],
    ["unless its handler says so", {}, false],
  ] as const)("a stream is not compressed %s", async (_, options, choice) => {
    const server = await start(
      {
        async *serverStream(_, context) {
          if (choice !== undefined) setCompression(context, choice);
          yield { text: "a".repeat(5000) };
        },
      },
      options,
    );
    const headers = { ...lines, "accept-encoding": "gzip" };
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a", headers });
    expect([answer.headers["content-encoding"], answer.text.length]).toEqual([undefined, 5012]);
  });

  test("trailers of a stream come where they are asked for", async () => {
    const server = await start({
      async *serverStream(_, { responseTrailer, responseHeader }) {
        responseHeader.set("x-first", "f");
        yield {};
        responseTrailer.set("x-last", "l");
      },
    });
    const path = "/v1/server-stream/a";
    const asked = await send(server.url, { httpVersion, path, headers: { te: "trailers" } });
    expect([asked.headers["x-first"], asked.trailers["x-last"]]).toEqual(["f", "l"]);
    const plain = await send(server.url, { httpVersion, path });
    expect([plain.headers["x-first"], plain.trailers["x-last"]]).toEqual(["f", undefined]);
  });

  test("headers of a stream can be set until its first reply, even if they are sent with the second", async () => {
    const server = await start({
      async *serverStream(_, { responseHeader }) {
        responseHeader.set("x-early", "e");
        yield {};
        responseHeader.set("x-late", "l");
        yield {};
      },
    });
    for (const headers of [{}, lines, events]) {
      const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a", headers });
      expect([answer.headers["x-early"], answer.headers["x-late"]]).toEqual(["e", undefined]);
    }
  });

  test("HEAD of an endless stream gets a response, and ends its handler", async () => {
    const left = gate();
    const server = await start({
      async *serverStream() {
        try {
          for (;;) yield {};
        } finally {
          left.open();
        }
      },
    });
    const answer = await send(server.url, { httpVersion, method: "HEAD", path: "/v1/server-stream/a", headers: lines });
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, "application/x-ndjson", ""]);
    await left.opened;
  });

  test.each([{}, { "accept-encoding": "gzip" }, { "accept-encoding": "br" }])(
    "with %o, a slow reader slows the handler, and one that leaves ends it",
    async (headers) => {
      let count = 0;
      const left = gate();
      const server = await start({
        async *serverStream() {
          try {
            for (;;) {
              count += 1;
              // What does not shrink.
              yield { data: randomBytes(4000) };
            }
          } finally {
            left.open();
          }
        },
      });
      await using socket = await openSlow(server.url, httpVersion, { ...lines, ...headers });
      const settled = await untilStill(() => count);
      expect(settled).toBeLessThan(5000);
      socket.vanish();
      await left.opened;
      expect(server.finished.map(({ protocol }) => protocol)).toEqual(["rest"]);
    },
  );

  test.each([
    ["application/json", '[{"text":"a"}, {"text":"b"}]', ["a", "b"]],
    ["application/json", " [ ] ", []],
    ["application/json", "[]", []],
    ["application/x-ndjson", '{"text":"a"}\n{"text":"b"}\n', ["a", "b"]],
    ["application/x-ndjson", '\r\n{"text":"a"}\r\n\n{"text":"b"}', ["a", "b"]],
    ["application/jsonl; charset=utf-8", '{"text":"]}\\"é"}', [']}"é']],
    ["application/x-ndjson", "", []],
  ])("a client stream of %s as %j is read, split anywhere", async (type, text, words) => {
    const server = await start();
    const bytes = Buffer.from(text);
    for (const size of [1, 7, 1000]) {
      const body = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const answer = await send(server.url, {
        httpVersion,
        path: "/v1/client-stream",
        body,
        headers: { "content-type": type },
      });
      expect([answer.status, json(answer)]).toEqual([200, words.length > 0 ? { words } : {}]);
    }
  });

  test("each request of a client stream has what the path says", async () => {
    const server = await start();
    const answer = await send(server.url, {
      httpVersion,
      path: "/v1/client-stream/p",
      body: '[{"text":"a"},{"text":"b"}]',
    });
    expect(json(answer)).toEqual({ words: ["pa", "pb"] });
  });

  test.each([
    [gzipSync('[{"text":"a"}]'), 200, undefined],
    [gzipSync('[{"text":"a"}]').subarray(0, 20), 400, "the body is not compressed as its content-encoding says"],
    [Buffer.from("[]"), 400, "the body is not compressed as its content-encoding says"],
    [gzipSync(`["${" ".repeat(1e6)}"]`), 413, "message size is larger than configured readMaxBytes 1000"],
    [gzipSync(`[${" ".repeat(1e6)}]`), 413, "body: more than 1000 bytes of white space without a message"],
  ])("a client stream may be compressed: %#", async (body, expected, message) => {
    const server = await start({}, { readMaxBytes: 1000 });
    const headers = { "content-encoding": "gzip" };
    const answer = await send(server.url, { httpVersion, path: "/v1/client-stream", body, headers });
    expect([answer.status, (json(answer) as { message?: string }).message?.replace(/ \d+ is/, " is")]).toEqual([
      expected,
      message,
    ]);
  });

  test.each([
    ["{}", {}, 400, 'the body: expected a JSON array, found "{"'],
    ["[{}", {}, 400, "the body: expected a JSON array, found one that is not closed"],
    ["[{},]", {}, 400, "the body: expected a JSON array, found an element that is missing"],
    [
      "[{}]",
      { "content-type": "text/plain" },
      415,
      "content-type: expected application/json in UTF-8, found text/plain",
    ],
    ["[{}]", { "content-encoding": "zstd" }, 415, "content-encoding: expected one of gzip, br; found zstd"],
    [`["${"a".repeat(2000)}"]`, {}, 413, undefined],
  ])("a client stream of %s with %o is refused: %i", async (body, headers, expected, message) => {
    const server = await start({}, { readMaxBytes: 1000 });
    const answer = await send(server.url, { httpVersion, path: "/v1/client-stream", body, headers });
    const found = json(answer) as { message: string };
    expect([answer.status, found.message]).toEqual([expected, message ?? found.message]);
  });

  test("a client stream may exceed the limit of one message, also in one chunk", async () => {
    const server = await start({}, { readMaxBytes: 1000 });
    const pieces = Array.from({ length: 200 }, () => Buffer.from(`{"text":"${"a".repeat(50)}"}\n`));
    for (const body of [pieces, Buffer.concat(pieces)]) {
      const headers = { "content-type": "application/x-ndjson" };
      const answer = await send(server.url, { httpVersion, path: "/v1/client-stream", body, headers });
      expect((json(answer) as { words: string[] }).words).toHaveLength(200);
    }
  });

  test("a client stream without a type is refused", async () => {
    const server = await start();
    await using open = await beginRequest(server.url, { httpVersion, path: "/v1/client-stream" });
    open.body.end("[]");
    expect((await open.answer).status).toBe(415);
  });

  test("a handler's own resource_exhausted is 429, also in a client stream", async () => {
    const server = await start({
      clientStream: () => Promise.reject(new ConnectError("quota", Code.ResourceExhausted)),
    });
    const answer = await send(server.url, { httpVersion, path: "/v1/client-stream", body: "[]" });
    expect(answer.status).toBe(429);
  });

  test("bytes are streamed with the type of the first, and break off at an error", async () => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, path: "/v1/download/a/b/c" });
    expect([answer.headers["content-type"], answer.headers["x-content-type-options"], answer.text]).toEqual([
      "text/plain",
      "nosniff",
      "abc",
    ]);
    const broken = await start({
      async *download() {
        yield { data: Buffer.from("a") };
        throw new ConnectError("no", Code.NotFound);
      },
    });
    await expect(send(broken.url, { httpVersion, path: "/v1/download/a" })).rejects.toThrow();
    const early = await start({
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      async *download() {
        throw new ConnectError("no", Code.NotFound);
      },
    });
    expect((await send(early.url, { httpVersion, path: "/v1/download/a" })).status).toBe(404);
    const empty = await start({ async *download() {} });
    expect((await send(empty.url, { httpVersion, path: "/v1/download/a" })).text).toBe("");
  });
});

test("a silent stream of events is kept open, also before the first", async () => {
  const first = gate();
  const second = gate();
  const server = await start(
    {
      async *serverStream() {
        await first.opened;
        yield {};
        await second.opened;
      },
    },
    { rest: { keepAliveMs: 5 } },
  );
  await using raw = await openRaw(server.url);
  raw.write(
    "GET /v1/server-stream/a HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
  );
  await raw.until(/text\/event-stream.*: keep-alive\n\n/s);
  first.open();
  await raw.until(/data: \{\}\n\n.*: keep-alive\n\n/s);
  second.open();
  await raw.closed;
  expect(raw.text.endsWith("\r\n0\r\n\r\n")).toBe(true);
});

test("a slow reply of a client stream has no keep-alives before it", async () => {
  const server = await start(
    {
      async clientStream() {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { text: "a" };
      },
    },
    { rest: { keepAliveMs: 5 } },
  );
  const answer = await send(server.url, { path: "/v1/client-stream", body: "[]", headers: events });
  expect(answer.text).toBe('{"text":"a"}');
});

test("nothing is said any more once a stream of events has ended", async () => {
  const started = vi.spyOn(globalThis, "setInterval");
  const stopped = vi.spyOn(globalThis, "clearInterval");
  onTestFinished(() => void vi.restoreAllMocks());
  const server = await start({}, { rest: { keepAliveMs: 12_345 } });
  await send(server.url, { path: "/v1/server-stream/a?number=1", headers: events });
  const index = started.mock.calls.findIndex(([, ms]) => ms === 12_345);
  expect(stopped).toHaveBeenCalledWith(started.mock.results[index]?.value);
});

test.each([
  ["identity", (body: Buffer) => body],
  ["gzip", gunzipSync],
  ["br", brotliDecompressSync],
] as const)("a reader that falls behind by %s gets everything in the end", async (name, decompress) => {
  let count = 0;
  const server = await start({
    async *serverStream() {
      for (; count < 1000; count++) yield { data: randomBytes(4000) };
    },
  });
  await using connection = await openHttp2(server.url);
  const headers = { ...lines, "accept-encoding": name };
  const stream = connection.begin({ method: "GET", path: "/v1/server-stream/a", headers });
  expect(await untilStill(() => count)).toBeLessThan(1000);
  const body = decompress(await buffer(stream));
  expect(body.toString().split("\n")).toHaveLength(1001);
});

test("requests and replies of both directions pass each other over HTTP/2", async () => {
  const server = await start();
  await using connection = await openHttp2(server.url);
  const stream = connection.begin({ path: "/v1/bidi-stream", headers: { "content-type": "application/x-ndjson" } });
  stream.setEncoding("utf8");
  for (const text of ["a", "b"]) {
    stream.write(`{"text":"${text}"}\n`);
    const [line] = await once(stream, "data");
    expect(line).toBe(`{"text":"${text}"}\n`);
  }
  stream.end();
  await once(stream, "close");
  expect(stream.rstCode).toBe(constants.Z_OK);
});

test("both directions at once need HTTP/2", async () => {
  const server = await start();
  const answer = await send(server.url, { path: "/v1/bidi-stream", body: "{}\n" });
  expect([answer.status, answer.headers.connection]).toEqual([505, "close"]);
  expect(json(answer)).toEqual({ code: Code.Unimplemented, message: "bidirectional streams need HTTP/2", details: [] });
});

test("what came before a line that cannot be read reaches the handler", async () => {
  const seen: string[] = [];
  const server = await start({
    async *bidiStream(messages) {
      for await (const { text } of messages) {
        seen.push(text);
        yield { text };
      }
    },
  });
  await using connection = await openHttp2(server.url);
  const stream = connection.begin({ path: "/v1/bidi-stream", headers: { "content-type": "application/x-ndjson" } });
  stream.end('{"text":"a"}\n{"text"\n');
  const answer = await answerOf(stream);
  expect(seen).toEqual(["a"]);
  expect(answer.text.split("\n")[0]).toBe('{"text":"a"}');
  expect(JSON.parse(answer.text.split("\n")[1] ?? "")).toMatchObject({ error: { code: Code.InvalidArgument } });
});

test("what came before the place where an array breaks reaches the handler", async () => {
  const seen: string[] = [];
  const server = await start({
    async clientStream(messages) {
      for await (const { text } of messages) seen.push(text);
      return {};
    },
  });
  const answer = await send(server.url, { path: "/v1/client-stream", body: '[{"text":"a"},]' });
  expect([answer.status, seen]).toEqual([400, ["a"]]);
});

test.each([
  ["identity", (text: string) => Buffer.from(text)],
  ["gzip", (text: string) => gzipSync(text)],
  ["br", (text: string) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
] as const)(
  "a handler that falls behind slows a client by %s, and gets everything in the end",
  async (name, compress) => {
    const go = gate();
    const server = await start({
      async clientStream(messages) {
        await go.opened;
        let number = 0n;
        for await (const _ of messages) number++;
        return { number };
      },
    });
    const lines = Array.from({ length: 1000 }, () => `{"data":"${randomBytes(6000).toString("base64")}"}\n`);
    const headers = { "content-type": "application/x-ndjson", "content-encoding": name };
    await using connection = await openHttp2(server.url);
    const stream = connection.begin({ path: "/v1/client-stream", headers });
    stream.end(compress(lines.join("")));
    const { socket } = connection.session;
    const sentBytes = await untilStill(() => socket?.bytesWritten ?? 0);
    expect(sentBytes).toBeLessThan(3e6);
    go.open();
    expect(json(await answerOf(stream))).toEqual({ number: "1000" });
  },
);

/** Waits until a number has stopped to grow. */
async function untilStill(read: () => number): Promise<number> {
  for (let before = -1; ; ) {
    const now = read();
    if (now === before && now > 0) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asks for a stream and reads nothing of it. */
async function openSlow(url: string, httpVersion: string, headers: Record<string, string>) {
  const path = "/v1/server-stream/a";
  if (httpVersion === "2") {
    const connection = await openHttp2(url);
    connection.begin({ method: "GET", path, headers }).on("error", () => {});
    return connection;
  }
  const raw = await openRaw(url);
  raw.socket.pause();
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  raw.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${head.join("")}\r\n`);
  return raw;
}
