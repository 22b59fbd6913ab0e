// The two lanes cannot be told apart: the same request, however odd, gets the same answer from both.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { type Connection, type HttpVersion, openConnection, type RawAnswer, type RawRequest } from "../support/http.js";
import { startServer, type TestServer } from "../support/server.js";
import { type Codec, type Wire, wires } from "./combinations.js";
import type { MethodName } from "./table.js";
import { decodeBase64 } from "./transport.js";
import { contentType, type Encoding, encodeBody, encodingHeaders, type RequestInit, serialize } from "./wire.js";

const limitBytes = 2000;

const message: fc.Arbitrary<RequestInit> = fc.record(
  {
    text: fc.constantFrom("", "a", "\u00e9\u{1f389}", "\n%", "x".repeat(400)),
    data: fc.uint8Array({ maxLength: 8 }),
    count: fc.nat(3),
    replyBytes: fc.constantFrom(0, 10, 1100, 5000),
    failure: fc.record({
      code: fc.nat(17),
      message: fc.constantFrom("", "no", "\u00e9 %\r\n", "y".repeat(1200)),
      reason: fc.constantFrom("", "WHY"),
      after: fc.nat(2),
    }),
  },
  { requiredKeys: [] },
);

/** One thing that is odd about a request. With two, each lane may name the other first. */
interface Oddity {
  readonly body?: (body: Buffer) => Buffer;
  readonly timeout?: string;
  readonly encoding?: string;
  readonly type?: (type: string) => string;
  readonly query?: readonly [name: string, value: string];
  readonly method?: string;
}

const oddity: fc.Arbitrary<Oddity> = fc.oneof(
  fc.constant({}),
  fc
    .constantFrom<(body: Buffer) => Buffer>(
      (body) => body.subarray(0, -1),
      (body) => Buffer.concat([body, Buffer.from([0])]),
      (body) => Buffer.concat([body, body]),
      () => Buffer.alloc(0),
      () => Buffer.from("{}"),
      () => Buffer.from([0, 0, 0, 0, 0]),
      () => Buffer.from([1, 0, 0, 0, 0]),
      () => Buffer.from([2, 0, 0, 0, 2, 0x7b, 0x7d]),
      () => Buffer.from([0x80, 0, 0, 0, 0]),
      () => Buffer.from([0, 0xff, 0xff, 0xff, 0xff]),
      () => Buffer.alloc(limitBytes + 1, "x"),
    )
    .map((body) => ({ body })),
  fc.constantFrom("", "0", "0m", "99999999H", "9999999999", "1000S", "100000", "x").map((timeout) => ({ timeout })),
  fc.constantFrom("identity", "snappy", "gzip, br", "").map((encoding) => ({ encoding })),
  fc
    .constantFrom<(type: string) => string>(
      (type) => type.toUpperCase(),
      (type) => `${type}; charset=utf-8`,
      (type) => `${type};charset=latin1`,
      (type) => type.replace(/\+\w+$/, ""),
      () => "text/plain",
    )
    .map((type) => ({ type })),
  fc
    .constantFrom<[string, string]>(["connect", "v2"], ["encoding", "xml"], ["base64", "1"], ["compression", "zstd"])
    .map((query) => ({ query })),
  fc.constantFrom("PUT", "OPTIONS").map((method) => ({ method })),
);

interface Call {
  readonly request: RawRequest;
  readonly httpVersion: HttpVersion;
}

const call: fc.Arbitrary<Call> = fc
  .record({
    wire: fc.constantFrom(...wires),
    codec: fc.constantFrom<Codec>("proto", "json"),
    name: fc.constantFrom<MethodName>("unary", "get", "serverStream", "clientStream", "bidiStream", "missing"),
    httpVersion: fc.constantFrom<HttpVersion>("1.1", "2"),
    isGet: fc.boolean(),
    messages: fc.array(message, { minLength: 1, maxLength: 2 }),
    encoding: fc.constantFrom<Encoding | undefined>(undefined, undefined, "gzip", "br"),
    accept: fc.constantFrom(undefined, undefined, "gzip", "br, gzip", "identity", ""),
    odd: oddity,
  })
  .map(({ httpVersion, isGet, ...how }) => {
    const isReadable = isGet && how.name === "get" && how.wire === "connect";
    return { httpVersion, request: isReadable ? toGet(how) : toPost(how) };
  });

interface How {
  readonly wire: Wire;
  readonly codec: Codec;
  readonly name: MethodName;
  readonly messages: RequestInit[];
  readonly encoding: Encoding | undefined;
  readonly accept: string | undefined;
  readonly odd: Oddity;
}

function toPost({ wire, codec, name, messages, encoding, accept, odd }: How): RawRequest {
  const method = TestService.method[name];
  const names = encodingHeaders(wire, method);
  const body = encodeBody(wire, codec, method, messages, encoding);
  const named = odd.encoding ?? encoding;
  return {
    method: odd.method ?? "POST",
    path: `/${TestService.typeName}/${method.name}`,
    headers: {
      "content-type": (odd.type ?? String)(contentType(wire, codec, method)),
      ...(named !== undefined && { [names.encoding]: named }),
      ...(accept !== undefined && { [names.accept]: accept }),
      ...(odd.timeout !== undefined && { [wire === "connect" ? "connect-timeout-ms" : "grpc-timeout"]: odd.timeout }),
    },
    body: wire === "grpc-web-text" ? body : (odd.body ?? ((same) => same))(body),
  };
}

function toGet({ codec, messages, accept, odd }: How): RawRequest {
  const bytes = serialize(codec, messages[0] ?? {});
  const query = new URLSearchParams({ encoding: codec, connect: "v1" });
  query.set("message", codec === "json" ? bytes.toString() : bytes.toString("base64url"));
  if (codec === "proto") query.set("base64", "1");
  if (odd.query !== undefined) query.set(...odd.query);
  return {
    method: odd.method ?? "GET",
    path: `/${TestService.typeName}/Get?${query}`,
    headers: {
      ...(accept !== undefined && { "accept-encoding": accept }),
      ...(odd.timeout !== undefined && { "connect-timeout-ms": odd.timeout }),
    },
  };
}

/** What a client can see of an answer, but for the date, and for how the body was cut into pieces. */
function visible({ status, headers, trailers, body, text }: RawAnswer) {
  const { date: _, "content-length": _length, "transfer-encoding": _coding, ...rest } = headers;
  const isText = rest["content-type"]?.includes("-text") === true;
  const bytes = isText ? decodeBase64(text) : body;
  return { status, headers: { ...rest }, trailers: { ...trailers }, body: bytes.toString("latin1") };
}

describe("the lanes", () => {
  const servers: TestServer[] = [];
  const connections = new Map<string, Connection>();
  const connection = (server: TestServer, httpVersion: HttpVersion) => {
    const key = `${server.url} ${httpVersion}`;
    const known = connections.get(key) ?? openConnection(server.url, httpVersion);
    connections.set(key, known);
    return known;
  };

  beforeAll(async () => {
    for (const fastLane of [true, false]) servers.push(await startServer({ fastLane, readMaxBytes: limitBytes }));
  });
  afterAll(async () => {
    for (const open of connections.values()) await open[Symbol.asyncDispose]();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  test("answer the same requests with the same bytes", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(call, async ({ request, httpVersion }) => {
        const answers = await Promise.all(servers.map((server) => connection(server, httpVersion).request(request)));
        const [fast, reference] = answers.map(visible);
        expect(fast).toEqual(reference);
      }),
      { numRuns: 1000 },
    );
  });
});
