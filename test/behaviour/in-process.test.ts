// Calls from inside the process: of own methods and of forwarded ones they are calls like all others.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import type { CallRequest, FinishedCall, ServerOptions } from "../../server/index.js";
import { createServer } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { serverIdentity } from "../support/certificates.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { SeenCalls } from "../support/seen-calls.js";
import { startServer } from "../support/server.js";
import { createTestService } from "../support/service.js";

const service = TestService.typeName;

/** A server that does not listen, with the test service. */
type Open = (options?: Partial<ServerOptions>) => Promise<{
  readonly call: (
    method: string,
    request?: Omit<CallRequest, "method">,
  ) => ReturnType<ReturnType<typeof createServer>["call"]>;
  readonly server: ReturnType<typeof createServer>;
  readonly seen: SeenCalls;
}>;

const openOwn: Open = async (options = {}) => {
  const seen = new SeenCalls();
  const server = createServer({
    routes: (router) => router.service(TestService, createTestService(seen)),
    drainTimeoutMs: 1000,
    ...options,
  });
  onTestFinished(() => server.close());
  return { server, seen, call: (method, request) => server.call({ method: `${service}/${method}`, ...request }) };
};

const openForwarded: Open = async (options = {}) => {
  const upstream = await startServer();
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const server = createServer({
    routes: () => {},
    upstreams: [{ url: upstream.url }],
    drainTimeoutMs: 1000,
    ...options,
  });
  onTestFinished(() => server.close());
  // The first call begins to read the schema.
  await server.call({ method: "" });
  while (!server.health.isServing()) await delay(5);
  return {
    ...{ server, seen: upstream.seen },
    call: (method, request) => server.call({ method: `${service}/${method}`, ...request }),
  };
};

const reply = (text: string, index = 0) => JSON.stringify({ text, ...(index > 0 && { index }) });
const texts = async (messages: AsyncIterable<string>) => (await collect(messages)).map((json) => JSON.parse(json).text);

describe.each([
  ["an own method", openOwn, {}],
  ["an own method, with Connect's handlers", openOwn, { fastLane: false }],
  ["a forwarded method", openForwarded, {}],
  ["a forwarded method, with an interceptor", openForwarded, { interceptors: [(next) => (call) => next(call)] }],
] as readonly [string, Open, Partial<ServerOptions>][])("%s", (_, open, options) => {
  test("replies with JSON, headers and trailers", async () => {
    const { call } = await open(options);
    const headers = { "x-echo-own": "1", "x-echo-trailer-own": "2" };
    const response = await call("Unary", { json: '{"text":"a"}', headers });
    expect(JSON.parse(await response.message())).toEqual({ text: "a" });
    expect(response.headers.get("x-echo-own")).toBe("1");
    expect([...response.headers.keys()].filter((name) => name.startsWith("content-"))).toEqual([]);
    const { code, message, details, trailers } = await response.status;
    expect([code, message, details, trailers.get("x-echo-trailer-own")]).toEqual([undefined, "", [], "2"]);
  });

  test("streams", async () => {
    const { call } = await open(options);
    const down = await call("ServerStream", { json: '{"text":"down","count":3}', headers: { "x-echo-trailer": "t" } });
    expect(await texts(down.messages)).toEqual(["down", "down", "down"]);
    expect((await down.status).trailers.get("x-echo-trailer")).toBe("t");
    expect(await collect((await call("ServerStream")).messages)).toEqual([]);
    const up = await call("ClientStream", { json: ['{"text":"a"}', '{"text":"b"}'] });
    expect(JSON.parse(await up.message())).toEqual({ text: "a,b", index: 2 });
    expect(JSON.parse(await (await call("ClientStream")).message())).toEqual({});
  });

  test("streams in both directions at the same time", async () => {
    const { call } = await open(options);
    const turns: string[] = [];
    let pass = () => {};
    async function* requests() {
      for (const text of ["a", "b", "c"]) {
        turns.push(`asks ${text}`);
        yield JSON.stringify({ text });
        await new Promise<void>((resolve) => {
          pass = resolve;
        });
      }
    }
    const { messages } = await call("BidiStream", { json: requests() });
    for await (const message of messages) {
      turns.push(`gets ${JSON.parse(message).text}`);
      pass();
    }
    expect(turns).toEqual(["asks a", "gets a", "asks b", "gets b", "asks c", "gets c"]);
  });

  test.each([
    ["Unary", { failure: { code: Code.NotFound, message: "nö", reason: "GONE" } }, 0],
    ["ServerStream", { count: 3, failure: { code: Code.NotFound, message: "nö", reason: "GONE", after: 2 } }, 2],
  ])("fails with code, message, metadata and details as JSON: %s", async (method, request, replies) => {
    const { call } = await open(options);
    const { messages, status } = await call(method, {
      json: JSON.stringify(request),
      headers: { "x-fail-x-why": "so" },
    });
    let found = 0;
    const error = await failureOf(
      (async () => {
        for await (const _ of messages) found++;
      })(),
    );
    expect([found, error.code, error.rawMessage, error.metadata.get("x-why")]).toEqual([
      replies,
      Code.NotFound,
      "nö",
      "so",
    ]);
    const { trailers, ...end } = await status;
    const detail = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "GONE", domain: "manywire.test" };
    expect(end).toEqual({ code: Code.NotFound, message: "nö", details: [detail] });
    expect(trailers.get("x-why")).toBe("so");
  });

  test("is cancelled by its signal, and by a reader that stops", async () => {
    const { call, seen } = await open(options);
    const controller = new AbortController();
    const called = call("Unary", { json: '{"text":"cancel","waitMs":60000}', signal: controller.signal });
    await seen.started("cancel");
    controller.abort();
    const { message, status } = await called;
    expect((await failureOf(message())).code).toBe(Code.Canceled);
    expect((await status).code).toBe(Code.Canceled);
    expect((await seen.ended("cancel")).kind).toBe("threw");

    const json = '{"text":"stop","count":1000000,"replyBytes":10000}';
    const stream = await call("ServerStream", { json });
    for await (const _ of stream.messages) break;
    expect((await stream.status).code).toBe(Code.Canceled);
    await seen.ended("stop");

    const aborted = await call("Unary", { json: '{"text":"never"}', signal: AbortSignal.abort() });
    expect((await aborted.status).code).toBe(Code.Canceled);
    expect(seen.has("never")).toBe(false);
  });

  test("ends at its deadline", async () => {
    const { call } = await open(options);
    const late = await call("Unary", { json: '{"text":"late","waitMs":60000}', timeoutMs: 50 });
    expect((await late.status).code).toBe(Code.DeadlineExceeded);
    const stream = await call("ServerStream", { json: '{"text":"slow","count":5,"waitMs":60000}', timeoutMs: 50.5 });
    expect((await failureOf(collect(stream.messages))).code).toBe(Code.DeadlineExceeded);
    expect((await (await call("Unary", { timeoutMs: 0 })).status).code).toBe(Code.DeadlineExceeded);
    expect((await (await call("Unary", { timeoutMs: Number.POSITIVE_INFINITY })).status).code).toBeUndefined();
  });

  test("has the limits of the server", async () => {
    const { call } = await open({ ...options, readMaxBytes: 100 });
    const json = JSON.stringify({ text: "x".repeat(200) });
    expect((await (await call("Unary", { json })).status).code).toBe(Code.ResourceExhausted);
    expect((await failureOf((await call("ClientStream", { json: [json] })).message())).code).toBe(
      Code.ResourceExhausted,
    );
    const invalid = await call("Unary", { json: "{" });
    expect((await invalid.status).code).toBe(Code.InvalidArgument);
  });

  test("is seen by interceptors and by onCall", async () => {
    const finished: FinishedCall[] = [];
    const seen: string[] = [];
    const interceptor: Interceptor = (next) => (request) => {
      seen.push(`${request.method.name} ${request.header.get("x-own")}`);
      return next(request);
    };
    const interceptors = [...(options.interceptors ?? []), interceptor];
    const { call } = await open({ ...options, interceptors, onCall: (one) => void finished.push(one) });
    await (await call("Unary", { headers: { "x-own": "1" } })).message();
    await collect((await call("ServerStream", { headers: { "x-own": "2" } })).messages);
    await expect
      .poll(() => finished.map(({ method, protocol, code }) => [method.path, protocol, code]))
      .toEqual([
        [`/${service}/Unary`, "connect", undefined],
        [`/${service}/ServerStream`, "connect", undefined],
      ]);
    expect(seen).toEqual(["Unary 1", "ServerStream 2"]);
  });

  test("is what `close` waits for", async () => {
    const { call, server, seen } = await open(options);
    const gate = seen.hold("held");
    const called = call("Unary", { json: '{"text":"held"}' });
    await seen.started("held");
    const closed = server.close();
    gate.open();
    expect(JSON.parse(await (await called).message())).toEqual({ text: "held" });
    await closed;
  });

  test("can be called where the server serves no Connect, under a prefix, and asks for the version of Connect", async () => {
    const { call } = await open({
      ...options,
      // Connect's handlers have no other way in.
      connect: options.fastLane === false,
      ...{ requestPathPrefix: "/api", requireConnectProtocolHeader: true },
    });
    expect(await (await call("Unary", { json: reply("a") })).message()).toContain("a");
  });
});

test.each(["connect", "grpc-web", "rest"] as const)(
  "a typed client calls by `server.fetch` over %s",
  async (protocol) => {
    const { server } = await openOwn({
      httpRules: { rules: [{ selector: `${service}.Unary`, post: "/v1/unary", body: "*" }] },
    });
    const transport = createTransport({
      protocol,
      baseUrl: "http://localhost",
      fetch: (url, init) => server.fetch(new Request(url, init)),
      ...(protocol === "rest" && {
        httpRules: { rules: [{ selector: `${service}.Unary`, post: "/v1/unary", body: "*" }] },
      }),
    });
    const client = createClient(TestService, transport);
    const text = "x".repeat(5000);
    expect((await client.unary({ text })).text).toBe(text);
    const failure = { code: Code.NotFound, message: "gone" };
    expect((await failureOf(client.unary({ failure }))).code).toBe(Code.NotFound);
    const both = await failureOf(collect(client.bidiStream(each({}))));
    expect([both.code, both.rawMessage]).toEqual([
      Code.Unimplemented,
      `${service}/BidiStream: transports with fetch cannot send and receive at the same time`,
    ]);
    if (protocol === "rest") return;
    expect(await collect(client.serverStream({ count: 3 }))).toHaveLength(3);
  },
);

test("headers of the caller do not change how messages are sent", async () => {
  const { call } = await openOwn({ compressMinBytes: 0 });
  const headers = {
    "accept-encoding": "gzip",
    "connect-accept-encoding": "gzip",
    "content-encoding": "gzip",
    "content-type": "application/proto",
    "content-length": "1",
    "connect-timeout-ms": "0",
  };
  expect(JSON.parse(await (await call("Unary", { json: reply("a"), headers })).message())).toEqual({ text: "a" });
  const stream = await call("ServerStream", { json: '{"text":"b","count":1}', headers });
  expect(JSON.parse(await stream.message())).toEqual({ text: "b" });
});

test("`message` is for calls with one reply", async () => {
  const { call } = await openOwn();
  const errors = await Promise.all(
    ['{"count":0}', '{"count":2}'].map(async (json) => failureOf((await call("ServerStream", { json })).message())),
  );
  expect(errors.map(({ code, rawMessage }) => [code, rawMessage])).toEqual([
    [Code.Unimplemented, "expected one reply, found none"],
    [Code.Unimplemented, "expected one reply, found more"],
  ]);
});

test("a reply waits until it is read", async () => {
  let sent = 0;
  const server = createServer({
    routes: (router) =>
      router.rpc(TestService.method.serverStream, async function* () {
        for (; sent < 1000; sent++) yield { data: new Uint8Array(10_000) };
      }),
  });
  const { messages } = await server.call({ method: `${service}/ServerStream` });
  await delay(50);
  expect(sent).toBeLessThan(50);
  expect(await collect(messages)).toHaveLength(1000);
  await server.close();
});

test("the name of the method may begin with a slash", async () => {
  const { server } = await openOwn();
  expect(await (await server.call({ method: `/${service}/Unary` })).message()).toBe("{}");
});

test.each(["", "acme.A/B", `${service}/Nothing`, `${service}.Unary`, "x".repeat(1000)])(
  "an unknown method is unimplemented (%#)",
  async (method) => {
    const { server } = await openOwn();
    const { message, status } = await server.call({ method });
    const { code, rawMessage } = await failureOf(message());
    expect([code, rawMessage.length]).toEqual([Code.Unimplemented, Math.min(method.length, 101) + 15]);
    expect((await status).code).toBe(Code.Unimplemented);
  },
);

test("a method of an upstream that is not there is unavailable, with the cause", async () => {
  const server = createServer({ routes: () => {}, upstreams: [{ url: "127.0.0.1:1" }] });
  const { rawMessage, code } = await failureOf((await server.call({ method: `${service}/Unary` })).message());
  expect([code, rawMessage]).toEqual([Code.Unavailable, expect.stringContaining("127.0.0.1:1")]);
  await server.close();
});

test.each([
  [{ method: 5 }, "call: method: expected package.Service/Method, found 5"],
  [{ method: `${service}/Unary`, json: ["{}"] }, `call: json: expected a string for /${service}/Unary, found an array`],
  [
    { method: `${service}/ClientStream`, json: 5 },
    `call: json: expected strings for /${service}/ClientStream, found 5`,
  ],
])("a request of the wrong type is an error: %j", async (request, message) => {
  const { server } = await openOwn();
  await expect(server.call(request as CallRequest)).rejects.toThrow(new TypeError(message));
});

test("an error of the requests' iterable cancels the call", async () => {
  const { call, seen } = await openOwn();
  async function* requests() {
    yield reply("first");
    throw new Error("no more");
  }
  const called = await call("BidiStream", { json: requests() });
  expect((await failureOf(collect(called.messages))).rawMessage).toBe("no more");
  await seen.ended("first");
});

test("a server that asks for client certificates can be called", async () => {
  const { call } = await openOwn({ tls: { ...serverIdentity, ca: serverIdentity.cert } });
  expect(await (await call("Unary")).message()).toBe("{}");
});

test("a call is one with ConnectError for what its handler throws", async () => {
  const { call } = await openOwn({
    logger: { error: () => {} },
    routes: (router) =>
      router.rpc(TestService.method.unary, () => {
        throw new Error("secret");
      }),
  });
  const error = await failureOf((await call("Unary")).message());
  expect(error).toBeInstanceOf(ConnectError);
  expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
});
