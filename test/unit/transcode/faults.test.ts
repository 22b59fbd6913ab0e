// REST calls whose response cannot be sent as it was meant: wrong errors, metadata that is too large, and callbacks of the
// application that fail.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import type { HandlerContext } from "../../../server/index.js";
import type { RawAnswer, RawRequest } from "../../support/http.js";
import { json, type RestServiceImpl, send, startRestServer, versions } from "../../support/rest-service.js";
import type { TestServer, TestServerOptions } from "../../support/server.js";

const large = "x".repeat(70_000);
const secret = new Error("hunter2");
const info = { desc: ErrorInfoSchema, value: { reason: "GONE" } };
const infoJson = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "GONE" };

const notFound = (properties: object = {}) => Object.assign(new ConnectError("not here", Code.NotFound), properties);

async function start(implementation: RestServiceImpl, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startRestServer(implementation, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A server whose unary and streaming method throw the reason; the stream after one reply. */
function startFailing(
  reason: unknown,
  options?: TestServerOptions,
  prepare: (context: HandlerContext) => void = () => {},
) {
  return start(
    {
      query(_, context) {
        prepare(context);
        throw reason;
      },
      async *serverStream(_, context) {
        prepare(context);
        yield { text: "a" };
        throw reason;
      },
    },
    options,
  );
}

const unary: RawRequest = { path: "/v1/query" };
const stream: RawRequest = { path: "/v1/server-stream/a?number=2" };

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  const call = (server: TestServer, request: RawRequest): Promise<RawAnswer> =>
    send(server.url, { httpVersion, ...request });

  test.each([0, 17, 1001, -1, 5.5, Number.NaN, "ECONNREFUSED"])(
    "the code %s is unknown, 500, with a warning",
    async (code) => {
      const server = await startFailing(notFound({ code }));
      const answer = await call(server, unary);
      expect([answer.status, json(answer)]).toEqual([500, { code: Code.Unknown, message: "not here", details: [] }]);
      const broken = json(await call(server, stream)) as unknown[];
      expect(broken.at(-1)).toEqual({ error: { code: Code.Unknown, message: "not here", details: [] } });
      expect(server.finished.map(({ code, warnings }) => [code, warnings.length])).toEqual([
        [Code.Unknown, 1],
        [Code.Unknown, 1],
      ]);
    },
  );

  test.each([
    [{ desc: RetryInfoSchema, value: { retryDelay: { nanos: 1500000.5 } } }],
    [{ desc: RetryInfoSchema, value: { retryDelay: { nanos: Number.NaN } } }],
    [{ type: "a.B", value: "no bytes" }],
    [null],
  ])("the detail %j is omitted, with a warning", async (detail) => {
    const server = await startFailing(notFound({ details: [detail, info] }));
    const answer = await call(server, unary);
    expect([answer.status, json(answer)]).toEqual([404, { code: 5, message: "not here", details: [infoJson] }]);
    expect(server.finished[0]?.warnings).toEqual([expect.stringMatching(/^error detail 0 .*; not sent$/)]);
  });

  test("an error of grpc-js keeps its code", async () => {
    const server = await startFailing({ code: 5, details: "not here" });
    const answer = await call(server, unary);
    expect([answer.status, json(answer)]).toEqual([404, { code: 5, message: "not here", details: [] }]);
  });

  test.each<[what: string, prepare: (context: HandlerContext) => void, headers: Record<string, string>]>([
    ["headers", ({ responseHeader }) => responseHeader.set("x-large", large), {}],
    ["trailers", ({ responseTrailer }) => responseTrailer.set("x-large", large), { te: "trailers" }],
    ["a control character in headers", ({ responseHeader }) => responseHeader.set("x-odd", "\u0001"), {}],
    [
      "a control character in trailers",
      ({ responseTrailer }) => responseTrailer.set("x-odd", "\u0001"),
      { te: "trailers" },
    ],
  ])("%s that cannot be sent fail their call with 500, and an error keeps its status", async (_, prepare, headers) => {
    const server = await start({
      query({ text }, context) {
        prepare(context);
        if (text === "fails") throw notFound();
        return { text };
      },
    });
    const good = await call(server, { path: "/v1/query?text=a", headers });
    const message = "the headers or trailers of the response cannot be sent";
    expect([good.status, json(good)]).toEqual([500, { code: Code.Internal, message, details: [] }]);
    const bad = await call(server, { path: "/v1/query?text=fails", headers });
    expect([bad.status, json(bad)]).toEqual([404, { code: 5, message: "not here", details: [] }]);
    expect(server.finished.map(({ code }) => code)).toEqual([Code.Internal, Code.NotFound]);
    expect(server.finished[1]?.warnings).toEqual([expect.stringMatching(/^response metadata not sent: /)]);
  });

  test.each([{}, { "accept-encoding": "gzip" }])(
    "trailers of a stream that are too large end it with an error: %o",
    async (more) => {
      const server = await start({
        async *serverStream(_, { responseTrailer }) {
          yield { text: "a" };
          // The head has left by then.
          await delay(20);
          responseTrailer.set("x-large", large);
        },
      });
      const headers = { te: "trailers", accept: "application/x-ndjson", "accept-encoding": "identity" };
      const answer = await call(server, { ...stream, headers });
      const lines = answer.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines).toEqual([{ text: "a" }, { error: expect.objectContaining({ code: Code.Internal }) }]);
      const compressed = await call(server, { ...stream, headers: { ...headers, ...more } });
      expect(compressed.status).toBe(200);
      expect(server.finished.map(({ code }) => code)).toEqual([Code.Internal, Code.Internal]);
    },
  );

  const faults: [how: string, run: () => Promise<never>][] = [
    [
      "throws at once",
      () => {
        throw secret;
      },
    ],
    ["rejects", () => Promise.reject(secret)],
    ["gives no bytes", async () => "secret" as never],
  ];
  test.each(faults)("a compression that %s is an internal error, and an error is sent as it is", async (_, run) => {
    const gzip = { name: "gzip", compress: run, decompress: run };
    const server = await start(
      {
        query({ text }) {
          if (text === "fails") throw notFound();
          return { text };
        },
      },
      { acceptCompression: [gzip], compressMinBytes: 0 },
    );
    const headers = { "accept-encoding": "gzip" };
    const good = await call(server, { path: "/v1/query?text=a", headers });
    expect([good.status, json(good)]).toMatchObject([500, { code: Code.Internal, message: "gzip compression failed" }]);
    const bad = await call(server, { path: "/v1/query?text=fails", headers });
    expect([bad.status, json(bad), bad.headers["content-encoding"]]).toMatchObject([404, { code: 5 }, undefined]);
    const sent = await call(server, {
      path: "/v1/whole",
      body: "{}",
      headers: { "content-encoding": "gzip" },
    });
    expect([sent.status, json(sent)]).toMatchObject([500, { code: 13, message: "gzip decompression failed" }]);
    expect(
      server.finished.map(({ code, error, warnings }) => [code, error?.cause !== undefined, warnings.length]),
    ).toEqual([
      [Code.Internal, true, 1],
      [Code.NotFound, false, 1],
      [Code.Internal, true, 0],
    ]);
  });

  test("a decompression that ignores the limit is refused by what it gives", async () => {
    const identity = {
      name: "gzip",
      compress: async (data: Uint8Array) => data,
      decompress: async () => new Uint8Array(2000),
    };
    const server = await start({}, { acceptCompression: [identity as never], readMaxBytes: 1000 });
    const answer = await call(server, { path: "/v1/whole", body: "{}", headers: { "content-encoding": "gzip" } });
    expect(answer.status).toBe(413);
  });

  test.each([
    () => {
      throw secret;
    },
    () => undefined as never,
    () => 5n as never,
  ])("an error shape that fails is reported, and the error has the usual one", async (errorShape) => {
    const reports: string[] = [];
    const options = { rest: { errorShape }, onConnectionError: (_: Error, step: string) => reports.push(step) };
    const server = await startFailing(notFound(), options);
    const answer = await call(server, unary);
    expect([answer.status, json(answer)]).toEqual([404, { code: 5, message: "not here", details: [] }]);
    expect((await call(server, { path: "/v1/nothing" })).status).toBe(404);
    const broken = json(await call(server, stream)) as unknown[];
    expect(broken.at(-1)).toMatchObject({ error: { code: 5 } });
    expect(reports).toEqual(Array(3).fill("error shape"));
  });

  test("an observer, a listener on the signal and context values that throw end no call wrongly", async () => {
    const reports: string[] = [];
    const throwing = () => {
      throw secret;
    };
    const options = { onCall: throwing, onConnectionError: (_: Error, step: string) => reports.push(step) };
    const implementation: RestServiceImpl = {
      query({ text }, { signal }) {
        signal.addEventListener("abort", throwing);
        return { text };
      },
    };
    const server = await start(implementation, options);
    const answer = await call(server, { path: "/v1/query?text=a" });
    expect([answer.status, json(answer)]).toEqual([200, { text: "a" }]);
    expect(reports.sort()).toEqual(["abort listener", "observer"]);
    const other = await start({}, { contextValues: throwing });
    const failed = await call(other, unary);
    expect([failed.status, json(failed)]).toEqual([500, { code: 13, message: "internal error", details: [] }]);
    expect(other.finished[0]?.error?.cause).toBe(secret);
  });

  test("an interceptor that passes on an unexpected error does not reveal its text", async () => {
    const causes: unknown[] = [];
    const passOn = (reason: unknown) => {
      const error = ConnectError.from(reason);
      causes.push(error.cause);
      return error;
    };
    const server = await startFailing(secret, {
      interceptors: [
        (next) => (request) =>
          next(request).catch((reason) => {
            throw passOn(reason);
          }),
      ],
    });
    const answer = await call(server, unary);
    expect([answer.status, json(answer)]).toEqual([500, { code: 13, message: "internal error", details: [] }]);
    expect((await call(server, stream)).text).not.toContain("hunter2");
    expect(causes).toEqual([secret]);
  });

  test.each<[string, RawRequest]>([
    ["JSON", { path: "/v1/query" }],
    ["an error", { path: "/v1/query?nothing=1" }],
    ["a JSON array", stream],
    ["lines", { ...stream, headers: { accept: "application/x-ndjson" } }],
    ["events", { ...stream, headers: { accept: "text/event-stream" } }],
    ["a refusal", { path: "/v1/nothing" }],
  ])("browsers are told not to sniff the type of %s", async (_, request) => {
    const answer = await call(await start({}), request);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });
});
