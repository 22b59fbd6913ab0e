import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { greeter } from "../../../server/greeter.js";
import { createPages } from "../../../server/pages/pages.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { type RawAnswer, type RawRequest, request } from "../../support/http.js";
import { startServer, type TestServer, type TestServerOptions } from "../../support/server.js";

let server: TestServer | undefined;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

/** Starts a server with the Greeter, and gives a way to ask it. */
async function start(options: TestServerOptions = {}) {
  const started = await startServer({ routes: (router) => router.service(Greeter, greeter), ...options });
  server = started;
  return (path: string, more: Partial<RawRequest> = {}): Promise<RawAnswer> =>
    request(started.url, { method: "GET", path, ...more });
}

const browser = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const pages = ["/", "/docs"] as const;

describe.each(pages)("%s", (path) => {
  it("is HTML that may load nothing but what its server has", async () => {
    const get = await start();
    const { status, headers, text } = await get(path, { headers: browser });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-cache",
      vary: "Accept, Accept-Encoding",
    });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; /);
    expect(policy).not.toMatch(/unsafe|\*|http/);
    expect(text).toMatch(/^<!doctype html>\n/);
  });

  it("has a validator, and is not sent again", async () => {
    const get = await start();
    const { headers } = await get(path, { headers: browser });
    const again = await get(path, { headers: { ...browser, "if-none-match": headers.etag } });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  it("responds to HEAD as GET, without a body", async () => {
    const get = await start();
    const { headers } = await get(path, { headers: browser });
    const head = await get(path, { method: "HEAD", headers: browser });
    expect([head.status, head.text]).toEqual([200, ""]);
    expect({ ...head.headers, date: "" }).toEqual({ ...headers, date: "" });
  });

  it.each(["POST", "PUT", "DELETE"])("refuses %s", async (method) => {
    const get = await start();
    const { status, headers } = await get(path, { method, headers: browser });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("is not there where docs are off", async () => {
    const get = await start({ docs: false });
    const { status, text } = await get(path, { headers: browser });
    expect([status, JSON.parse(text).message]).toEqual([404, `nothing is served at ${path}`]);
  });
});

describe("what the pages load", () => {
  it.each([
    ["/", "landing.css", "text/css; charset=utf-8"],
    ["/", "icon.svg", "image/svg+xml"],
    ["/docs", "docs.css", "text/css; charset=utf-8"],
  ])("%s: %s may be kept for good, at an address that is made of what is in it", async (page, name, type) => {
    const get = await start();
    const { text } = await get(page, { headers: browser });
    const [, path = ""] = new RegExp(`href="(docs/[\\w-]{16}/${name.replace(".", "\\.")})"`).exec(text) ?? [];
    const { status, headers } = await get(`/${path}`);
    expect([status, headers["content-type"]]).toEqual([200, type]);
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it.each(["/docs/x", "/docs/x/landing.css", "/docs/../package.json", "/docs/landing.css"])(
    "is not at %s",
    async (path) => {
      const get = await start();
      expect((await get(path)).status).toBe(404);
    },
  );
});

describe("/docs/", () => {
  it("leads to /docs, also behind a proxy that has the server under a path", async () => {
    const get = await start();
    const { status, headers } = await get("/docs/", { headers: browser });
    expect([status, headers.location]).toEqual([308, "../docs"]);
    const post = await get("/docs/", { method: "POST", headers: browser });
    expect([post.status, post.headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

/** Hosts that HTTP and URLs allow. A shell takes the characters of most of them for its own. */
const hosts = [
  ...["x';touch$ifs'y", "$(touch)", "a&touch", "a;touch", "a'b", "*", "~", "!x", "a=(b)", "[::1]:8080", "a-b.c:1"],
  ...["plain.example", "plain.example:8443"],
];

describe("who does not ask for HTML", () => {
  it.each([
    ["curl", { accept: "*/*" }],
    ["no Accept at all", {}],
    ["a client of JSON", { accept: "application/json" }],
    ["one that rules HTML out", { accept: "text/html;q=0, */*" }],
  ])("%s is told at / in plain text, with the address that it used", async (_, headers) => {
    const get = await start();
    const host = "words.example:8080";
    const answer = await get("/", { headers: { ...headers, host } });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "content-type": "text/plain; charset=utf-8", vary: "Accept" });
    expect(answer.text).toContain("hello_world.Greeter\n");
    expect(answer.text).toContain(" http://words.example:8080/v1/example/echo\n");
  });

  it.each(["1.1", "2"] as const)(
    "gets lines that no shell runs otherwise, whatever the host: HTTP/%s",
    async (httpVersion) => {
      const get = await start();
      for (const host of hosts) {
        const { status, text } = await get("/", {
          httpVersion,
          headers: { [httpVersion === "2" ? ":authority" : "host"]: host },
        });
        expect(status).toBe(200);
        const lines = text
          .split("\n")
          .flatMap((line) => /^ {4}(?:gRPC|REST|Connect|gRPC-Web) +(.*)$/.exec(line)?.[1] ?? []);
        // One shell for all: each line ends with an empty one.
        const script = lines.slice(-8).map((line) => `set -- ${line}; printf '%s\\n' "$@" ""`);
        const words = execFileSync("sh", ["-c", script.join("\n")])
          .toString()
          .trimEnd()
          .split("\n\n")
          .map((text) => text.split("\n"));
        const target = /:\d+$/.test(host) ? host : `${host}:80`;
        const targets = words.map((each) => each.at(each[0] === "grpcurl" ? -2 : -1));
        expect(targets).toEqual([
          target,
          `http://${host}/v1/example/echo`,
          ...Array(2).fill(`http://${host}/hello_world.Greeter/SayHello`),
          target,
          `http://${host}/v1/example/echo/name`,
          ...Array(2).fill(`http://${host}/hello_world.Greeter/SayHelloAgain`),
        ]);
      }
    },
  );

  it("has HEAD, and no other method", async () => {
    const get = await start();
    const [head, post] = [await get("/", { method: "HEAD" }), await get("/", { method: "POST" })];
    expect([head.status, head.text, post.status, post.headers.allow]).toEqual([200, "", 405, "GET, HEAD"]);
  });
});

describe("the pages stand back", () => {
  it("for a route of google.api.http with their path", async () => {
    const get = await start({
      routes: (router) => router.service(RestService, { template: () => ({ name: "mine" }) }),
    });
    const { status, text } = await get("/", { headers: browser });
    expect([status, text]).toEqual([200, '{"name":"mine"}']);
  });

  it.each([
    ["gRPC", "application/grpc", { "grpc-status": "12" }],
    ["gRPC-Web", "application/grpc-web+proto", { "grpc-status": "12" }],
  ])("for calls over %s", async (_, contentType, expected) => {
    const get = await start();
    const headers = { "content-type": contentType, te: "trailers" };
    const { status, headers: answered } = await get("/", { method: "POST", headers, body: Buffer.alloc(5) });
    expect([status, answered]).toEqual([200, expect.objectContaining(expected)]);
  });

  it("for calls over Connect", async () => {
    const get = await start();
    const headers = { "content-type": "application/json", "connect-protocol-version": "1" };
    const { status, text } = await get("/", { method: "POST", headers, body: "{}" });
    expect([status, JSON.parse(text).code]).toEqual([404, "unimplemented"]);
  });
});

it("there is text alone where the files that pages load cannot be read", () => {
  const described = { title: "T", description: "", services: [], methods: [], bindings: [], comments: new Map() };
  const missing = createPages(described, new URL("file:///nowhere/"));
  expect([missing.get("/"), missing.get("/docs"), missing.get("/docs/")]).toEqual([
    expect.any(Function),
    undefined,
    undefined,
  ]);
});
