import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { create, createRegistry } from "@bufbuild/protobuf";
import { AnySchema, anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createContextKey, createContextValues } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { setCompression } from "../../../server/index.js";
import { LegacySchema } from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { NodeSchema, ScalarsSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { beginRequest } from "../../support/http.js";
import { json, type RestServiceImpl, send, startRestServer, versions } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

async function start(implementation: RestServiceImpl = {}, options: TestServerOptions = {}) {
  const server = await startRestServer(implementation, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  test.each([
    ["POST", "/v1/whole", '{"text":"a"}', { text: "a" }],
    ["PUT", "/v1/whole/b", '{"text":"a","flag":true}', { text: "b", flag: true }],
    ["POST", "/v1/whole/b:choose", "{}", { choiceText: "b" }],
    ["POST", "/v1/whole", "", {}],
    [
      "GET",
      "/v1/query?text=a&words=b&words=c&node.number=7",
      undefined,
      { text: "a", words: ["b", "c"], node: { number: 7 } },
    ],
    ["DELETE", "/v1/query/5?flag=true", undefined, { choiceNumber: 5, flag: true }],
    ["PATCH", "/v1/field/shelves/1/books/2?text=x", '{"number":3}', { text: "shelves/1/books/2", number: 3 }],
    ["POST", "/v1/field/number?text=x", '"9007199254740993"', "9007199254740993"],
    ["POST", "/v1/field/words", '["a","b"]', ["a", "b"]],
    [
      "GET",
      "/v1/projects/p/databases/d/documents/a/b/c",
      undefined,
      { name: "projects/p/databases/d/documents/a/b", collection: "c" },
    ],
    ["POST", "/v1/files/a/b:undelete", "", { name: "files/a/b" }],
    ["GET", "/", undefined, {}],
    ["GET", "/v1:about", undefined, {}],
    ["PURGE", "/v1/custom/n", undefined, { name: "n" }],
    ["REPORT", "/v1/any/n", '{"collection":"c"}', { name: "n", collection: "c" }],
  ])("%s %s with %s calls its method", async (method, path, body, expected) => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, method, path, body });
    expect([answer.status, json(answer)]).toEqual([200, expected]);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers.vary).toBe("Accept-Encoding");
    expect(answer.headers["content-length"]).toBe(String(answer.body.length));
  });

  test.each([
    ["/v1/whole", '{"number":9007199254740993}', '{"number":"9007199254740993"}'],
    ["/v1/whole", '{"number":9223372036854775807}', '{"number":"9223372036854775807"}'],
    ["/v1/whole", '{"wrapped":-9007199254740993}', '{"wrapped":"-9007199254740993"}'],
    ["/v1/field/number", "9007199254740993", '"9007199254740993"'],
    ["/v1/whole", '{"scalars":{"floatValue":3.4028235e+38}}', '{"scalars":{"floatValue":3.4028234e+38}}'],
    ["/v1/whole", '{"scalars":{"floatValue":0.1}}', '{"scalars":{"floatValue":0.1}}'],
  ])("POST %s with %s keeps every digit", async (path, body, expected) => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, path, body });
    expect([answer.status, answer.text]).toEqual([200, expected]);
  });

  test.each([
    ["a day that does not exist", '{"moment":"2023-02-29T00:00:00Z"}', "moment: expected an RFC 3339 time"],
    ["hour 24", '{"moment":"2023-02-28T24:00:00Z"}', "moment: expected an RFC 3339 time"],
    ["a number that no double holds", '{"value":{"a":[1e400]}}', 'value["a"][0]: expected a number'],
    [
      "bytes that are not UTF-8",
      Buffer.from('{"text":"\xff"}', "latin1"),
      "JSON line 1, column 9: a string is not valid UTF-8",
    ],
  ])("%s in a body is refused", async (_, body, message) => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body });
    expect([answer.status, json(answer)]).toMatchObject([400, { code: Code.InvalidArgument }]);
    expect((json(answer) as { message: string }).message).toContain(message);
  });

  test.each([
    '{"text":"a","@type":"type.googleapis.com/manywire.test.rest.v1.Node"}',
    '{"number":8,"@type":"type.googleapis.com/manywire.test.rest.v1.Edition"}',
    '{"reason":"R","@type":"type.googleapis.com/google.rpc.ErrorInfo"}',
    '{"value":"1.500s","@type":"type.googleapis.com/google.protobuf.Duration"}',
  ])("an Any in a body may be of every type of the served files, and of well-known types: %s", async (any) => {
    const server = await start();
    const body = `{"trees":{"any":${any}}}`;
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body });
    expect([answer.status, answer.text]).toEqual([200, body]);
  });

  test("a registry adds to these types", async () => {
    const server = await start({}, { rest: { registry: createRegistry(LegacySchema) } });
    for (const any of [
      '{"id":1,"@type":"type.googleapis.com/manywire.test.codec.v1.Legacy"}',
      '{"text":"a","@type":"type.googleapis.com/manywire.test.rest.v1.Node"}',
    ]) {
      const body = `{"trees":{"any":${any}}}`;
      const answer = await send(server.url, { httpVersion, path: "/v1/whole", body });
      expect([answer.status, answer.text]).toEqual([200, body]);
    }
  });

  test.each([
    [
      "a served type, as bytes",
      { type: "manywire.test.rest.v1.Node", value: Buffer.of(0x0a, 1, 0x61) },
      '{"@type":"type.googleapis.com/manywire.test.rest.v1.Node","text":"a"}',
    ],
    [
      "a well-known type",
      { desc: DurationSchema, value: { seconds: 1n } },
      '{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}',
    ],
    [
      "a served type, in an Any of a google.rpc.Status",
      { desc: StatusSchema, value: { details: [anyPack(NodeSchema, create(NodeSchema, { text: "a" }))] } },
      '{"@type":"type.googleapis.com/google.rpc.Status","details":[{"text":"a","@type":"type.googleapis.com/manywire.test.rest.v1.Node"}]}',
    ],
    [
      "an unknown type",
      { type: "un.Known", value: Buffer.of(1, 2) },
      '{"@type":"type.googleapis.com/un.Known","value":"AQI="}',
    ],
    [
      "an unknown type, in an Any of a google.rpc.Status",
      { desc: StatusSchema, value: { details: [create(AnySchema, { typeUrl: "x/un.Known" })] } },
      '{"@type":"type.googleapis.com/google.rpc.Status","value":"GgwKCngvdW4uS25vd24="}',
    ],
    [
      "a message with a float",
      { desc: ScalarsSchema, value: { floatValue: Math.fround(0.1) } },
      '{"@type":"type.googleapis.com/manywire.test.rest.v1.Scalars","floatValue":0.1}',
    ],
  ] as [string, ConnectError["details"][number], string][])(
    "an error may have a detail of %s",
    async (_, detail, text) => {
      const fail = () => {
        throw new ConnectError("no", Code.NotFound, undefined, [detail as never]);
      };
      const server = await start({ whole: fail });
      const answer = await send(server.url, { httpVersion, path: "/v1/whole", body: "{}" });
      expect([answer.status, answer.text]).toEqual([404, `{"code":5,"message":"no","details":[${text}]}`]);
    },
  );

  test.each([
    ["GET", "/v1/nothing", undefined, {}, 404, Code.NotFound, "nothing is served at /v1/nothing"],
    ["GET", "/v1/query/", undefined, {}, 404, Code.NotFound, "nothing is served at /v1/query/"],
    [
      "DELETE",
      "/v1/whole/a",
      undefined,
      {},
      405,
      Code.Unimplemented,
      "/v1/whole/a: expected OPTIONS, PUT; found DELETE",
    ],
    ["GET", "/v1/query?text=%ff", undefined, {}, 400, Code.InvalidArgument, undefined],
    ["GET", "/v1/%zz", undefined, {}, 400, Code.InvalidArgument, "path: invalid percent-encoding or UTF-8"],
    ["POST", "/v1/whole", "{", {}, 400, Code.InvalidArgument, undefined],
    [
      "POST",
      "/v1/whole",
      "{}",
      { "content-type": "text/plain" },
      415,
      Code.InvalidArgument,
      "content-type: expected application/json in UTF-8, found text/plain",
    ],
    [
      "POST",
      "/v1/whole",
      "{}",
      { "content-type": "application/x-ndjson" },
      415,
      Code.InvalidArgument,
      "content-type: expected application/json in UTF-8, found application/x-ndjson",
    ],
    [
      "POST",
      "/v1/whole",
      "{}",
      { "content-type": "application/json; charset=latin1" },
      415,
      Code.InvalidArgument,
      "content-type: expected application/json in UTF-8, found application/json; charset=latin1",
    ],
    [
      "POST",
      "/v1/whole",
      "{}",
      { "content-encoding": "zstd" },
      415,
      Code.InvalidArgument,
      "content-encoding: expected one of gzip, br; found zstd",
    ],
    ["POST", "/v1/whole", "{}", { "content-encoding": "gzip" }, 400, Code.InvalidArgument, undefined],
    [
      "POST",
      "/v1/whole",
      `"${"a".repeat(2000)}"`,
      {},
      413,
      Code.ResourceExhausted,
      "message size 2002 is larger than configured readMaxBytes 1000",
    ],
    [
      "POST",
      "/v1/whole",
      gzipSync(`"${"a".repeat(2000)}"`),
      { "content-encoding": "gzip" },
      413,
      Code.ResourceExhausted,
      undefined,
    ],
    [
      "POST",
      "/v1/whole",
      `{"words":[${Array(101).fill('""')}]}`,
      {},
      413,
      Code.ResourceExhausted,
      "message has more than 100 elements",
    ],
    ["GET", "/v1/query", undefined, { "x-server-timeout": "soon" }, 400, Code.InvalidArgument, undefined],
    ["GET", "/v1/query", undefined, { "x-server-timeout": "0" }, 504, Code.DeadlineExceeded, "the operation timed out"],
    ["GET", "/v1/query", undefined, { "grpc-timeout": "0S" }, 504, Code.DeadlineExceeded, "the operation timed out"],
  ])("%s %s with %s and %o is refused: %i", async (method, path, body, headers, status, code, message) => {
    const server = await start({}, { readMaxBytes: 1000, readMaxElements: 100 });
    const answer = await send(server.url, { httpVersion, method, path, body, headers });
    const found = json(answer) as { code: Code; message: string; details: unknown[] };
    expect([answer.status, found.code]).toEqual([status, code]);
    expect(found.message).toBe(message ?? found.message);
    expect(Object.keys(found)).toEqual(["code", "message", "details"]);
    expect(answer.headers["content-type"]).toBe("application/json");
  });

  test.each([
    ["path", { path: `/v1/nothing${"9".repeat(5000)}` }],
    ["method", { path: "/v1/query", method: "9".repeat(5000) }],
    ["content type", { path: "/v1/whole", method: "POST", body: "{}", headers: { "content-type": "9".repeat(5000) } }],
    ["coding", { path: "/v1/whole", method: "POST", body: "{}", headers: { "content-encoding": "9".repeat(5000) } }],
    ["deadline", { path: "/v1/query", headers: { "x-server-timeout": "9".repeat(5000) } }],
    ["gRPC deadline", { path: "/v1/query", headers: { "grpc-timeout": "9".repeat(5000) } }],
    ["field name", { path: `/v1/query?${"9".repeat(5000)}=1` }],
    ["field value", { path: `/v1/query?number=${"9".repeat(5000)}` }],
  ])("an error quotes 100 characters at most of a %s", async (what, request) => {
    // Node's parser of HTTP/1.1 knows the methods by name.
    if (what === "method" && httpVersion === "1.1") return;
    const server = await start();
    const { message } = json(await send(server.url, { httpVersion, ...request })) as { message: string };
    expect(message).toMatch(/(?<!9)9{0,100}…/u);
    expect(message.length).toBeLessThan(300);
  });

  test("a body without a type is refused, and one that is empty not", async () => {
    const server = await start();
    const headers = {};
    const open = await beginRequest(server.url, { httpVersion, path: "/v1/whole", headers });
    open.body.end("{}");
    expect((await open.answer).status).toBe(415);
    await open[Symbol.asyncDispose]();
    const empty = await beginRequest(server.url, { httpVersion, path: "/v1/whole", headers });
    empty.body.end();
    expect((await empty.answer).status).toBe(200);
    await empty[Symbol.asyncDispose]();
  });

  test("a body that grows over the limit is refused", async () => {
    const server = await start({}, { readMaxBytes: 1000 });
    const body = Array.from({ length: 20 }, () => Buffer.alloc(100, " "));
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body });
    expect([answer.status, (json(answer) as { code: Code }).code]).toEqual([413, Code.ResourceExhausted]);
  });

  test("what does not fit the schema is named", async () => {
    const server = await start();
    const answer = await send(server.url, { httpVersion, path: "/v1/query?node.number=x" });
    expect(json(answer)).toEqual({
      code: Code.InvalidArgument,
      message: expect.stringContaining("node.number: "),
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "node.number", description: expect.any(String) }],
        },
      ],
    });
  });

  test("a method that is not allowed has those that are in Allow; so has OPTIONS", async () => {
    const server = await start();
    const wrong = await send(server.url, { httpVersion, method: "POST", path: "/v1/query" });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
    const options = await send(server.url, { httpVersion, method: "OPTIONS", path: "/v1/query" });
    expect([options.status, options.headers.allow, options.text]).toEqual([204, "GET, HEAD, OPTIONS", ""]);
    expect(options.headers["content-length"]).toBeUndefined();
  });

  test.each(["/v1/query?text=a", "/v1/nothing", "/v1/query?text=%ff"])(
    "HEAD %s is GET without a body",
    async (path) => {
      const server = await start();
      const get = await send(server.url, { httpVersion, path });
      const head = await send(server.url, { httpVersion, method: "HEAD", path });
      const withoutDate = (headers: object) => Object.entries(headers).filter(([name]) => name !== "date");
      expect(withoutDate(head.headers)).toEqual(withoutDate(get.headers));
    },
  );

  test.each([
    [Code.Canceled, 499],
    [Code.Unknown, 500],
    [Code.InvalidArgument, 400],
    [Code.DeadlineExceeded, 504],
    [Code.NotFound, 404],
    [Code.AlreadyExists, 409],
    [Code.PermissionDenied, 403],
    [Code.Unauthenticated, 401],
    [Code.ResourceExhausted, 429],
    [Code.FailedPrecondition, 400],
    [Code.Aborted, 409],
    [Code.OutOfRange, 400],
    [Code.Unimplemented, 501],
    [Code.Internal, 500],
    [Code.Unavailable, 503],
    [Code.DataLoss, 500],
  ])("code %i is status %i", async (code, status) => {
    const details = [{ desc: ErrorInfoSchema, value: { reason: "R", domain: "d" } }];
    const server = await start({
      query: (_, { responseHeader }) => {
        responseHeader.set("x-before", "b");
        throw new ConnectError("no", code, { "x-meta": "m" }, details);
      },
    });
    const answer = await send(server.url, { httpVersion, path: "/v1/query" });
    expect([answer.status, answer.headers["x-meta"], answer.headers["x-before"]]).toEqual([status, "m", "b"]);
    const detail = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "R", domain: "d" };
    expect(json(answer)).toEqual({ code, message: "no", details: [detail] });
    expect(server.finished.map(({ protocol, code }) => [protocol, code])).toEqual([["rest", code]]);
  });

  test("an unexpected error of a handler is internal without its text", async () => {
    const server = await start({
      query: () => {
        throw new Error("secret");
      },
    });
    const answer = await send(server.url, { httpVersion, path: "/v1/query" });
    expect([answer.status, json(answer)]).toEqual([500, { code: 13, message: "internal error", details: [] }]);
  });

  test("headers come and go unchanged, repeated cookies among them, and trailers where they are asked for", async () => {
    const server = await start({
      query: (_, { requestHeader, responseHeader, responseTrailer }) => {
        responseHeader.set("x-back", requestHeader.get("x-there") ?? "");
        responseHeader.append("set-cookie", "a=1, b");
        responseHeader.append("set-cookie", "c=2");
        responseTrailer.set("x-last", "l");
        return {};
      },
    });
    const headers = { "x-there": "t" };
    const plain = await send(server.url, { httpVersion, path: "/v1/query", headers });
    expect([plain.headers["x-back"], plain.headers["set-cookie"]]).toEqual(["t", ["a=1, b", "c=2"]]);
    expect([plain.trailers["x-last"], plain.headers.trailer, plain.headers["content-length"]]).toEqual([
      undefined,
      undefined,
      "2",
    ]);
    const asked = await send(server.url, { httpVersion, path: "/v1/query", headers: { ...headers, te: "trailers" } });
    expect([asked.trailers["x-last"], asked.headers.trailer, asked.text]).toEqual(["l", "x-last", "{}"]);
  });

  test("headers of the connection, and those that the transcoder reads, are not metadata", async () => {
    const seen: string[] = [];
    const server = await start({
      whole: (_, { requestHeader }) => {
        seen.push(...requestHeader.keys());
        return {};
      },
    });
    const hops = { connection: "close, X-Hop", "x-hop": "h", "keep-alive": "timeout=5", "proxy-connection": "close" };
    const headers = {
      ...(httpVersion === "1.1" ? hops : {}),
      ...{ te: "trailers", "proxy-authorization": "p", "accept-encoding": "br", "content-encoding": "identity" },
      ...{ "x-server-timeout": "9", "grpc-timeout": "9S", "connect-timeout-ms": "9000" },
      ...{ authorization: "a", accept: "*/*", cookie: "c=1", "user-agent": "u", "x-there": "t" },
    };
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body: "{}", headers });
    expect(answer.status).toBe(200);
    expect(seen).toEqual(["accept", "authorization", "cookie", "user-agent", "x-there"]);
  });

  test("what a handler sets of the connection and the body is not sent", async () => {
    const server = await start({
      query: (_, { responseHeader, responseTrailer }) => {
        for (const name of ["connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "te"]) {
          responseHeader.set(name, "9");
        }
        responseHeader.set("content-encoding", "gzip");
        responseHeader.set("x-back", "b");
        for (const name of ["content-length", "content-type", "transfer-encoding"]) responseTrailer.set(name, "9");
        responseTrailer.set("x-last", "l");
        return {};
      },
    });
    const plain = await send(server.url, { httpVersion, path: "/v1/query" });
    expect([plain.status, plain.text, plain.headers["x-back"]]).toEqual([200, "{}", "b"]);
    const values = Object.values(plain.headers);
    expect([values.includes("9"), plain.headers["content-encoding"]]).toEqual([false, undefined]);
    const asked = await send(server.url, { httpVersion, path: "/v1/query", headers: { te: "trailers" } });
    expect([asked.text, Object.keys(asked.trailers), asked.headers.trailer]).toEqual(["{}", ["x-last"], "x-last"]);
  });

  test.each([
    { "x-server-timeout": "0.03" },
    { "grpc-timeout": "30m" },
    { "connect-timeout-ms": "30" },
    { "x-server-timeout": "0.03", "grpc-timeout": "9H" },
  ])("a deadline by %o ends the call, even if its handler ignores it", async (headers) => {
    let isAborted = false;
    const server = await start({
      query: (_, { signal }) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    const answer = await send(server.url, { httpVersion, path: "/v1/query", headers });
    expect([answer.status, json(answer), isAborted]).toEqual([
      504,
      { code: Code.DeadlineExceeded, message: "the operation timed out", details: [] },
      true,
    ]);
  });

  test("a client that vanishes aborts its call", async () => {
    let begin = (_: AbortSignal) => {};
    const begun = new Promise<AbortSignal>((resolve) => {
      begin = resolve;
    });
    const server = await start({
      query: (_, { signal }) => {
        begin(signal);
        return new Promise(() => {});
      },
    });
    await using open = await beginRequest(server.url, { httpVersion, method: "GET", path: "/v1/query" });
    if (httpVersion === "1.1") open.body.end();
    const signal = await begun;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    open.vanish();
    await aborted;
    expect(server.finished.map(({ protocol }) => protocol)).toEqual(["rest"]);
  });

  test.each([
    ["gzip", "gzip", gunzipSync],
    ["br", "br", brotliDecompressSync],
    ["gzip;q=0, br", "br", brotliDecompressSync],
    ["gzip;q=0.5, br;q=0.9", "br", brotliDecompressSync],
    ["deflate", undefined, (body: Buffer) => body],
    ["identity", undefined, (body: Buffer) => body],
  ] as const)("Accept-Encoding: %s compresses by %s", async (accepted, name, decompress) => {
    const server = await start();
    const text = "a".repeat(5000);
    const headers = { "accept-encoding": accepted };
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body: JSON.stringify({ text }), headers });
    expect([answer.headers["content-encoding"], answer.headers.vary]).toEqual([name, "Accept-Encoding"]);
    expect(JSON.parse(decompress(answer.body).toString())).toEqual({ text });
    const small = await send(server.url, { httpVersion, path: "/v1/whole", body: "{}", headers });
    expect([small.headers["content-encoding"], small.headers.vary, small.text]).toEqual([
      undefined,
      "Accept-Encoding",
      "{}",
    ]);
  });

  test.each([
    ["by default", {}, undefined, "gzip"],
    ["with compressResponses: false", { compressResponses: false }, undefined, undefined],
    ["if its handler says so", { compressResponses: false }, true, "gzip"],
    ["unless its handler says so", {}, false, undefined],
  ] as const)("a response is compressed %s: %j, %s", async (_, options, choice, name) => {
    const whole: RestServiceImpl["whole"] = (message, context) => {
      if (choice !== undefined) setCompression(context, choice);
      return message;
    };
    const server = await start({ whole }, options);
    const body = JSON.stringify({ text: "a".repeat(5000) });
    const answer = await send(server.url, {
      httpVersion,
      path: "/v1/whole",
      body,
      headers: { "accept-encoding": "gzip" },
    });
    expect(answer.headers["content-encoding"]).toBe(name);
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["identity", (text: string) => text],
  ] as const)("a body may be compressed by %s", async (name, compress) => {
    const server = await start();
    const headers = { "content-encoding": name };
    const answer = await send(server.url, { httpVersion, path: "/v1/whole", body: compress('{"text":"a"}'), headers });
    expect(json(answer)).toEqual({ text: "a" });
  });

  test("bytes go in and out as they are, with their type, which is not sniffed", async () => {
    const server = await start();
    const body = Buffer.from([0, 255, 10]);
    const headers = { "content-type": "image/x-own; a=b" };
    const raw = await send(server.url, { httpVersion, path: "/v1/raw", body, headers });
    expect([raw.headers["content-type"], raw.headers["x-content-type-options"]]).toEqual([
      "image/x-own; a=b",
      "nosniff",
    ]);
    expect(raw.body).toEqual(body);
    const file = await send(server.url, { httpVersion, method: "PUT", path: "/v1/file/a/b", body, headers });
    expect([file.headers["content-type"], file.body]).toEqual(["image/x-own; a=b", body]);
  });

  test("a content type that is not a header value is an internal error", async () => {
    const server = await start({ raw: () => ({ contentType: "a\r\nx-evil: 1", data: new Uint8Array() }) });
    const answer = await send(server.url, { httpVersion, path: "/v1/raw", body: "" });
    expect([answer.status, answer.headers["x-evil"]]).toEqual([500, undefined]);
  });

  test("bytes that the handler has compressed itself are not compressed again", async () => {
    const data = gzipSync("a".repeat(5000));
    const server = await start({
      raw: (_, { responseHeader }) => {
        responseHeader.set("content-encoding", "gzip");
        return { contentType: "text/plain", data: new Uint8Array(Buffer.concat([data, Buffer.alloc(2000)])) };
      },
    });
    const headers = { "accept-encoding": "br, gzip" };
    const answer = await send(server.url, { httpVersion, path: "/v1/raw", body: "", headers });
    expect([answer.headers["content-encoding"], answer.body.length]).toEqual(["gzip", data.length + 2000]);
  });
});

test("interceptors and context values see a REST call as any other", async () => {
  const key = createContextKey("none");
  const seen: unknown[] = [];
  const server = await start(
    {
      query: (message, { values, protocolName, requestMethod, url }) => {
        seen.push(values.get(key), protocolName, requestMethod, new URL(url).pathname);
        return message;
      },
    },
    {
      contextValues: () => createContextValues().set(key, "set"),
      interceptors: [
        (next) => async (request) => {
          seen.push(request.method.name, request.header.get("x-there"));
          const response = await next(request);
          response.header.set("x-intercepted", "yes");
          return response;
        },
      ],
    },
  );
  const answer = await send(server.url, { path: "/v1/query?text=a", headers: { "x-there": "t" } });
  expect([answer.headers["x-intercepted"], json(answer)]).toEqual(["yes", { text: "a" }]);
  expect(seen).toEqual(["Query", "t", "set", "rest", "GET", "/v1/query"]);
});

test("a path of an RPC is one before it is a route", async () => {
  const server = await start();
  const path = `/${RestService.typeName}/Whole`;
  expect(json(await send(server.url, { path, body: '{"text":"a"}' }))).toEqual({ text: "a" });
});

test("a path of no RPC is a route for those who speak no RPC protocol", async () => {
  const selector = `${RestService.typeName}.Template`;
  const server = await start({}, { httpRules: { rules: [{ selector, post: "/{name=**}", body: "*" }] } });
  const path = `/${RestService.typeName}/Nothing`;
  expect(json(await send(server.url, { path, body: "{}" }))).toEqual({ name: path.slice(1) });
  const headers = { "content-type": "application/grpc" };
  const answer = await send(server.url, { httpVersion: "2", path, body: "", headers });
  expect([answer.status, answer.headers["grpc-status"]]).toEqual([200, "12"]);
});

test("the shape of errors and of JSON is the application's to say", async () => {
  const server = await start(
    {},
    { rest: { errorShape: "google", emitDefaults: false, useProtoNames: true, enumsAsNumbers: true } },
  );
  expect(json(await send(server.url, { path: "/v1/nothing" }))).toEqual({
    error: { code: 404, status: "NOT_FOUND", message: "nothing is served at /v1/nothing", details: [] },
  });
  const answer = await send(server.url, { path: "/v1/query?choiceText=a&color=COLOR_RED" });
  expect(json(answer)).toEqual({ choice_text: "a", color: 1 });
});

test("wrong rules stop the making of a server, all at once", async () => {
  const rule = (method: string, get: string) => ({ selector: `${RestService.typeName}.${method}`, get });
  const rules = [{ ...rule("Path", "/"), gett: "/" }, rule("Whole", "/v1/{"), rule("Query", "/v1/{nothing}")];
  const failure = await startRestServer({}, { httpRules: { http: { rules } } }).then(
    () => "",
    (error: Error) => error.message,
  );
  expect(failure.split("\n")).toEqual([
    `${RestService.typeName}.Path: http rule 1: gett: google.api.HttpRule has no such field`,
    `${RestService.typeName}.Whole: http rule get "/v1/{": column 6: expected a field name, found end of template`,
    `${RestService.typeName}.Query: http rule get "/v1/{nothing}": column 6: expected a field of manywire.test.rest.v1.Everything, found "nothing"`,
  ]);
});
