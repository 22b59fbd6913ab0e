// Connect and gRPC-Web of the client read and write messages with our own codec: its errors name the field.
import { Code, type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createAsyncIterable, encodeEnvelopes, type UniversalClientFn } from "@connectrpc/connect/protocol";
import { describe, expect, test } from "vitest";
import { createConnectTransport } from "../../../client/universal/connect.js";
import { createGrpcWebTransport } from "../../../client/universal/grpc-web.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { failureOf } from "../../support/outcome.js";

const common = {
  baseUrl: "http://localhost",
  interceptors: [],
  acceptCompression: [],
  sendCompression: null,
  compressMinBytes: 1024,
  readMaxBytes: 1024,
  writeMaxBytes: 1024,
};

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text));
const trailers = { flags: 0x80, data: bytesOf("grpc-status: 0\r\n") };
const endStream = { flags: 2, data: bytesOf("{}") };

const protocols = {
  connect: {
    create: createConnectTransport,
    unaryType: "application/",
    streamType: "application/connect+",
    unaryBody: (data: Uint8Array) => data,
    end: endStream,
  },
  "grpc-web": {
    create: createGrpcWebTransport,
    unaryType: "application/grpc-web+",
    streamType: "application/grpc-web+",
    unaryBody: (data: Uint8Array) => encodeEnvelopes({ flags: 0, data: Uint8Array.from(data) }, trailers),
    end: trailers,
  },
};

/** A server that sends the same body to every request. */
function respond(contentType: string, body: Uint8Array): UniversalClientFn {
  return async ({ body: sent }) => {
    if (sent !== undefined) for await (const _ of sent);
    const header = new Headers({ "content-type": contentType });
    return { status: 200, header, body: createAsyncIterable([body]), trailer: new Headers() };
  };
}

const wrongText = [
  {
    format: "proto",
    data: Uint8Array.of(0x0a, 1, 0xff),
    code: Code.Internal,
    error: "parse binary: text: invalid UTF-8",
  },
  {
    format: "json",
    data: bytesOf('{"text":1}'),
    code: Code.InvalidArgument,
    error: "text: expected a string, found 1",
  },
] as const;

const open = (transport: Transport) => createClient(TestService, transport);
const pick = ({ code, rawMessage }: ConnectError) => ({ code, error: rawMessage });

describe.each(Object.entries(protocols))("%s", (_, { create, unaryType, streamType, unaryBody, end }) => {
  test.each(wrongText)("names the field of an invalid message: $format", async ({ format, data, code, error }) => {
    const useBinaryFormat = format === "proto";
    const httpClient = respond(`${unaryType}${format}`, unaryBody(data));
    const failure = await failureOf(open(create({ ...common, useBinaryFormat, httpClient })).unary({}));
    expect(pick(failure)).toEqual({ code, error });
  });

  test.each(wrongText)("names it in a stream: $format", async ({ format, data, code, error }) => {
    const useBinaryFormat = format === "proto";
    const body = encodeEnvelopes({ flags: 0, data: Uint8Array.from(data) }, end);
    const httpClient = respond(`${streamType}${format}`, body);
    const messages = open(create({ ...common, useBinaryFormat, httpClient })).serverStream({});
    const failure = await failureOf(messages[Symbol.asyncIterator]().next());
    expect(pick(failure)).toEqual({ code, error });
  });

  test.each(["proto", "json"])("limits what it writes and reads: %s", async (format) => {
    const httpClient = respond(`${unaryType}${format}`, unaryBody(bytesOf(`{"text":"${"x".repeat(2000)}"}`)));
    const client = open(create({ ...common, useBinaryFormat: format === "proto", httpClient }));
    const written = await failureOf(client.unary({ text: "x".repeat(2000) }));
    expect(written.code).toBe(Code.ResourceExhausted);
    expect(written.rawMessage).toMatch(/^message size 20\d\d is larger than configured writeMaxBytes 1024$/);
    const read = await failureOf(client.unary({}));
    expect(read.code).toBe(Code.ResourceExhausted);
    expect(read.rawMessage).toMatch(/is larger than configured readMaxBytes 1024$/);
  });

  test("delivers no message after the caller has canceled", async () => {
    const message = { flags: 0, data: Uint8Array.of(0x0a, 1, 0x61) };
    const httpClient = respond(`${streamType}proto`, encodeEnvelopes(message, message, end));
    const canceling = new AbortController();
    const client = open(create({ ...common, useBinaryFormat: true, httpClient }));
    const messages = client.serverStream({}, { signal: canceling.signal })[Symbol.asyncIterator]();
    expect((await messages.next()).value).toMatchObject({ text: "a" });
    canceling.abort();
    expect((await failureOf(messages.next())).code).toBe(Code.Canceled);
  });
});
