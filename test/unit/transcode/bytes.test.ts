// Streams of google.api.HttpBody from the client: bytes in chunks, with their type.
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { createClient, createTransport } from "../../../client/index.js";
import type { HttpBody } from "../../../gen/google/api/httpbody_pb.js";
import type { Resource } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { bytesService } from "../../support/bytes-service.js";
import type { HttpVersion } from "../../support/http.js";
import { collect, each } from "../../support/outcome.js";
import { json, send, versions } from "../../support/rest-service.js";
import { startServer } from "../../support/server.js";

/** Starts a server whose upload responds with the type and the length of what it was sent. */
async function start() {
  const handlers = {
    async upload(pieces: AsyncIterable<HttpBody>) {
      const all = await collect(pieces);
      const data = Buffer.concat(all.map((piece) => piece.data));
      return { name: [...new Set(all.map(({ contentType }) => contentType))].join(), collection: data.toString("hex") };
    },
    async *pass(pieces: AsyncIterable<HttpBody>) {
      yield* pieces;
    },
  };
  const server = await startServer({ routes: (router) => router.service(bytesService, handlers as never) });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const type = { "content-type": "application/octet-stream" };
const data = randomBytes(100_000);
const pieces = [data.subarray(0, 1), data.subarray(1, 50_000), data.subarray(50_000)];

test.each(versions)(
  "bytes are taken in pieces over HTTP/%s, compressed or not, whatever they say",
  async (httpVersion) => {
    const server = await start();
    const expected = { name: type["content-type"], collection: data.toString("hex") };
    for (const body of [pieces, data]) {
      expect(json(await send(server.url, { httpVersion, path: "/v1/upload", body, headers: type }))).toEqual(expected);
    }
    const headers = { ...type, "content-encoding": "gzip" };
    const zipped = await send(server.url, { httpVersion, path: "/v1/upload", body: gzipSync(data), headers });
    expect(json(zipped)).toEqual(expected);
    expect(json(await send(server.url, { httpVersion, path: "/v1/upload", body: "", headers: type }))).toEqual({});
  },
);

test("bytes come back as they go, with the type that they were sent with", async () => {
  const server = await start();
  const answer = await send(server.url, { httpVersion: "2", path: "/v1/pass", body: pieces, headers: type });
  expect([answer.status, answer.headers["content-type"], answer.headers["x-content-type-options"]]).toEqual([
    200,
    "application/octet-stream",
    "nosniff",
  ]);
  expect(answer.body.equals(data)).toBe(true);
});

test.each(["identity", "gzip", "br"])(
  "bytes that end in an error are reset, and never look complete: %s",
  async (coding) => {
    const handlers = {
      async *pass() {
        for (let count = 0; count < 2; count++) yield { contentType: "text/plain", data: randomBytes(1_000_000) };
        throw new Error("no more");
      },
    };
    await using server = await startServer({ routes: (router) => router.service(bytesService, handlers as never) });
    const headers = { ...type, "accept-encoding": coding };
    const download = send(server.url, { httpVersion: "2", path: "/v1/pass", body: "", headers });
    await expect(download).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
  },
);

async function connect(httpVersion: HttpVersion) {
  const { url } = await start();
  const transport = createTransport({ protocol: "rest", baseUrl: url, httpVersion });
  onTestFinished(() => transport.close());
  return createClient(bytesService, transport) as unknown as {
    upload(pieces: AsyncIterable<object>): Promise<Resource>;
    pass(pieces: AsyncIterable<object>): AsyncIterable<HttpBody>;
  };
}

const messages = () => each(...pieces.map((piece) => ({ contentType: "image/x-own", data: new Uint8Array(piece) })));

test.each(versions)("a client over HTTP/%s sends them", async (httpVersion) => {
  const { upload } = await connect(httpVersion);
  expect(await upload(messages())).toMatchObject({ name: "image/x-own", collection: data.toString("hex") });
});

test("a client over HTTP/2 sends them and gets them back", async () => {
  const { pass } = await connect("2");
  const replies = await collect(pass(messages()));
  expect(Buffer.concat(replies.map((reply) => reply.data)).equals(data)).toBe(true);
  expect(replies[0]?.contentType).toBe("image/x-own");
});
