// The server in applications of others: in servers of Node, in frameworks, and by `fetch`; and their routes in it.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport as createConnect } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport, type TransportOptions } from "../../client/index.js";
import { createServer, type Fallback, type Server, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { authority, serverIdentity } from "../support/certificates.js";
import { type HttpVersion, request } from "../support/http.js";
import { failureOf } from "../support/outcome.js";
import { SeenCalls } from "../support/seen-calls.js";
import { createTestService } from "../support/service.js";

const service = TestService.typeName;
const httpRules = {
  rules: [
    { selector: `${service}.Get`, get: "/v1/get/{text}" },
    { selector: `${service}.Unary`, post: "/v1/unary", body: "*" },
    { selector: `${service}.ServerStream`, get: "/v1/down/{text}" },
  ],
};

function toWeb(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  return Readable.toWeb(Readable.from(chunks)) as ReadableStream<Uint8Array>;
}

/** A server that does not listen. Its end must leave no call. */
function create(options: Partial<ServerOptions> = {}) {
  const seen = new SeenCalls();
  const server = createServer({
    httpRules,
    drainTimeoutMs: 1000,
    routes: (router) => router.service(TestService, createTestService(seen)),
    ...options,
  });
  onTestFinished(() => server.close());
  return { server, seen };
}

/** Listens, and stops after the test. */
async function listen(host: NetServer): Promise<string> {
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  onTestFinished(async () => {
    const closed = once(host, "close");
    host.close();
    if ("closeAllConnections" in host) (host as http.Server).closeAllConnections();
    await Promise.race([closed, delay(500)]);
  });
  const scheme = host instanceof https.Server || "setSecureContext" in host ? "https" : "http";
  return `${scheme}://127.0.0.1:${(host.address() as AddressInfo).port}`;
}

interface Host {
  readonly name: string;
  readonly versions: readonly HttpVersion[];
  open(server: Server): Promise<string>;
}

/** Imports a package without its types. */
const load = async (name: string) => (await import(name)) as Record<string, unknown>;

const hosts: readonly Host[] = [
  { name: "http", versions: ["1.1"], open: ({ handler }) => listen(http.createServer(handler)) },
  { name: "https", versions: ["1.1"], open: ({ handler }) => listen(https.createServer(serverIdentity, handler)) },
  { name: "http2", versions: ["2"], open: ({ handler }) => listen(http2.createServer(handler)) },
  {
    name: "http2 with TLS and HTTP/1.1",
    versions: ["1.1", "2"],
    open: ({ handler }) => listen(http2.createSecureServer({ ...serverIdentity, allowHTTP1: true }, handler)),
  },
  {
    name: "Express",
    versions: ["1.1"],
    async open({ handler }) {
      const { default: express } = (await load("express")) as { default: () => ExpressLike };
      const app = express();
      app.use(handler);
      app.use((_, response) => response.writeHead(200).end("from Express"));
      return listen(http.createServer(app));
    },
  },
  {
    name: "Fastify",
    versions: ["1.1"],
    async open({ handler }) {
      const { default: fastify } = (await load("fastify")) as { default: () => FastifyLike };
      const app = fastify();
      app.removeAllContentTypeParsers();
      app.addContentTypeParser("*", (_request, _payload, done) => done(null));
      app.all("/*", (request, reply) => {
        reply.hijack();
        handler(request.raw, reply.raw);
      });
      await app.ready();
      return listen(app.server);
    },
  },
];

type ExpressLike = http.RequestListener & {
  use(handler: (request: http.IncomingMessage, response: http.ServerResponse, next: () => void) => void): void;
};

interface FastifyLike {
  readonly server: http.Server;
  ready(): Promise<void>;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    type: string,
    parse: (request: unknown, payload: unknown, done: (e: null) => void) => void,
  ): void;
  all(
    path: string,
    handle: (request: { raw: http.IncomingMessage }, reply: { raw: http.ServerResponse; hijack(): void }) => void,
  ): void;
}

function connect(baseUrl: string, protocol: TransportOptions["protocol"], httpVersion: HttpVersion) {
  const transport = createTransport({
    protocol,
    baseUrl,
    httpVersion,
    httpRules,
    ...(baseUrl.startsWith("https:") && { tls: { ca: authority } }),
  } as TransportOptions);
  onTestFinished(() => transport.close());
  return createClient(TestService, transport);
}

const everyHost = hosts.flatMap((host) => host.versions.map((version) => ({ ...host, version })));

describe.each(everyHost)("in $name over HTTP/$version", ({ open, version }) => {
  const protocols = (["grpc", "grpc-web", "connect", "rest"] as const).filter(
    (protocol) => protocol !== "grpc" || version === "2",
  );

  test.each(protocols)("%s calls of every kind are served", async (protocol) => {
    const { server } = create();
    const client = connect(await open(server), protocol, version);
    expect(await client.unary({ text: "a" })).toMatchObject({ text: "a" });
    const indexes: number[] = [];
    for await (const { index } of client.serverStream({ text: "a", count: 3 })) indexes.push(index);
    expect(indexes).toEqual([0, 1, 2]);
    const failure = await failureOf(client.unary({ failure: { code: Code.NotFound, message: "none" } }));
    expect([failure.code, failure.rawMessage]).toEqual([Code.NotFound, "none"]);
    const large = new Uint8Array(2_000_000).fill(1);
    expect(Buffer.compare((await client.unary({ data: large })).data, large)).toBe(0);
    if (protocol === "rest") return;
    async function* requests() {
      yield { text: "a" };
      yield { text: "b" };
    }
    expect(await client.clientStream(requests())).toMatchObject({ text: "a,b" });
    if (version !== "2") return;
    const replies: string[] = [];
    for await (const { text } of client.bidiStream(requests())) replies.push(text);
    expect(replies).toEqual(["a", "b"]);
  });

  test("a client that leaves cancels its call", async () => {
    const { server, seen } = create();
    const client = connect(await open(server), "connect", version);
    const abort = new AbortController();
    const call = client.unary({ text: "leaves", waitMs: 10_000 }, { signal: abort.signal });
    await seen.started("leaves");
    abort.abort();
    expect((await failureOf(call)).code).toBe(Code.Canceled);
    await seen.ended("leaves");
  });

  test("pages, probes and unknown paths are served", async () => {
    const { server } = create();
    const url = await open(server);
    const get = (path: string) => request(url, { httpVersion: version, method: "GET", path });
    expect((await get("/healthz")).status).toBe(200);
    expect((await get("/openapi.json")).status).toBe(200);
    expect((await get("/v1/get/a")).text).toBe('{"text":"a"}');
  });

  test("a drain waits for the calls that are under way", async () => {
    const { server, seen } = create();
    const client = connect(await open(server), "connect", version);
    const call = client.unary({ text: "late", waitMs: 300 });
    await seen.started("late");
    const hasEnded = server.close().then(() => seen.hasEnded("late"));
    expect(await call).toMatchObject({ text: "late" });
    expect(await hasEnded).toBe(true);
  });
});

describe("in Express", () => {
  async function open(options: Partial<ServerOptions> = {}, isLate = false) {
    const { default: express, ...body } = (await load("express")) as { default: () => ExpressLike } & {
      json(): () => void;
    };
    const { server } = create(options);
    const app = express();
    if (isLate) app.use(body.json());
    app.use(server.handler);
    app.use((request, response) => response.writeHead(200).end(`Express has ${request.url}`));
    const url = await listen(http.createServer(app));
    return (path: string, more: object = {}) => request(url, { method: "GET", path, ...more });
  }

  test("a request for another path goes to what is behind the server", async () => {
    const send = await open();
    expect((await send("/own?a")).text).toBe("Express has /own?a");
    const posted = await send("/own", { method: "POST", body: "hello", headers: { "content-type": "text/plain" } });
    expect(posted.text).toBe("Express has /own");
  });

  test("a fallback comes before it", async () => {
    const send = await open({
      fallback: ({ url }) => (url.endsWith("/mine") ? new Response("from the fallback") : undefined),
    });
    expect((await send("/mine")).text).toBe("from the fallback");
    expect((await send("/own")).text).toBe("Express has /own");
  });

  test("a body that was read before is an error that says what to do", async () => {
    const errors: string[] = [];
    const send = await open({ onConnectionError: ({ message }, step) => errors.push(`${step}: ${message}`) }, true);
    const answer = await send("/v1/unary", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"text":"a"}',
    });
    const message = "the body was read before: mount the server before body parsers";
    expect([answer.status, answer.text]).toEqual([500, `${message}\n`]);
    expect(errors).toEqual([`handler: ${message}`]);
  });
});

test("without `next`, an unknown path is 404", async () => {
  const { server } = create();
  const url = await listen(http.createServer(server.handler));
  expect((await request(url, { method: "GET", path: "/own" })).status).toBe(404);
  const malformed = await request(url, { method: "GET", path: "/own", headers: { host: "x:99999" } });
  expect([malformed.status, malformed.text]).toEqual([400, "bad Host\n"]);
});

describe("`fetch`", () => {
  const base = "http://api.example.com";
  const json = { "content-type": "application/json" };
  const post = (path: string, body: unknown, headers: Record<string, string> = json) =>
    new Request(`${base}${path}`, { method: "POST", headers, body: JSON.stringify(body) });

  test.each<[what: string, request: () => Request, status: number, text: string]>([
    ["Connect", () => post(`/${service}/Unary`, { text: "a" }), 200, '{"text":"a"}'],
    [
      "an error of Connect",
      () => post(`/${service}/Unary`, { failure: { code: 5, message: "none" } }),
      404,
      '{"code":"not_found","message":"none"}',
    ],
    ["REST", () => new Request(`${base}/v1/get/a?count=1`), 200, '{"text":"a"}'],
    ["a stream of REST", () => new Request(`${base}/v1/down/a?count=2`), 200, '[{"text":"a"},{"text":"a","index":1}]'],
    ["HEAD", () => new Request(`${base}/v1/get/a`, { method: "HEAD" }), 200, ""],
    ["OPTIONS", () => new Request(`${base}/v1/get/a`, { method: "OPTIONS" }), 204, ""],
    ["a probe", () => new Request(`${base}/healthz`), 200, '{"status":"SERVING"}\n'],
    [
      "an unknown path",
      () => new Request(`${base}/nothing`),
      404,
      '{"code":5,"message":"nothing is served at /nothing","details":[]}',
    ],
    [
      "gRPC",
      () => post(`/${service}/Unary`, {}, { "content-type": "application/grpc" }),
      415,
      "gRPC needs trailers, which a fetch Response does not have: use gRPC-Web or Connect\n",
    ],
    [
      "a bidirectional stream",
      () => post(`/${service}/BidiStream`, {}, { "content-type": "application/connect+json" }),
      505,
      `/${service}/BidiStream: bidirectional streams need HTTP/2\n`,
    ],
  ])("serves %s", async (_, request, status, text) => {
    const response = await create().server.fetch(request());
    expect([response.status, (await response.text()).replaceAll("\n,", ",")]).toEqual([status, text]);
  });

  test.each([
    ["Connect", createConnect],
    ["gRPC-Web", createGrpcWeb],
  ] as const)("serves calls of %s, with streams of 4 MB each way", async (_, createProtocol) => {
    const { server } = create();
    const httpClient: UniversalClientFn = async ({ url, method, header, body, signal }) => {
      const init = { method, headers: header, duplex: "half", body: body && toWeb(body), signal };
      const response = await server.fetch(new Request(url, init as unknown as RequestInit));
      async function* read() {
        if (response.body !== null) yield* response.body as unknown as AsyncIterable<Uint8Array>;
      }
      return { status: response.status, header: response.headers, body: read(), trailer: new Headers() };
    };
    const client = createClient(
      TestService,
      createProtocol({
        ...{ baseUrl: base, httpClient, useBinaryFormat: true, interceptors: [], acceptCompression: [] },
        ...{ sendCompression: null, compressMinBytes: 0, readMaxBytes: 2 ** 24, writeMaxBytes: 2 ** 24 },
      }),
    );
    expect(await client.unary({ text: "a" })).toMatchObject({ text: "a" });
    let bytes = 0;
    for await (const { data } of client.serverStream({ count: 40, replyBytes: 100_000 })) bytes += data.length;
    expect(bytes).toBe(4_000_000);
    async function* requests() {
      for (let index = 0; index < 40; index++) yield { text: "a", data: new Uint8Array(100_000) };
    }
    expect((await client.clientStream(requests())).index).toBe(40);
    const failure = await failureOf(client.unary({ failure: { code: Code.NotFound, message: "none" } }));
    expect([failure.code, failure.rawMessage]).toEqual([Code.NotFound, "none"]);
  });

  test("a stream waits for its reader, and ends when the reader leaves", async () => {
    const { server, seen } = create();
    const response = await server.fetch(new Request(`${base}/v1/down/slow?count=1000&reply_bytes=100000`));
    const reader = response.body?.getReader();
    await reader?.read();
    await delay(100);
    expect(seen.hasEnded("slow")).toBe(false);
    await reader?.cancel();
    await seen.ended("slow");
  });

  test("an aborted request rejects, and cancels its call", async () => {
    const { server, seen } = create();
    const abort = new AbortController();
    const call = server.fetch(
      new Request(`${base}/v1/unary`, {
        method: "POST",
        headers: json,
        body: '{"text":"aborted","waitMs":10000}',
        signal: abort.signal,
      }),
    );
    await seen.started("aborted");
    abort.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    await seen.ended("aborted");
  });

  test.each(["/openapi.json", `/${service}/Unary`, "/v1/get/a"])("%s is not compressed", async (path) => {
    const headers = { ...json, "accept-encoding": "gzip, br" };
    const body = { text: "a".repeat(5000) };
    const request = path.startsWith(`/${service}`)
      ? post(path, body, headers)
      : new Request(`${base}${path}?data=${"YWFh".repeat(500)}`, { headers });
    const response = await create().server.fetch(request);
    expect(response.headers.get("content-encoding")).toBe(null);
    expect((await response.text()).length).toBeGreaterThan(2000);
  });

  test("the headers of several cookies stay apart, and CORS works", async () => {
    const { server } = create({
      cors: true,
      interceptors: [
        (next) => async (request) => {
          const response = await next(request);
          response.header.append("set-cookie", "a=1");
          response.header.append("set-cookie", "b=2");
          return response;
        },
      ],
    });
    const { headers } = await server.fetch(new Request(`${base}/v1/get/a`, { headers: { origin: "https://a.com" } }));
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(headers.get("access-control-allow-origin")).toBe("*");
  });
});

const versions = ["1.1", "2"] as const;

describe.each(versions)("a fallback over HTTP/%s", (httpVersion) => {
  async function open(fallback: Fallback, options: Partial<ServerOptions> = {}) {
    const errors: string[] = [];
    const onConnectionError = ({ message }: Error, step: string) => errors.push(`${step}: ${message}`);
    const { server } = create({ port: 0, fallback, onConnectionError, ...options });
    await server.listen();
    const send = (path: string, more: object = {}) =>
      request(server.url, { httpVersion, method: "GET", path, ...more });
    return { send, errors, server };
  }

  test("gets what nothing else serves, with its body, and sends its response", async () => {
    const { send } = await open(async (request) => {
      const { pathname, search } = new URL(request.url);
      const text = `${request.method} ${pathname}${search} ${request.headers.get("x-a")} ${await request.text()}`;
      const headers = new Headers({ "x-b": "2", connection: "close" });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response(text, { status: 201, headers });
    });
    const body = "x".repeat(300_000);
    const answer = await send("/hook?a=b", { method: "PUT", headers: { "x-a": "1" }, body });
    expect([answer.status, answer.text, answer.headers["x-b"]]).toEqual([201, `PUT /hook?a=b 1 ${body}`, "2"]);
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect((await send("/v1/get/a")).text).toBe('{"text":"a"}');
    expect((await send("/healthz")).text).toBe('{"status":"SERVING"}\n');
  });

  test("may send a body as it comes, none, and a status alone", async () => {
    const { send } = await open(({ url }) => {
      if (url.endsWith("/none")) return new Response(null, { status: 204 });
      const chunks = Array.from({ length: 100 }, () => new Uint8Array(50_000));
      return new Response(toWeb(chunks));
    });
    expect((await send("/large")).body.length).toBe(5_000_000);
    const head = await send("/large", { method: "HEAD" });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await send("/none")).status).toBe(204);
  });

  test("that returns undefined leaves 404, and one that throws or rejects 500", async () => {
    const { send, errors } = await open(({ url }) => {
      if (url.endsWith("/throws")) throw new Error("broken");
      return url.endsWith("/rejects") ? Promise.reject(new Error("broken")) : undefined;
    });
    expect((await send("/own")).text).toBe('{"code":5,"message":"nothing is served at /own","details":[]}');
    expect((await send("/throws")).status).toBe(500);
    expect((await send("/rejects")).status).toBe(500);
    expect(errors).toEqual(["handler: broken", "handler: broken"]);
  });

  const chunked = (bytes: number) => ({ method: "POST", body: [Buffer.alloc(bytes - 1), Buffer.alloc(1)] });

  test.each<[what: string, fallback: Fallback]>([
    ["reads it", async (request) => new Response(await request.text())],
    ["says that it failed", (request) => request.text().then(Response.json, () => new Response("no", { status: 500 }))],
  ])("gets no more of a body than its limit, if it %s", async (_, fallback) => {
    const { send, errors } = await open(fallback, { fallbackMaxBytes: 70_000 });
    const over = await send("/own", chunked(70_001));
    const text = "body: expected at most 70000 bytes, found more\n";
    expect([over.status, over.text]).toEqual([413, text]);
    expect((await send("/own", chunked(70_000))).status).toBe(200);
    expect(errors).toEqual([]);
  });

  test("is not called for a body that is announced as too large", async () => {
    let calls = 0;
    const { send } = await open(() => new Response(String(++calls)), { fallbackMaxBytes: 10 });
    const answers = [11, 10].map((bytes) => send("/own", { method: "POST", body: "x".repeat(bytes) }));
    expect((await Promise.all(answers)).map(({ status, text }) => [status, text])).toEqual([
      [413, "body: expected at most 10 bytes, found more\n"],
      [200, "1"],
    ]);
  });

  test("may be an app of Hono", async () => {
    const { Hono } = (await load("hono")) as { Hono: new () => HonoLike };
    const app = new Hono();
    app.get("/own/:name", (context) => context.text(`own ${context.req.param("name")}`));
    const { send } = await open((request) => app.fetch(request));
    expect((await send("/own/a")).text).toBe("own a");
    expect((await send("/v1/get/a")).text).toBe('{"text":"a"}');
    expect((await send("/nothing")).text).toBe("404 Not Found");
  });

  test("gets the whole path, and what is outside of a prefix", async () => {
    const options = { requestPathPrefix: "/api" };
    const { send } = await open(({ url }) => new Response(new URL(url).pathname), options);
    for (const path of ["/", "/v1/get/a", "/apis/v1/get/a", "/api/own"]) expect((await send(path)).text).toBe(path);
    expect((await send("/api/v1/get/a")).text).toBe('{"text":"a"}');
    expect((await send("/api/healthz")).status).toBe(200);
    const headers = { "content-type": "application/json" };
    const call = { method: "POST", headers, body: '{"text":"a"}' };
    expect((await send(`/api/${service}/Unary`, call)).text).toBe('{"text":"a"}');
    expect((await send("/api", { headers: { accept: "text/plain" } })).text).toContain(service);
  });
});

interface HonoLike {
  get(
    path: string,
    handle: (context: { req: { param(name: string): string }; text(text: string): Response }) => Response,
  ): void;
  all(path: string, handle: (context: { req: { raw: Request } }) => Response | Promise<Response>): void;
  fetch(request: Request): Response | Promise<Response>;
}

test("an app of Hono passes requests to `fetch`, under a prefix", async () => {
  const { Hono } = (await load("hono")) as { Hono: new () => HonoLike };
  const { server } = create({ requestPathPrefix: "/api" });
  const app = new Hono();
  app.all("/api/*", ({ req }) => server.fetch(req.raw));
  const response = await app.fetch(new Request("http://localhost/api/v1/get/a"));
  expect(await response.json()).toEqual({ text: "a" });
});

test.each(["api", "/api/", "/", "", "/a b", "/a?b", "//"])("the prefix %j is refused at the start", (prefix) => {
  expect(() => create({ requestPathPrefix: prefix })).toThrow(
    new RangeError(`requestPathPrefix: expected a path such as /api, found ${JSON.stringify(prefix)}`),
  );
});
