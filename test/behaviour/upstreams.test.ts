// Calls that are forwarded to another server: over every protocol they are what they are when that server is called itself.
import { setTimeout as delay } from "node:timers/promises";
import { create, equals, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { createServer, type Server, type ServerOptions } from "../../server/index.js";
import type { UpstreamOptions } from "../../server/upstream/options.js";
import { TestReplySchema, TestRequestSchema, TestService } from "../gen/manywire/test/v1/test_pb.js";
import { freePort } from "../support/free-port.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { Random, seed } from "../support/random.js";
import { startServer, type TestServer } from "../support/server.js";
import { openWay as open, rpcWays as ways } from "../support/ways.js";

type Init = MessageInitShape<typeof TestRequestSchema>;

/** What of a call passes from one server to the other: bytes, unless its codec is JSON, or messages. */
const passing: Record<string, Partial<ServerOptions>> = {
  bytes: {},
  messages: { interceptors: [(next) => (request) => next(request)] },
};

let upstream: TestServer;
let proxies: Record<string, Server>;

beforeAll(async () => {
  upstream = await startServer();
  const started = Object.entries(passing).map(async ([name, options]) => [
    name,
    await startProxy({ url: upstream.url }, options),
  ]);
  proxies = Object.fromEntries(await Promise.all(started));
});
afterAll(async () => {
  for (const proxy of Object.values(proxies)) await proxy.close();
  await upstream[Symbol.asyncDispose]();
});

/** Resolves when the server forwards. */
async function startProxy(upstream: UpstreamOptions, options: Partial<ServerOptions> = {}) {
  const server = createServer({ port: 0, routes: () => {}, upstreams: [upstream], ...options });
  await server.listen();
  await isServing(server);
  return server;
}

/** Resolves when the server has the schemas of its upstreams. */
async function isServing({ health }: Server): Promise<void> {
  while (!health.isServing()) await delay(5);
}

/** What a caller sees of an error. */
const seenOf = ({ code, rawMessage, details, metadata }: ConnectError) => ({
  code,
  rawMessage,
  details: details.map((detail) => ("type" in detail ? [detail.type, [...detail.value]] : detail)),
  why: metadata.get("x-why"),
});

const cases = Object.entries(ways).flatMap(([way, options]) =>
  Object.keys(passing).map((passed): [string, string, typeof options] => [`${way}, as ${passed}`, passed, options]),
);

describe.each(cases)("%s", (name, passed, options) => {
  const openProxy = () => open(proxies[passed]?.url ?? "", options);
  const random = new Random(seed);
  let drawn = 0;
  const draw = (): Init => ({
    text: `${name} ${drawn++} ${String.fromCodePoint(...random.several(0, 40, () => 32 + random.below(0x2000)))}`,
    data: Uint8Array.from(random.bytes(random.below(300))),
  });

  test("gives the replies of the server itself", async () => {
    using direct = open(upstream.url, options);
    using through = openProxy();
    for (let index = 0; index < 20; index++) {
      const request = draw();
      const expected = await direct.client.unary(request);
      const found = await through.client.unary(request);
      expect(equals(TestReplySchema, found, expected), JSON.stringify(request)).toBe(true);
    }
    const count = { ...draw(), count: 5 };
    expect(await collect(through.client.serverStream(count))).toEqual(await collect(direct.client.serverStream(count)));
    const many = Array.from({ length: 7 }, draw);
    expect(await through.client.clientStream(each(...many))).toEqual(await direct.client.clientStream(each(...many)));
    expect(await through.client.clientStream(each())).toEqual(await direct.client.clientStream(each()));
    if (options.httpVersion === "1.1") return;
    expect(await collect(through.client.bidiStream(each(...many)))).toEqual(
      await collect(direct.client.bidiStream(each(...many))),
    );
  });

  test("passes the error of a call with code, message, details and metadata", async () => {
    using direct = open(upstream.url, options);
    using through = openProxy();
    const failure = { code: Code.FailedPrecondition, message: "böse", reason: "CLOSED" };
    const headers = { "x-fail-x-why": "so" };
    const fail = ({ client }: typeof direct) => failureOf(client.unary({ text: `${name} fail`, failure }, { headers }));
    const expected = seenOf(await fail(direct));
    expect(expected).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "böse", why: "so" });
    expect(seenOf(await fail(through))).toEqual(expected);
    const stream = ({ client }: typeof direct) =>
      failureOf(collect(client.serverStream({ count: 3, failure: { ...failure, after: 2 } }, { headers })));
    expect(seenOf(await stream(through))).toEqual(seenOf(await stream(direct)));
  });

  test("passes headers and trailers both ways, but for those of the connection", async () => {
    using through = openProxy();
    const headers = {
      "x-echo-one": "1",
      "x-echo-trailer-two": "2",
      "x-echo-three-bin": "AAE",
      authorization: "Bearer x",
    };
    const seen: Record<string, Headers> = {};
    await through.client.unary(
      { text: `${name} metadata` },
      {
        headers,
        onHeader: (header) => {
          seen.header = header;
        },
        onTrailer: (trailer) => {
          seen.trailer = trailer;
        },
      },
    );
    expect(seen.header?.get("x-echo-one")).toBe("1");
    expect(seen.header?.get("x-echo-three-bin")).toBe("AAE");
    expect(seen.trailer?.get("x-echo-trailer-two")).toBe("2");
  });

  test("ends at the caller's deadline, which the server knows", async () => {
    using through = openProxy();
    const called = failureOf(through.client.unary({ text: `${name} late`, waitMs: 60_000 }, { timeoutMs: 200 }));
    expect((await called).code).toBe(Code.DeadlineExceeded);
  });

  test("cancels the server's call when the caller leaves", async () => {
    using through = openProxy();
    const controller = new AbortController();
    const called = failureOf(
      through.client.unary({ text: `${name} left`, waitMs: 60_000 }, { signal: controller.signal }),
    );
    const { signal } = await upstream.seen.started(`${name} left`);
    controller.abort();
    expect((await called).code).toBe(Code.Canceled);
    await upstream.seen.ended(`${name} left`);
    expect(ConnectError.from(signal.reason).code).toBe(Code.Canceled);
  });
});

test("unknown fields pass both ways", async () => {
  const fields = [{ no: 1000, wireType: 2, data: Uint8Array.of(2, 104, 105) }];
  await using echo = await startServer({
    implementation: {
      unary({ $unknown = [] }) {
        const reply = create(TestReplySchema);
        reply.$unknown = $unknown;
        return reply;
      },
    },
  });
  const server = await startProxy({ url: echo.url });
  using through = open(server.url, { protocol: "grpc" });
  const request = create(TestRequestSchema, { text: "unknown" });
  request.$unknown = fields;
  expect((await through.client.unary(request)).$unknown).toEqual(fields);
  await server.close();
});

test("methods of ours count before those of an upstream", async () => {
  await using server = createServer({
    port: 0,
    routes: (router) => router.rpc(TestService.method.unary, () => ({ text: "ours" })),
    upstreams: [{ url: upstream.url }],
  });
  await server.listen();
  await isServing(server);
  using through = open(server.url, { protocol: "grpc" });
  expect((await through.client.unary({ text: "theirs" })).text).toBe("ours");
  expect((await through.client.get({ text: "theirs" })).text).toBe("theirs");
});

test("an interceptor sees messages and can change them", async () => {
  await using server = createServer({
    port: 0,
    routes: () => {},
    upstreams: [{ url: upstream.url }],
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        if (!response.stream && "text" in response.message) response.message.text = `seen: ${response.message.text}`;
        return response;
      },
    ],
  });
  await server.listen();
  await isServing(server);
  using through = open(server.url, { protocol: "grpc" });
  expect((await through.client.unary({ text: "a" })).text).toBe("seen: a");
});

describe("an upstream that is not there", () => {
  test("makes calls fail with unavailable and the cause, until it is", async () => {
    const port = await freePort();
    await using server = createServer({ port: 0, routes: () => {}, upstreams: [{ url: `127.0.0.1:${port}` }] });
    await server.listen();
    const ready = () => fetch(`${server.url}/readyz`).then(({ status }) => status);
    expect(await ready()).toBe(503);
    for (const options of Object.values(ways)) {
      using through = open(server.url, options);
      const error = await failureOf(through.client.unary({ text: "a" }));
      expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, expect.stringContaining(`127.0.0.1:${port}`)]);
    }
    expect((await fetch(`${server.url}/v1/anything`)).status).toBe(503);
    using health = openHealth(server.url);
    expect((await health.client.check({})).status).toBe(2);

    await using late = await startServer({ port });
    await expect.poll(ready, { timeout: 10_000 }).toBe(200);
    using through = open(server.url, { protocol: "connect" });
    expect((await through.client.unary({ text: late.url })).text).toBe(late.url);
  });
});

describe("an upstream with a service config", () => {
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: "0.01s",
    maxBackoff: "0.01s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const service = "manywire.test.v1.TestService";
  const retries = { methodConfig: [{ name: [{ service }], retryPolicy }] };

  /** Starts an upstream that fails so often, and a proxy before it. Returns the number of attempts that each has. */
  async function start(failures: number, serviceConfig: JsonObject) {
    const attempts: string[] = [];
    const attempt = (context: HandlerContext) => {
      attempts.push(context.requestHeader.get("grpc-previous-rpc-attempts") ?? "");
      if (attempts.length <= failures) throw new ConnectError("down", Code.Unavailable);
    };
    const upstream = await startServer({
      implementation: {
        unary(request, context) {
          attempt(context);
          return { text: request.text };
        },
        async clientStream(requests, context) {
          const texts = (await collect(requests)).map(({ text }) => text);
          attempt(context);
          return { text: texts.join() };
        },
        async *serverStream(request, context) {
          attempt(context);
          yield { text: request.text };
        },
      },
    });
    const proxy = await startProxy({ url: upstream.url, serviceConfig });
    onTestFinished(async () => {
      await proxy.close();
      await upstream[Symbol.asyncDispose]();
    });
    return { url: proxy.url, attempts };
  }

  test.each(Object.entries(ways))("sends failed calls again: %s", async (_, options) => {
    const { url, attempts } = await start(2, retries);
    using through = open(url, options);
    let header = new Headers();
    const onHeader = (found: Headers) => {
      header = found;
    };
    expect((await through.client.unary({ text: "a" }, { onHeader })).text).toBe("a");
    expect(attempts).toEqual(["", "1", "2"]);
    // The caller has sent it once.
    expect(header.has("grpc-previous-rpc-attempts")).toBe(false);
    attempts.length = 0;
    expect((await through.client.clientStream(each({ text: "a" }, { text: "b" }))).text).toBe("a,b");
    attempts.length = 0;
    expect((await collect(through.client.serverStream({ text: "a" }))).map(({ text }) => text)).toEqual(["a"]);
    expect(attempts).toEqual(["", "1", "2"]);
  });

  test.each(Object.entries(ways))("gives the caller the last error: %s", async (_, options) => {
    const { url, attempts } = await start(9, retries);
    using through = open(url, options);
    const error = await failureOf(through.client.unary({ text: "a" }));
    expect([error.code, error.rawMessage, attempts.length]).toEqual([Code.Unavailable, "down", 3]);
    expect(error.metadata.has("grpc-previous-rpc-attempts")).toBe(false);
  });

  test.each(Object.entries(ways))("sends them once without a policy: %s", async (_, options) => {
    const { url, attempts } = await start(9, { methodConfig: [{ name: [{ service: "other.Service" }], retryPolicy }] });
    using through = open(url, options);
    expect((await failureOf(through.client.unary({ text: "a" }))).rawMessage).toBe("down");
    expect(attempts).toEqual([""]);
  });

  test.each(Object.entries(ways))("limits the time of calls: %s", async (_, options) => {
    const methodConfig = [{ name: [{ service }], timeout: "0.2s" }];
    await using proxy = await startProxy({ url: upstream.url, serviceConfig: { methodConfig } });
    using through = open(proxy.url, options);
    const call = (text: string, timeoutMs?: number) =>
      failureOf(through.client.unary({ text, waitMs: 60_000 }, timeoutMs === undefined ? {} : { timeoutMs }));
    expect((await call("no deadline")).code).toBe(Code.DeadlineExceeded);
    expect((await call("a longer deadline", 60_000)).code).toBe(Code.DeadlineExceeded);
  });

  test("waits for it", async () => {
    const first = await startServer();
    const { url, port } = first;
    const methodConfig = [{ name: [{ service }], waitForReady: true }];
    await using proxy = await startProxy({ url, serviceConfig: { methodConfig } });
    await first[Symbol.asyncDispose]();
    const called = Object.entries(ways).map(async ([name, options]) => {
      using through = open(proxy.url, options);
      const { text } = await through.client.unary({ text: name });
      const [reply] = await collect(through.client.serverStream({ text: name, count: 1 }));
      return [text, reply?.text];
    });
    const outcome = Promise.allSettled(called);
    await delay(50);
    await using _late = await startServer({ port });
    expect((await outcome).map((one) => (one.status === "fulfilled" ? one.value : one.reason))).toEqual(
      Object.keys(ways).map((name) => [name, name]),
    );
  });

  test("names what is wrong in it", () => {
    const upstreams = [{ url: "localhost:1" }, { url: "localhost:2", serviceConfig: { methodConfig: [{ name: 1 }] } }];
    expect(() => createServer({ routes: () => {}, upstreams })).toThrow(
      "createServer: upstreams[1].serviceConfig.methodConfig[0].name: expected an array, found 1",
    );
  });
});

function openHealth(baseUrl: string) {
  const transport = createTransport({ protocol: "grpc", baseUrl });
  return { client: createClient(Health, transport), [Symbol.dispose]: () => transport.close() };
}
