// Pages of other origins call in Chromium, by every client that people use there: with the option, without, and refused.
import type { Interceptor } from "@connectrpc/connect";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CorsOptions, ServerOptions } from "../../../server/index.js";
import { openPage, startBrowser } from "./browser.js";
import { type ForeignOrigin, startForeignOrigin } from "./foreign-origin.js";
import { type BuiltServer, startSecure, startTestServices } from "./server.js";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser?.close());

/** Tells the page which cookies have come. */
const tellCookies: Interceptor = (next) => async (request) => {
  const response = await next(request);
  response.header.set("x-echo-cookie", request.header.get("cookie") ?? "none");
  return response;
};

const service = "manywire.test.v1.TestService";
const options: Partial<ServerOptions> = {
  interceptors: [tellCookies],
  httpRules: {
    rules: [
      { selector: `${service}.Get`, get: "/v1/get/{text}" },
      {
        selector: `${service}.Unary`,
        post: "/v1/unary",
        body: "*",
        additional_bindings: [{ patch: "/v1/unary", body: "*" }, { delete: "/v1/unary/{text}" }],
      },
      { selector: `${service}.ServerStream`, get: "/v1/down/{text}" },
    ],
  },
};

/** Makes all calls from a page of another origin. */
async function callAll(
  site: ForeignOrigin,
  api: BuiltServer,
  credentials: "include" | "omit",
): Promise<Record<string, string>> {
  await using opened = await openPage(browser, `${site.origin}/`, {
    ignoreHTTPSErrors: true,
    others: [api.url],
    // What the browser says when it refuses, and of statuses that are errors.
    allowed: [/blocked by CORS policy/, /^Failed to load resource/],
  });
  await opened.page.context().addCookies([{ name: "session", value: "s", url: api.url }]);
  await opened.page.waitForFunction("globalThis.callAll !== undefined");
  return await opened.page.evaluate(`callAll(${JSON.stringify(api.url)}, ${JSON.stringify(credentials)})`);
}

function expected(credentials: "include" | "omit"): Record<string, string> {
  const end = `echo 1; cookie ${credentials === "include" ? "session=s" : "none"}`;
  const grpcError = "no such thing: ü; details 1; metadata 2";
  const transport = (name: string, error = grpcError) => ({
    [`${name}: unary`]: `a; ${end}`,
    [`${name}: stream`]: `0,1; ${end}`,
    [`${name}: error`]: error,
  });
  const reply = `200 {"text":"a"}; ${end}`;
  return {
    ...transport("connect-web, Connect"),
    ...transport("connect-web, Connect in binary"),
    ...transport("connect-web, Connect GET"),
    ...transport("connect-web, gRPC-Web"),
    ...transport("connect-web, gRPC-Web as JSON"),
    ...transport("grpc-web, binary", "no such thing: ü; metadata 2"),
    ...transport("grpc-web, text", "no such thing: ü; metadata 2"),
    "fetch, REST: GET": reply,
    "fetch, REST: POST": reply,
    "fetch, REST: PATCH": reply,
    "fetch, REST: DELETE": reply,
    "fetch, REST: error": expect.stringMatching(/^404 \{"code":5,"message":"no such thing: ü".*; echo 1; cookie null$/),
    "fetch, REST: invalid JSON": expect.stringMatching(/^400 \{"code":3/),
    "fetch, REST: an unknown path": expect.stringMatching(/^404 \{"code":5/),
    "fetch, REST: a wrong method": expect.stringMatching(/^405 \{"code":12/),
    "fetch, REST: document": "200 ; echo null; cookie null",
    "EventSource: stream": '{"text":"a"},{"text":"a","index":1}',
  };
}

const failed = Object.fromEntries(
  Object.keys(expected("omit")).map((name) => [name, expect.stringMatching(/^failed: /)]),
);

/** Options for pages of the site. */
const cases: [what: string, cors: (origin: string) => CorsOptions | boolean][] = [
  ["all origins", () => true],
  ["its origin", (origin) => ({ origins: origin })],
  ["its origin with credentials", (origin) => ({ origins: [origin], credentials: true })],
  ["its origin by a function", (origin) => ({ origins: (each) => each === origin, credentials: true })],
];

const securities = [
  ["HTTP/1.1", "http", startTestServices],
  ["HTTP/2 with TLS", "https", startSecure],
] as const;

describe.each(securities)("over %s", (_, scheme, start) => {
  let site: ForeignOrigin;
  beforeAll(async () => {
    site = await startForeignOrigin(scheme);
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test.each(cases)("a page calls a server that allows %s, without credentials", async (_, cors) => {
    await using api = await start({ ...options, cors: cors(site.origin) });
    expect(await callAll(site, api, "omit")).toEqual(expected("omit"));
  });

  test("a page calls a server that allows credentials with its cookies", async () => {
    await using api = await start({ ...options, cors: { origins: site.origin, credentials: true } });
    expect(await callAll(site, api, "include")).toEqual(expected("include"));
  });

  test.each<[what: string, cors: CorsOptions | boolean, credentials: "include" | "omit"]>([
    ["allows another origin", { origins: "https://app.example.com" }, "omit"],
    ["allows another origin with credentials", { origins: "https://app.example.com", credentials: true }, "include"],
    ["does not allow credentials, if it sends them", true, "include"],
    ["has no CORS", false, "omit"],
  ])("a page can read nothing of a server that %s", async (_, cors, credentials) => {
    await using api = await start({ ...options, cors });
    expect(await callAll(site, api, credentials)).toEqual(failed);
  });
});
