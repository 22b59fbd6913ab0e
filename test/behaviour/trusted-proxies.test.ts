// Who the client is, and what it has called, behind proxies: over every protocol, own and forwarded.
import { createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createServer, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { proxyHeader1 } from "../support/proxy-header.js";
import { openRaw } from "../support/raw-socket.js";
import { startServer, type TestServer } from "../support/server.js";
import { fronts, startProxy } from "./proxy.js";

const service = TestService.typeName;
const peerKey = createContextKey("");

/** Starts a server whose handler and fallback say who has called what. */
async function startTelling(options: Partial<ServerOptions>) {
  const server = createServer({
    port: 0,
    httpRules: { rules: [{ selector: `${service}.Unary`, post: "/v1/unary", body: "*" }] },
    contextValues: ({ peer }) => createContextValues().set(peerKey, peer),
    routes: (router) =>
      router.service(TestService, {
        unary: (_, { values, url, responseHeader }) => {
          responseHeader.set("x-client", `${values.get(peerKey)} ${new URL(url).origin}`);
          return {};
        },
      }),
    fallback: ({ url }) => new Response(url),
    ...options,
  });
  onTestFinished(() => server.close());
  await server.listen();
  return server;
}

const x = {
  "x-forwarded-for": "6.6.6.6, 203.0.113.9",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "api.example",
};
const forwarded = { forwarded: 'for=6.6.6.6, for="203.0.113.9:1";proto=https;host=api.example' };
const malformed = { forwarded: 'for="6.6.6.6, for=203.0.113.9' };

const servers: Partial<ServerOptions>[] = [{}, { fastLane: false }, { http2: "node" }];

describe.each(servers)("a server with %j", (options) => {
  describe.each(Object.entries(fronts))("over %s", (_, { unary }) => {
    const clientOf = async (url: string, headers: Record<string, string>) =>
      (await request(url, unary({}, headers))).headers["x-client"];

    test.each([x, forwarded])("knows the client of a trusted proxy by %j", async (headers) => {
      const { url } = await startTelling({ ...options, trustProxy: "loopback" });
      expect(await clientOf(url, headers)).toBe("203.0.113.9 https://api.example");
      expect(await clientOf(url, {})).toBe(`127.0.0.1 ${url}`);
    });

    test("does not believe other clients", async () => {
      for (const trustProxy of [undefined, ["private", "unix"]]) {
        const { url } = await startTelling({ ...options, trustProxy });
        for (const headers of [x, forwarded, malformed]) expect(await clientOf(url, headers)).toBe(`127.0.0.1 ${url}`);
      }
    });

    test("refuses a malformed Forwarded of a trusted proxy", async () => {
      const { url } = await startTelling({ ...options, trustProxy: "loopback" });
      const { status, text } = await request(url, unary({}, malformed));
      expect([status, text]).toEqual([400, "Forwarded: malformed\n"]);
    });
  });
});

describe("behind a trusted proxy", () => {
  test("the landing page has the address that the client has called", async () => {
    const { url } = await startTelling({ trustProxy: "loopback" });
    const ask = { method: "GET", path: "/", headers: { ...x, accept: "text/plain" } };
    const { text } = await request(url, ask);
    expect(text).toContain("https://api.example");
    expect(text).not.toContain(url);
  });

  test("the fallback gets the URL that the client has called", async () => {
    const { url } = await startTelling({ trustProxy: "loopback" });
    expect((await request(url, { method: "GET", path: "/own?a=b", headers: x })).text).toBe(
      "https://api.example/own?a=b",
    );
  });

  test("a page of the host that the client has called is none of another origin", async () => {
    const post = { path: "/v1/unary", headers: { ...x, origin: "https://api.example" } };
    for (const [trustProxy, status] of [
      ["loopback", 200],
      [undefined, 403],
    ] as const) {
      const { url } = await startTelling({ trustProxy });
      expect((await request(url, post)).status).toBe(status);
    }
  });

  test("the function that decides about origins sees the client", async () => {
    const peers: string[] = [];
    const origins: (origin: string, request: { peer: string }) => boolean = (_, { peer }) => peers.push(peer) > 0;
    const { url } = await startTelling({ trustProxy: "loopback", cors: { origins } });
    await request(url, { path: "/v1/unary", body: "{}", headers: { ...x, origin: "https://a.example" } });
    expect(peers).toEqual(["203.0.113.9"]);
  });
});

describe("behind a proxy that sends PROXY headers", () => {
  test.each([
    ["203.0.113.1", "203.0.113.1 http://localhost", "is a client, whose headers do not count"],
    ["127.0.0.9", "203.0.113.9 https://api.example", "is a trusted proxy itself, whose headers count"],
  ])("%s %s", async (address, client) => {
    const { url } = await startTelling({ trustProxy: "loopback", proxyProtocol: true });
    await using raw = await openRaw(url);
    const lines = Object.entries(x).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /v1/unary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n${lines.join("")}\r\n`;
    raw.write(Buffer.concat([proxyHeader1(address), Buffer.from(head)]));
    expect((await raw.until(/x-client: (.*)\r\n/i))[1]).toBe(client);
  });

  test("it has to be a trusted proxy", () => {
    expect(() => createServer({ routes: () => {}, proxyProtocol: true })).toThrow(
      new RangeError("proxyProtocol: requires trustProxy"),
    );
  });
});

describe("a forwarded call", () => {
  let upstream: TestServer;
  beforeAll(async () => {
    upstream = await startServer();
  });
  afterAll(() => upstream[Symbol.asyncDispose]());
  const passing: Interceptor = (next) => (call) => next(call);
  let texts = 0;

  describe.each([[[]], [[passing]]])("with the interceptors %j", (interceptors) => {
    test.each(Object.entries(fronts))(
      "over %s tells the upstream of the client, if it trusts the proxy",
      async (_, front) => {
        const claims = { ...x, "x-forwarded-client-cert": "Subject=app" };
        for (const isTrusted of [true, false]) {
          const trustProxy = isTrusted ? "127.0.0.1" : "10.0.0.0/8";
          const proxy = await startProxy([upstream.url], { trustProxy, interceptors });
          const text = `trusted ${texts++}`;
          await request(proxy.url, front.unary({ text }, claims));
          const { requestHeader } = await upstream.seen.started(text);
          expect(Object.fromEntries(requestHeader)).toMatchObject(
            isTrusted
              ? { ...claims, "x-forwarded-for": "6.6.6.6, 203.0.113.9, 127.0.0.1" }
              : { "x-forwarded-for": "127.0.0.1", "x-forwarded-host": new URL(proxy.url).host },
          );
          expect(requestHeader.has("x-forwarded-client-cert")).toBe(isTrusted);
        }
      },
    );
  });
});

test.each([
  ["10.0.0.0/33", '"10.0.0.0/33"'],
  [["loopback", "true"], '"true"'],
])("networks that are none stop the start: %j", (trustProxy, found) => {
  const forms = "addresses, networks such as 10.0.0.0/8, or loopback, linklocal, private, unix or *";
  expect(() => createServer({ routes: () => {}, trustProxy })).toThrow(
    new RangeError(`trustProxy: expected ${forms}, found ${found}`),
  );
});
