// What pages of other origins can read: over every protocol, for every response, and before any routing.
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { CorsOptions, ServerOptions } from "../../server/index.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";
import { serverIdentity } from "../support/certificates.js";
import type { HttpVersion, RawAnswer, RawRequest } from "../support/http.js";
import { beginRequest, request } from "../support/http.js";
import { echoing, versions } from "../support/rest-service.js";
import { startServer } from "../support/server.js";
import { places } from "./combinations.js";
import { type Behaviour, describeBehaviours } from "./table.js";

const origin = "https://app.example.com";
const allowed = { origin };
const cors: CorsOptions = {
  origins: [origin, "https://*.example.org"],
  credentials: true,
  exposedHeaders: ["x-request-cost"],
};

/** The headers of CORS in a response; a list as the names in it, sorted. */
function corsHeaders({ headers }: RawAnswer): Record<string, unknown> {
  const found = Object.entries(headers).filter(([name]) => name.startsWith("access-control-"));
  return Object.fromEntries(
    found.map(([name, value]) => [
      name.replace("access-control-", ""),
      name.endsWith("-headers") ? String(value).split(", ").sort() : value,
    ]),
  );
}

const varies = ({ headers }: RawAnswer) => (headers.vary ?? "").split(", ").includes("Origin");

const statusNames = ["grpc-message", "grpc-status", "grpc-status-details-bin", "x-request-cost"];

function grant(...names: string[]) {
  return {
    "allow-origin": origin,
    "allow-credentials": "true",
    "expose-headers": expect.arrayContaining([...statusNames, ...names]),
  };
}

const calls: Behaviour[] = [
  {
    title: "a page of an allowed origin can read a reply, and the headers of the handler",
    async run({ prepare, send, read, text }) {
      for (const headers of [allowed, { ...allowed, "x-echo-a": "1", "x-echo-trailer-b": "2" }, allowed]) {
        const answer = await send(prepare("unary", [{ text }], { headers }));
        expect(read("unary", answer)).toMatchObject({ code: undefined, replies: [{ text }] });
        const names = Object.keys(answer.headers).filter((name) => /^(?:x-echo|trailer-|grpc-)/.test(name));
        expect(corsHeaders(answer)).toEqual(grant(...names));
        expect(varies(answer)).toBe(true);
      }
    },
  },
  {
    title: "a page of an allowed origin can read a stream",
    async run({ prepare, send, read, text }) {
      const headers = { ...allowed, "x-echo-a": "1" };
      const answer = await send(prepare("serverStream", [{ text, count: 3 }], { headers }));
      expect(read("serverStream", answer).replies).toHaveLength(3);
      expect(corsHeaders(answer)).toEqual(grant("x-echo-a"));
    },
  },
  {
    title: "a page of an allowed origin can read an error",
    async run({ prepare, send, read, text }) {
      const failure = { code: Code.NotFound, message: "none", reason: "NONE" };
      for (const name of ["unary", "serverStream"] as const) {
        const answer = await send(prepare(name, [{ text, failure }], { headers: allowed }));
        expect(read(name, answer)).toMatchObject({ code: Code.NotFound, message: "none" });
        expect(corsHeaders(answer)).toEqual(grant());
      }
    },
  },
  {
    title: "a page of an allowed origin can read the error of an unknown method",
    async run({ prepare, send, read }) {
      const path = "/manywire.test.v1.Nobody/Unary";
      const answer = await send({ ...prepare("unary", [{}], { headers: allowed }), path });
      expect(read("unary", answer).code).toBe(Code.Unimplemented);
      expect(corsHeaders(answer)).toEqual(grant());
    },
  },
  {
    title: "a page of an allowed origin can read why a request was rejected",
    async run({ prepare, send }) {
      const call = prepare("unary", [{}], { headers: allowed });
      const odd = await send({ ...call, headers: { ...call.headers, "content-type": "image/png" } });
      expect([odd.status, corsHeaders(odd)]).toEqual([415, grant("accept-post")]);
      const wrong = await send({ ...call, method: "PUT" });
      expect([wrong.status, corsHeaders(wrong)]).toEqual([405, grant("allow")]);
    },
  },
  {
    title: "a page of another origin gets no CORS headers",
    async run({ prepare, send, read, text }) {
      for (const stranger of ["https://evil.example", `${origin}.evil.example`, "http://app.example.com", "null"]) {
        const answer = await send(prepare("unary", [{ text }], { headers: { origin: stranger } }));
        expect(read("unary", answer).replies).toHaveLength(1);
        expect([stranger, corsHeaders(answer), varies(answer)]).toEqual([stranger, {}, true]);
      }
    },
  },
  {
    title: "a client that is not a browser gets the same as without CORS",
    async run({ prepare, send, text }) {
      const answer = await send(prepare("unary", [{ text }]));
      expect([corsHeaders(answer), varies(answer)]).toEqual([{}, false]);
    },
  },
  {
    title: "a preflight of an allowed origin succeeds for any method and header",
    async run({ prepare, send, server }) {
      const { path, headers } = prepare("unary", [{}], { headers: { "x-custom": "1" } });
      const names = [...Object.keys(headers ?? {}), "connect-protocol-version", "x-grpc-web"].join(",");
      const before = server.finished.length;
      const answer = await send({
        method: "OPTIONS",
        path,
        headers: { ...allowed, "access-control-request-method": "POST", "access-control-request-headers": names },
      });
      expect([answer.status, answer.text]).toEqual([204, ""]);
      expect(corsHeaders(answer)).toEqual({
        "allow-origin": origin,
        "allow-credentials": "true",
        "allow-methods": "POST",
        "allow-headers": [names],
        "max-age": "7200",
      });
      expect(answer.headers.vary).toBe("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
      expect(server.finished).toHaveLength(before);
    },
  },
];

describeBehaviours({ cors }, calls);

describeBehaviours({}, [
  {
    title: "without the option, a cross-origin call has no header of CORS, and a preflight is refused",
    async run({ prepare, send, text }) {
      const call = prepare("unary", [{ text }], { headers: allowed });
      const answer = await send(call);
      expect([corsHeaders(answer), varies(answer)]).toEqual([{}, false]);
      const headers = { ...allowed, "access-control-request-method": "POST" };
      const preflight = await send({ method: "OPTIONS", path: call.path, headers });
      expect([preflight.status, corsHeaders(preflight)]).toEqual([405, {}]);
    },
  },
]);

/** A server with REST, pages and low limits, and a way to send requests to it. To be disposed. */
interface Target extends AsyncDisposable {
  send(raw: RawRequest): Promise<RawAnswer>;
}

async function open(options: Partial<ServerOptions>, httpVersion: HttpVersion = "1.1"): Promise<Target> {
  const server = await startServer({
    readMaxBytes: 1000,
    limits: { headerCount: 30 },
    routes: (router) => router.service(RestService, echoing),
    ...options,
  });
  return {
    send: (raw) => request(server.url, { httpVersion, method: "GET", ...raw }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The same for one test, with the options of CORS. */
async function start(options: CorsOptions | boolean): Promise<Target["send"]> {
  const target = await open({ cors: options });
  onTestFinished(() => target[Symbol.asyncDispose]());
  return target.send;
}

const json = { "content-type": "application/json" };
const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-${index}`, "1"]));
const bidi = `/${RestService.typeName}/BidiStream`;

const responses: [what: string, status: number, raw: RawRequest, only?: HttpVersion][] = [
  ["a reply of REST", 200, { path: "/v1/query?text=a" }],
  ["a reply of REST to POST", 200, { method: "POST", path: "/v1/whole", headers: json, body: "{}" }],
  ["a reply of REST to HEAD", 200, { method: "HEAD", path: "/v1/query?text=a" }],
  ["a stream of REST", 200, { method: "POST", path: "/v1/server-stream", headers: json, body: '{"number":3}' }],
  [
    "server-sent events",
    200,
    { method: "POST", path: "/v1/server-stream", headers: { ...json, accept: "text/event-stream" }, body: "{}" },
  ],
  ["bytes", 200, { path: "/v1/download/a/b" }],
  ["an invalid request", 400, { method: "POST", path: "/v1/whole", headers: json, body: "{" }],
  ["an unknown path", 404, { path: "/nothing" }],
  ["a wrong method", 405, { method: "DELETE", path: "/v1/query" }],
  ["OPTIONS that is no preflight", 204, { method: "OPTIONS", path: "/v1/query" }],
  [
    "a large message",
    413,
    { method: "POST", path: "/v1/whole", headers: json, body: `{"text":"${"a".repeat(2000)}"}` },
  ],
  [
    "a wrong content type",
    415,
    { method: "POST", path: "/v1/whole", headers: { "content-type": "image/png" }, body: "a" },
  ],
  ["too many headers", 431, { path: "/v1/query", headers: many }, "1.1"],
  ["a malformed Host", 400, { path: "/v1/query", headers: { host: "localhost:99999" } }, "1.1"],
  ["an unknown expectation", 417, { path: "/v1/query", headers: { expect: "a miracle" } }],
  ["a bidirectional stream over HTTP/1.1", 505, { method: "POST", path: bidi, headers: json }, "1.1"],
  ["the page", 200, { path: "/", headers: { accept: "text/html" } }],
  ["the page as text", 200, { path: "/" }],
  ["the API's description", 200, { path: "/openapi.json" }],
  ["the API's description, compressed", 200, { path: "/openapi.json", headers: { "accept-encoding": "gzip" } }],
  ["a page that is not served with this method", 405, { method: "DELETE", path: "/openapi.json" }],
  ["a probe", 200, { path: "/healthz" }],
];

const everywhere = places.flatMap((place) => versions.map((version) => ({ ...place, version })));

describe.each(everywhere)("at the $lane lane, $security, over HTTP/$version", ({ version, lane, security }) => {
  const possible = responses.filter(([, , , only = version]) => only === version);
  let target: Target;
  beforeAll(async () => {
    target = await open(
      { cors, fastLane: lane === "fast", tls: security === "TLS" ? serverIdentity : undefined },
      version,
    );
  });
  afterAll(() => target[Symbol.asyncDispose]());

  test.each(possible)("a page of an allowed origin can read %s, with status %i", async (_, status, raw) => {
    const answer = await target.send({ ...raw, headers: { ...raw.headers, ...allowed } });
    expect(answer.status).toBe(status);
    const own = Object.keys(answer.headers).filter((name) => ["allow", "etag", "accept-post"].includes(name));
    expect(corsHeaders(answer)).toEqual(grant(...own));
    expect(varies(answer)).toBe(true);
    const plain = await target.send(raw);
    expect([plain.status, corsHeaders(plain)]).toEqual([status, {}]);
    // A cache may keep it for the pages of other origins.
    expect(varies(plain)).toBe(raw.method === undefined || raw.method === "HEAD");
  });

  test("preflights are handled before routing, for every path", async () => {
    const headers = { ...allowed, "access-control-request-method": "PATCH" };
    for (const path of [...responses.map(([, , { path }]) => path), "/a/../b", "/%zz"]) {
      const { status, text } = await target.send({ method: "OPTIONS", path, headers });
      expect([path, status, text]).toEqual([path, 204, ""]);
    }
  });

  test("the preflight of another origin is refused", async () => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "PATCH" };
    const answer = await target.send({ method: "OPTIONS", path: "/v1/query", headers });
    const line = "cors: requests from this origin are not allowed\n";
    expect([answer.status, answer.text, corsHeaders(answer), varies(answer)]).toEqual([403, line, {}, true]);
  });
});

test.each([
  ["does not come", { stallMs: 200 }, "{"],
  ["takes too long", { headersMs: 200, requestMs: 200 }, "{"],
])("a page of an allowed origin can read the 408 to a body that %s, over HTTP/1.1", async (_, limits, part) => {
  await using server = await startServer({
    cors,
    mayCutCalls: true,
    limits: { stallMs: 0, ...limits },
    routes: (router) => router.service(RestService, echoing),
  });
  const headers = { ...allowed, ...json, "content-length": 10 };
  await using call = await beginRequest(server.url, { method: "POST", path: "/v1/whole", headers });
  call.body.on("error", () => {}).write(part);
  const answer = await call.answer;
  expect([answer.status, corsHeaders(answer)]).toEqual([408, grant()]);
  expect(varies(answer)).toBe(true);
});

describe("of the options", () => {
  const preflight = (headers: Record<string, string> = {}): RawRequest => ({
    method: "OPTIONS",
    path: "/v1/query",
    headers: {
      ...allowed,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-a",
      ...headers,
    },
  });

  test("`true` allows all origins, without credentials", async () => {
    const send = await start(true);
    for (const each of [origin, "https://other.example", "null"]) {
      const answer = await send({ path: "/healthz", headers: { origin: each } });
      expect(corsHeaders(answer)).toEqual({ "allow-origin": "*", "expose-headers": statusNames.slice(0, 3) });
    }
  });

  test("`false` is off", async () => {
    const send = await start(false);
    expect(corsHeaders(await send({ path: "/healthz", headers: allowed }))).toEqual({});
  });

  test("a preflight response has `methods`, `headers` and `maxAgeSeconds`", async () => {
    const send = await start({
      origins: origin,
      methods: ["GET", "PUT"],
      headers: ["authorization"],
      maxAgeSeconds: 0,
    });
    const told = corsHeaders(await send(preflight()));
    expect(told).toMatchObject({ "allow-methods": "GET, PUT", "max-age": "0" });
    expect(told["allow-headers"]).toEqual(
      expect.arrayContaining(["authorization", "content-type", "connect-protocol-version", "x-grpc-web"]),
    );
    expect(told["allow-headers"]).not.toContain("x-a");
  });

  test("`privateNetwork` allows a page of a public network to call, if its browser asks", async () => {
    const asks = { "access-control-request-private-network": "true" };
    const name = "allow-private-network";
    const [on, off] = [await start({ origins: "*", privateNetwork: true }), await start({ origins: "*" })];
    expect(corsHeaders(await on(preflight(asks)))).toHaveProperty(name, "true");
    expect(corsHeaders(await on(preflight()))).not.toHaveProperty(name);
    expect(corsHeaders(await off(preflight(asks)))).not.toHaveProperty(name);
  });

  test("`origins` may be a function, which gets the request", async () => {
    const seen: unknown[] = [];
    const send = await start({
      origins(each, { method, url, headers }) {
        seen.push([each, method, url, headers.host === undefined]);
        return each.endsWith(".com");
      },
      credentials: true,
    });
    expect(corsHeaders(await send({ path: "/healthz?a", headers: allowed }))).toMatchObject({ "allow-origin": origin });
    expect(corsHeaders(await send({ path: "/healthz", headers: { origin: "https://a.org" } }))).toEqual({});
    expect((await send(preflight())).status).toBe(204);
    expect(seen).toEqual([
      [origin, "GET", "/healthz?a", false],
      ["https://a.org", "GET", "/healthz", false],
      [origin, "OPTIONS", "/v1/query", false],
    ]);
  });

  test("an `origins` that throws, or returns no boolean, ends the request with 500", async () => {
    for (const origins of [
      () => Promise.resolve(true) as never,
      () => {
        throw new Error("broken");
      },
    ]) {
      const errors: string[] = [];
      const server = await startServer({
        cors: { origins },
        onConnectionError: (error, step) => errors.push(`${step}: ${error.message}`),
      });
      onTestFinished(() => server[Symbol.asyncDispose]());
      expect((await request(server.url, { method: "GET", path: "/healthz", headers: allowed })).status).toBe(500);
      expect(errors).toEqual([
        expect.stringMatching(
          /^handler: (?:broken|cors\.origins: expected true or false, found a result of type object)$/,
        ),
      ]);
    }
  });

  test("a malformed header or method is not repeated", async () => {
    const send = await start(cors);
    const odd = { "access-control-request-method": "A B", "access-control-request-headers": 'a, "b' };
    expect(Object.keys(corsHeaders(await send(preflight(odd)))).sort()).toEqual([
      "allow-credentials",
      "allow-origin",
      "max-age",
    ]);
  });

  test("many origins can be allowed one after the other", async () => {
    const send = await start(cors);
    for (let index = 0; index < 600; index++) {
      const each = { origin: `https://a${index % 300}.example.org` };
      expect(corsHeaders(await send({ path: "/healthz", headers: each }))).toMatchObject({
        "allow-origin": each.origin,
      });
    }
  });
});
