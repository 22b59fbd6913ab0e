// What can be done to a server with bodies: too long, too small in compression, cut, or with lengths that are not true.
import { setTimeout as delay } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { callHead, data, opening, unaryPath } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { type RawRequest, request } from "../support/http.js";
import { decodeFrames, frameFlags, frameTypes } from "../support/http2-frames.js";
import { openRaw } from "../support/raw-socket.js";
import { codeOf } from "./codes.js";
import { useVictim } from "./victim.js";

const service = "/manywire.test.v1.TestService";
const limit = 64 * 1024;
const megabyte = 1024 * 1024;
const zeros = Buffer.alloc(100 * megabyte);
const bombs = { gzip: gzipSync(zeros), br: brotliCompressSync(zeros) };
/** A message with `length` bytes in its field `data`, whose length is written with four bytes. */
const message = (length: number) =>
  Buffer.concat([
    Buffer.from([0x12, ...[0, 7, 14].map((bits) => ((length >> bits) & 127) | 128), length >> 21]),
    Buffer.alloc(length),
  ]);

/** Ways of sending messages to a method. */
const protocols = [
  {
    name: "Connect",
    encodingHeader: "content-encoding",
    type: "application/proto",
    path: unaryPath,
    wrap: (bytes: Buffer, _flags: number) => bytes,
  },
  {
    name: "Connect stream",
    encodingHeader: "connect-content-encoding",
    type: "application/connect+proto",
    path: `${service}/ClientStream`,
    wrap: envelope,
  },
  { name: "gRPC", encodingHeader: "grpc-encoding", type: "application/grpc", path: unaryPath, wrap: envelope },
  {
    name: "gRPC stream",
    encodingHeader: "grpc-encoding",
    type: "application/grpc",
    path: `${service}/ClientStream`,
    wrap: envelope,
  },
  { name: "gRPC-Web", encodingHeader: "grpc-encoding", type: "application/grpc-web", path: unaryPath, wrap: envelope },
  {
    name: "gRPC-Web text",
    encodingHeader: "grpc-encoding",
    type: "application/grpc-web-text",
    path: unaryPath,
    wrap: (bytes: Buffer, flags: number) => Buffer.from(envelope(bytes, flags).toString("base64")),
  },
] as const;

const versions = ["1.1", "2"] as const;
const ways = protocols.flatMap((protocol) =>
  versions.map((httpVersion) => ({ ...protocol, httpVersion, name: `${protocol.name} on HTTP/${httpVersion}` })),
);

/** A request for each body and HTTP version. */
function eachVersion(path: string, type: string, bodies: Record<string, string | Buffer>) {
  return Object.entries(bodies).flatMap(([name, body]) =>
    versions.map((httpVersion) => ({
      name: `${name}, HTTP/${httpVersion}`,
      httpVersion,
      path,
      headers: { "content-type": type },
      body,
    })),
  );
}

/** Whether the code is that of a message that is too large. */
const tooLarge = /^(8|resource_exhausted)$/;
const anyError = /^([1-9]\d?|[a-z_]+)$/;

describe("RPCs", () => {
  const victim = useVictim({ readMaxBytes: limit, limits: {}, drainTimeoutMs: 2000 });

  /** Sends each request a few times at once. Reports all failures together. */
  const expectCodes = async (code: RegExp, sent: readonly (RawRequest & { name: string })[]) => {
    await victim.withstand(async (url) => {
      const wrong: string[] = [];
      for (const { name, ...one } of sent) {
        const answers = await Promise.allSettled(Array.from({ length: 5 }, () => request(url, one)));
        const codes = answers.map((answer) =>
          answer.status === "fulfilled" ? codeOf(answer.value) : `${answer.reason}`,
        );
        wrong.push(...codes.filter((found) => !code.test(found)).map((found) => `${name}: ${found}`));
      }
      expect(wrong).toEqual([]);
    });
  };
  const headersOf = (type: string) => ({ "content-type": type });

  test("messages over the limit are refused in every protocol", async () => {
    const sent = ways.map((way) => ({ ...way, headers: headersOf(way.type), body: way.wrap(message(limit + 1), 0) }));
    await expectCodes(tooLarge, sent);
  });

  test("messages of the limit are taken in every protocol", async () => {
    const sent = ways.map((way) => ({ ...way, headers: headersOf(way.type), body: way.wrap(message(limit - 5), 0) }));
    await expectCodes(/^(0|none)$/, sent);
  });

  test.each(["gzip", "br"] as const)("100 MB compressed by %s are unpacked in no protocol", async (encoding) => {
    const sent = ways.map((way) => ({
      ...way,
      headers: { ...headersOf(way.type), [way.encodingHeader]: encoding },
      body: way.wrap(bombs[encoding], 1),
    }));
    await expectCodes(tooLarge, sent);
  });

  test("unary requests are refused whose envelopes are not what they say", async () => {
    const bodies = {
      "announces 4 GiB": Buffer.concat([Buffer.from([0, 255, 255, 255, 255]), Buffer.alloc(100)]),
      "announces 2 GiB": Buffer.concat([Buffer.from([0, 127, 255, 255, 255]), Buffer.alloc(100)]),
      "announces more than comes": envelope("{}", 0, 1000),
      "stops in its head": Buffer.from([0, 0, 0]),
      "is compressed by nothing": envelope("{}", 1),
      "is followed by another": Buffer.concat([envelope("{}"), envelope("{}")]),
      "is followed by a byte": Buffer.concat([envelope("{}"), Buffer.of(0)]),
      "is missing": Buffer.alloc(0),
    };
    await expectCodes(anyError, eachVersion(unaryPath, "application/grpc+json", bodies));
  });

  test("HTTP/1.1 requests with lengths that are not true end their connection", async () => {
    const rests = [
      "Content-Length: 4294967296\r\n\r\n",
      "Content-Length: 99999999999999999999999999\r\n\r\n",
      "Content-Length: -1\r\n\r\n",
      "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
      "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n",
      `Content-Length: 2\r\n\r\n{}${"{}".repeat(1000)}`,
    ];
    await victim.withstand(async (url) => {
      const head = `POST ${unaryPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
      for (const rest of rests) {
        await using socket = await openRaw(url);
        socket.write(head + rest);
        await socket.closed;
        expect(`${rest}: ${socket.text}`).toMatch(/: HTTP\/1\.1 (4\d\d |200 OK.*HTTP\/1\.1 400 )/s);
      }
    });
  });

  test("HTTP/2 requests whose length is not true are reset", async () => {
    await victim.withstand(async (url) => {
      await using socket = await openRaw(url);
      const head = (id: number) => callHead(id, { "content-length": "3" });
      const shorter = [head(1), data(1, Buffer.from("{}"), frameFlags.endStream)];
      const longer = [head(3), data(3, Buffer.from("{  }"))];
      socket.write(Buffer.concat([opening(), ...shorter, ...longer]));
      const ends = () =>
        decodeFrames(socket.received).filter(({ type }) => type === frameTypes.rstStream || type === frameTypes.goaway);
      await expect.poll(() => ends().map(({ stream }) => stream)).toEqual([1, 3]);
    });
  });

  test("streams of nothing but empty envelopes are served or refused", async () => {
    const rows = [
      ["application/grpc", 0],
      ["application/grpc-web", 0x80],
      ["application/connect+proto", 0],
      ["application/connect+proto", 2],
    ] as const;
    await victim.withstand(async (url) => {
      for (const [type, flags] of rows) {
        const chunk = Buffer.concat(Array(20_000).fill(envelope("", flags)));
        const sent = { headers: headersOf(type), body: Array(10).fill(chunk) as Buffer[] };
        for (const httpVersion of versions) {
          await request(url, { httpVersion, path: `${service}/ClientStream`, ...sent });
          // A unary call may get its response before its body is sent. The client may then see a reset instead.
          await request(url, { httpVersion, path: unaryPath, ...sent }).catch(() => {});
        }
      }
    });
  });

  test("invalid base64 is rejected", async () => {
    const bodies = {
      "letters that are none": "!".repeat(60_000),
      "padding alone": "=".repeat(60_000),
      "padding after each letter": "A===".repeat(15_000),
      "an unfinished group": "AAA",
      "line feeds": "AAAA\n".repeat(12_000),
      "the other alphabet": "-_-_".repeat(15_000),
      "bytes over 127": Buffer.alloc(60_000, 0xff),
    };
    await expectCodes(anyError, eachVersion(unaryPath, "application/grpc-web-text", bodies));
  });

  test("invalid JSON is rejected", async () => {
    const bodies = {
      "lists in lists": "[".repeat(30_000) + "]".repeat(30_000),
      "lists without an end": "[".repeat(60_000),
      "objects in objects": `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
      "objects in a known field": `{"failure":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
      "a number of 60,000 digits": `{"count":${"9".repeat(60_000)}}`,
      "5,000 unknown fields": `{${Array.from({ length: 5000 }, (_, index) => `"f${index}":1`).join()}}`,
      "a prototype": '{"__proto__":{"text":"polluted"},"constructor":{"prototype":{"text":"polluted"}}}',
      "a field that comes twice": '{"text":"a","text":"b"}',
      "bytes that are not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
      "a byte order mark": "\ufeff{}",
      "a text instead of an object": '"text"',
      null: "null",
      nothing: "",
    };
    await expectCodes(anyError, eachVersion(unaryPath, "application/json", bodies));
  });

  test("invalid protobuf is rejected", async () => {
    const bodies = {
      "groups in groups": Buffer.alloc(60_000, 0x0b),
      "groups in unknown groups": Buffer.alloc(60_000, 0x7b),
      "a field longer than its message": Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      "a field of a negative length": Buffer.from([0x0a, ...Buffer.alloc(9, 0xff), 0x01]),
      "a number without an end": Buffer.alloc(60_000, 0xff),
      "field 0": Buffer.from([0x00, 0x00]),
    };
    await expectCodes(anyError, eachVersion(unaryPath, "application/proto", bodies));
  });

  test("unusual but valid protobuf is accepted", async () => {
    const bodies = {
      "a field 1,000 times": Buffer.concat(Array(1000).fill(Buffer.from([0x0a, 0x00]))),
      "20,000 unknown fields": Buffer.concat(Array(20_000).fill(Buffer.from([0x78, 0x01]))),
      nothing: Buffer.alloc(0),
    };
    await expectCodes(/^none$/, eachVersion(unaryPath, "application/proto", bodies));
  });

  test("clients that disconnect in the middle of a body leave nothing behind", async () => {
    const head = `POST ${unaryPath} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n`;
    await victim.withstand(async (url) => {
      for (let round = 0; round < 20; round++) {
        await using one = await openRaw(url);
        await using two = await openRaw(url);
        one.write(`${head}Content-Length: 60000\r\n\r\n${"\0".repeat(30_000)}`);
        two.write(Buffer.concat([opening(), callHead(1), data(1, Buffer.alloc(10_000, 0x20))]));
        await delay(2);
        one.vanish();
        two.vanish();
      }
    });
  });
});

describe("REST", () => {
  const selector = "manywire.test.v1.TestService";
  const victim = useVictim({
    readMaxBytes: limit,
    limits: {},
    drainTimeoutMs: 2000,
    httpRules: {
      rules: [
        { selector: `${selector}.Unary`, post: "/v1/unary", body: "*" },
        { selector: `${selector}.ClientStream`, post: "/v1/client-stream", body: "*" },
      ],
    },
  });
  const compress = { gzip: gzipSync, br: brotliCompressSync };
  const json = { "content-type": "application/json" };
  const lines = { "content-type": "application/x-ndjson" };
  const blank = Buffer.alloc(4 * megabyte, " \n");
  const around = (before: string, middle: Buffer, after: string) =>
    Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]);

  test.each([
    ["a message among spaces", "/v1/unary", json, around("", blank, "{}")],
    ["blank lines", "/v1/client-stream", lines, blank],
    ["blank lines after a message", "/v1/client-stream", lines, around("{}\n", blank, "")],
    ["spaces before an array", "/v1/client-stream", json, around("", blank, "[]")],
    ["spaces between elements", "/v1/client-stream", json, around("[{},", blank, "{}]")],
    ["spaces in an element", "/v1/client-stream", json, around("[{", blank, "}]")],
    ["spaces after an array", "/v1/client-stream", json, around("[]", blank, "")],
    ["an element without an end", "/v1/client-stream", json, around("[", Buffer.alloc(4 * megabyte, "["), "")],
  ])("4 MB compressed are not read to their end: %s", async (_, path, headers, body) => {
    await victim.withstand(async (url) => {
      for (const [coding, compressed] of Object.entries(compress)) {
        const sent = { path, headers: { ...headers, "content-encoding": coding }, body: compressed(body) };
        for (const httpVersion of versions) {
          const { status, text } = await request(url, { httpVersion, ...sent });
          expect([coding, status, JSON.parse(text).code]).toEqual([coding, 413, 8]);
        }
      }
    });
  });

  test.each([
    ["messages", "/v1/client-stream", lines, Buffer.from("{}\n".repeat(megabyte / 4))],
    ["bytes", "/v1/upload", { "content-type": "application/octet-stream" }, blank],
  ])("a stream expands to at most 1,100 times its size: %s", async (_, path, headers, body) => {
    await victim.withstand(async (url) => {
      for (const httpVersion of versions) {
        const bomb = { path, headers: { ...headers, "content-encoding": "br" }, body: brotliCompressSync(body) };
        const refused = await request(url, { httpVersion, ...bomb });
        expect([refused.status, JSON.parse(refused.text).message]).toEqual([
          413,
          "body: expands to more than 1100 times its size",
        ]);
        const common = { path, headers: { ...headers, "content-encoding": "gzip" }, body: gzipSync(body) };
        expect((await request(url, { httpVersion, ...common })).status).toBe(200);
      }
    });
  });
});
