// A body, header value or pipeline of requests in very many chunks takes no more memory and time than in few.
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { callHead, data, opening, unaryPath } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { request } from "../support/http.js";
import { decodeFrames } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { useVictim } from "./victim.js";

const service = "/manywire.test.v1.TestService";
const megabyte = 1024 * 1024;
const bodyBytes = megabyte / 4;
/** A server that keeps a buffer for each byte holds at least 25 MB. */
const grownBytes = 8 * megabyte;

function head(path: string, fields: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n\r\n`;
}

/** Writes as fast as the server takes it. */
async function writeAll({ socket }: RawSocket, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) return;
    if (socket.write(chunk)) continue;
    const drained = new Promise((resolve) => socket.once("drain", resolve));
    await Promise.race([drained, delay(5000, undefined, { ref: false })]);
  }
}

/** Waits until the server has read what was written: later calls on other connections get their responses after it. */
async function untilRead(url: string, { socket }: RawSocket): Promise<void> {
  await expect.poll(() => socket.destroyed || socket.writableLength === 0, { timeout: 50_000 }).toBe(true);
  for (let call = 0; call < 10; call++) {
    await request(url, { path: unaryPath, headers: { "content-type": "application/json" }, body: "{}" });
  }
}

/** Each byte in a chunk or DATA frame of its own. */
function* inBytes(body: Buffer, version: number): Generator<Buffer> {
  const size = 10_000;
  for (let start = 0; start < body.length; start += size) {
    const bytes = Array.from(body.subarray(start, start + size), (byte) => Buffer.of(byte));
    const pieces = bytes.map((byte) =>
      version === 2 ? data(1, byte) : Buffer.from(`1\r\n${byte.toString("latin1")}\r\n`, "latin1"),
    );
    yield Buffer.concat(pieces);
  }
}

describe("REST", () => {
  const selector = "manywire.test.v1.TestService";
  const victim = useVictim({
    limits: {},
    drainTimeoutMs: 2000,
    httpRules: {
      rules: [
        { selector: `${selector}.Unary`, post: "/v1/unary", body: "*" },
        { selector: `${selector}.ClientStream`, post: "/v1/client-stream", body: "*" },
      ],
    },
  });
  const text = (first: string) => Buffer.concat([Buffer.from(first), Buffer.alloc(bodyBytes, "0")]);
  const jsonType = { "content-type": "application/json" };
  // The requests on HTTP/2 ignore windows, so they are not for bodies that the server pauses.
  const rows: [name: string, versions: number[], path: string, fields: Record<string, string>, body: Buffer][] = [
    ["one message", [1, 2], "/v1/unary", jsonType, text('{"text":"')],
    ["an array", [1, 2], "/v1/client-stream", jsonType, text('[{"text":"')],
    ["lines", [1, 2], "/v1/client-stream", { "content-type": "application/x-ndjson" }, text('{"text":"')],
    [
      "a compressed array",
      [1],
      "/v1/client-stream",
      { ...jsonType, "content-encoding": "gzip" },
      gzipSync(text('[{"text":"'), { level: 0 }),
    ],
    ["a stream of bytes", [1], "/v1/upload", { "content-type": "application/octet-stream" }, text("")],
  ];

  test.each(rows.flatMap(([name, versions, ...row]) => versions.map((version) => [name, version, ...row] as const)))(
    "a body of 256 KB that arrives in chunks of one byte takes at most a few times its size: %s on HTTP/%i",
    // Each byte that is decompressed goes through a thread.
    { timeout: 60_000 },
    async (_, version, path, fields, body) => {
      const attack = async (url: string) => {
        await using socket = await openRaw(url);
        const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
        if (version === 1) socket.write(head(path, [...lines, "Transfer-Encoding: chunked"].join("\r\n")));
        else socket.write(Buffer.concat([opening(), callHead(1, { ":path": path, ...fields })]));
        await writeAll(socket, inBytes(body, version));
        await untilRead(url, socket);
        expect(await victim.grown()).toBeLessThan(grownBytes);
      };
      await victim.withstand(attack);
    },
  );
});

describe("RPCs", () => {
  const victim = useVictim({ limits: {}, drainTimeoutMs: 2000 });

  test.each([
    ["Connect on HTTP/1.1", "application/proto", 1],
    ["gRPC on HTTP/1.1", "application/grpc", 1],
    ["Connect on HTTP/2", "application/proto", 2],
    ["gRPC on HTTP/2", "application/grpc", 2],
  ])(
    "a body of 256 KB that arrives in chunks of one byte takes at most a few times its size: %s",
    async (_, type, version) => {
      const first = type === "application/grpc" ? envelope("", 0, bodyBytes) : Buffer.alloc(0);
      const attack = async (url: string) => {
        await using socket = await openRaw(url);
        if (version === 1) {
          socket.write(head(unaryPath, `Content-Type: ${type}\r\nTransfer-Encoding: chunked`));
          if (first.length > 0) socket.write(Buffer.concat([Buffer.from("5\r\n"), first, Buffer.from("\r\n")]));
        } else {
          socket.write(Buffer.concat([opening(), callHead(1, { "content-type": type }), data(1, first)]));
        }
        await writeAll(socket, inBytes(Buffer.alloc(bodyBytes - 1, "0"), version));
        await untilRead(url, socket);
        expect(await victim.grown()).toBeLessThan(grownBytes);
      };
      await victim.withstand(attack);
    },
  );

  test("long values of what is accepted in compression are not remembered", async () => {
    const attack = async (url: string) => {
      await using socket = await openRaw(url);
      let sent = 0;
      for (const method of ["Unary", "Get", "ServerStream", "ClientStream"]) {
        for (const type of ["application/grpc+json", "application/grpc-web+json"]) {
          const requests = Array.from({ length: 300 }, (_, index) =>
            Buffer.concat([
              Buffer.from(
                head(
                  `${service}/${method}`,
                  `Content-Type: ${type}\r\nGrpc-Accept-Encoding: ${index}${"x".repeat(15_000)}\r\nContent-Length: 7`,
                ),
              ),
              envelope("{}"),
            ]),
          );
          sent += requests.length;
          await writeAll(socket, requests);
          const answers = () => socket.text.split("HTTP/1.1 200").length - 1;
          await expect.poll(answers, { timeout: 8000, interval: 5 }).toBe(sent);
        }
      }
    };
    await victim.withstand(attack, { heldBytes: 16 * megabyte });
  });

  const waiting = '{"waitMs":600000}';
  const wait = head(unaryPath, `Content-Type: application/json\r\nContent-Length: ${waiting.length}`) + waiting;

  test("pipelined calls end when their client disconnects", async () => {
    await victim.withstand(async (url) => {
      await using socket = await openRaw(url);
      socket.write(wait.repeat(20));
      await delay(300);
      socket.vanish();
    });
  });

  test("a client that pipelines 5,000 calls that wait has not all of them at once", async () => {
    const { before, after } = await victim.withstand(async (url) => {
      await using socket = await openRaw(url);
      socket.write(wait.repeat(5000));
      await delay(1500);
    });
    // One of them, beside those of the neighbours, who never stop.
    expect(after.calls - before.calls).toBeLessThan(4000);
  });

  test("a unary call with more than one request is rejected, in chunks of any size", async () => {
    await victim.withstand(async (url) => {
      await using socket = await openRaw(url);
      const two = Buffer.concat([envelope(""), envelope("")]);
      const fields = { "content-type": "application/grpc-web" };
      socket.write(Buffer.concat([opening(), callHead(1, fields), data(1, two), data(1, envelope(""), 1)]));
      const body = () =>
        Buffer.concat(
          decodeFrames(socket.received).flatMap(({ type, payload }) => (type === 0 ? [payload] : [])),
        ).toString();
      await expect.poll(body).toMatch(/grpc-status: 12/);
    });
  });
});
