// What a page of another origin makes a browser send without a preflight does not reach a handler; what other clients send
// does. Connect, gRPC and gRPC-Web need content types that browsers ask for first.
import { Code } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { bytesService } from "../../support/bytes-service.js";
import type { RawRequest } from "../../support/http.js";
import { type RestServiceImpl, send, startRestServer, versions } from "../../support/rest-service.js";

/** A server that counts the calls of its handlers. */
async function start() {
  let calls = 0;
  const count = <T>(message: T): T => {
    calls++;
    return message;
  };
  const service: RestServiceImpl = {
    whole: count,
    custom: count,
    raw: count,
    clientStream: async () => count({}),
    async *serverStream() {
      yield count({});
    },
  };
  // A method without a body, as `:cancel` usually is.
  const httpRules = {
    rules: [{ selector: `${RestService.typeName}.Template`, post: "/v1/{name=operations/*}:cancel" }],
  };
  const server = await startRestServer(
    { ...service, template: count },
    {
      httpRules,
      routes: (router) => router.service(bytesService, { upload: async () => count({}) } as never),
    },
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { url: server.url, host: new URL(server.url).host, calls: () => calls };
}

const routes: [name: string, path: string][] = [
  ["a JSON body", "/v1/whole"],
  ["no body", "/v1/operations/a:cancel"],
  ["any method", "/v1/any/a"],
  ["bytes", "/v1/raw"],
  ["a server stream", "/v1/server-stream"],
  ["a client stream", "/v1/client-stream"],
  ["a stream of bytes", "/v1/upload"],
];

const form = { "content-type": "application/x-www-form-urlencoded" };
const elsewhere = { "sec-fetch-site": "cross-site" };

test.each(versions.flatMap((version) => routes.map((route) => [version, ...route] as const)))(
  "over HTTP/%s, a cross-site POST does not reach a method with %s",
  async (httpVersion, _, path) => {
    const { url, calls, host } = await start();
    const sent: RawRequest["headers"][] = [
      elsewhere,
      { "sec-fetch-site": "same-site" },
      { origin: "https://other.example" },
      { origin: `http://${host}.other.example` },
      { origin: "null" },
      { ...elsewhere, ...form },
      { ...elsewhere, "content-type": "text/plain; charset=utf-8" },
      { ...elsewhere, "content-type": "multipart/form-data; boundary=a" },
      // The browser's own word counts, whatever the origin is.
      { ...elsewhere, origin: `http://${host}` },
    ];
    for (const headers of sent) {
      const answer = await send(url, { httpVersion, method: "POST", path, headers: { ...headers } });
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, Code.PermissionDenied]);
      expect(answer.text).toContain("expected a content-type that needs a CORS preflight, such as application/json");
    }
    expect(calls()).toBe(0);
  },
);

test.each(versions.flatMap((version) => routes.map((route) => [version, ...route] as const)))(
  "over HTTP/%s, any other POST without a body reaches a method with %s",
  async (httpVersion, _, path) => {
    const { url, calls, host } = await start();
    const sent: RawRequest["headers"][] = [
      {},
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      { origin: `http://${host}` },
      { ...elsewhere, "content-type": "application/json" },
    ];
    for (const [index, headers] of sent.entries()) {
      const answer = await send(url, { httpVersion, method: "POST", path, headers: { ...headers } });
      expect([headers, answer.status]).toEqual([headers, 200]);
      expect(calls()).toBe(index + 1);
    }
  },
);

test.each(versions)("over HTTP/%s, a cross-site GET is served: it has no side effects", async (httpVersion) => {
  const { url } = await start();
  expect((await send(url, { httpVersion, path: "/v1/query?text=a", headers: elsewhere })).status).toBe(200);
});

test.each(
  versions.flatMap((version) => ["Whole", "ServerStream", "ClientStream"].map((name) => [version, name] as const)),
)("over HTTP/%s, the RPC %s is not reached by a POST of a type that needs no preflight", async (httpVersion, name) => {
  const { url, calls } = await start();
  for (const headers of [{}, form, { "content-type": "text/plain" }, { "content-type": "multipart/form-data" }]) {
    const path = `/${RestService.typeName}/${name}`;
    const answer = await send(url, { httpVersion, method: "POST", path, headers: { ...headers, ...elsewhere } });
    expect(answer.status).toBe(415);
  }
  expect(calls()).toBe(0);
});
