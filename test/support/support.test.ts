import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { authority, clientIdentity, serverIdentity, strangerIdentity } from "./certificates.js";
import { envelope, openEnvelopes } from "./envelopes.js";
import { request } from "./http.js";
import { decodeFrames, encodeFrame, encodeHeaders, frameFlags, frameTypes, preface } from "./http2-frames.js";
import { openRaw } from "./raw-socket.js";
import { startServer } from "./server.js";

const path = "/manywire.test.v1.TestService/Unary";
const json = { "content-type": "application/json" };

describe("a test's server", () => {
  test("does what requests say, and knows how handlers and calls ended", async () => {
    await using server = await startServer();
    using transport = createTransport({ protocol: "grpc", baseUrl: server.url });
    const client = createClient(TestService, transport);
    const finished = server.nextFinished("unary");
    expect(await client.unary({ text: "a", data: new Uint8Array([1]) })).toMatchObject({ text: "a", index: 0 });
    expect(await server.seen.ended("a")).toEqual({ kind: "returned" });
    expect((await finished).code).toBeUndefined();
    const failure = { code: Code.Aborted, message: "no", reason: "WHY" };
    const error = await client.unary({ text: "b", failure }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(await server.seen.ended("b")).toMatchObject({ kind: "threw", reason: { rawMessage: "no" } });
    expect(server.finished.map(({ code }) => code)).toEqual([undefined, Code.Aborted]);
  });

  test("fails the test that leaves a call", async () => {
    const server = await startServer({ drainTimeoutMs: 1 });
    await using socket = await openRaw(server.url);
    const body = JSON.stringify({ text: "late", waitMs: 5000 });
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await server.seen.started("late");
    await expect(server[Symbol.asyncDispose]()).rejects.toThrow(
      "leaks: a call of /manywire.test.v1.TestService/Unary had not ended",
    );
  });

  test("responds alike over both HTTP versions, in plaintext and TLS", async () => {
    for (const tls of [undefined, serverIdentity]) {
      await using server = await startServer({ tls });
      for (const httpVersion of ["1.1", "2"] as const) {
        const answer = await request(server.url, { httpVersion, path, headers: json, body: '{"text":"x"}' });
        expect([answer.status, answer.text]).toEqual([200, '{"text":"x"}']);
      }
    }
  });

  test("accepts only clients that the authority signed", async () => {
    await using server = await startServer({ tls: { ...serverIdentity, ca: authority } });
    const call = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
    await using socket = await openRaw(server.url, clientIdentity);
    socket.write(call);
    expect((await socket.until(/ (\d+) OK/))[1]).toBe("200");
    await using stranger = await openRaw(server.url, strangerIdentity);
    stranger.write(call);
    await stranger.closed;
    expect(stranger.text).toBe("");
  });
});

describe("bytes by hand", () => {
  test("envelopes are opened as they were closed", () => {
    expect(openEnvelopes(Buffer.concat([envelope("ab"), envelope("", 2)]))).toEqual([
      { flags: 0, data: Buffer.from("ab") },
      { flags: 2, data: Buffer.alloc(0) },
    ]);
    expect(() => openEnvelopes(envelope("ab", 0, 3))).toThrow("the body ends inside an envelope: 00000000036162");
  });

  test("frames make a call", async () => {
    await using server = await startServer();
    await using socket = await openRaw(server.url);
    const { headers, settings, data } = frameTypes;
    const fields: [string, string][] = [
      [":method", "POST"],
      [":scheme", "http"],
      [":authority", "localhost"],
      [":path", path],
      ["content-type", "application/json"],
      ["x-long", "l".repeat(300)],
    ];
    socket.write(Buffer.concat([preface, encodeFrame(settings, 0, 0)]));
    socket.write(encodeFrame(headers, frameFlags.endHeaders, 1, encodeHeaders(fields)));
    socket.write(encodeFrame(data, frameFlags.endStream, 1, Buffer.from('{"text":"framed"}')));
    await socket.until(/\{"text":"framed"\}/);
    const types = decodeFrames(socket.received)
      .filter(({ stream }) => stream === 1)
      .map(({ type }) => type);
    expect(types).toEqual([headers, data]);
  });
});
