// Options of REST routes as a server takes them, and what cannot be switched on.
import { describe, expect, onTestFinished, test } from "vitest";
import type { RestOptions } from "../../../server/index.js";
import type { RawRequest } from "../../support/http.js";
import { json, send, startRestServer, versions } from "../../support/rest-service.js";

async function start(rest: RestOptions = {}) {
  const server = await startRestServer({}, { rest });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const get = (path: string): RawRequest => ({ path });
const whole = (body: string): RawRequest => ({ path: "/v1/whole", body });
const children = (count: number) => `node${".child".repeat(count)}`;

/** A request, what it comes to without the option, and with it. */
const options: [options: RestOptions, request: RawRequest, without: unknown, within: unknown][] = [
  [{ ignoreUnknownParameters: true }, get("/v1/query?nothing=1&text=a"), 400, { text: "a" }],
  [{ ignoredParameters: ["key", "utm_*"] }, get("/v1/query?key=K&utm_source=a&text=a"), 400, { text: "a" }],
  [{ ignoredParameters: ["text"] }, get("/v1/query?text=a"), { text: "a" }, { text: "a" }],
  [{ withoutRoutes: ["manywire.test.rest.v1.RestService.Query"] }, get("/v1/query?text=a"), { text: "a" }, 404],
  [{ queryParameterLimit: 2 }, get("/v1/query?words=a&words=b&words=c"), { words: ["a", "b", "c"] }, 400],
  [{ queryParameterLimit: 1001 }, get(`/v1/query?${"$x&".repeat(1001)}`), 400, {}],
  [{ queryDepthLimit: 2 }, get("/v1/query?node.child.text=a"), { node: { child: { text: "a" } } }, 400],
  [{ queryDepthLimit: 33 }, get(`/v1/query?${children(31)}.number=0`), 400, expect.anything()],
  [{ ignoreUnknownFields: false }, whole('{"nothing":1,"text":"a"}'), { text: "a" }, 400],
  [{ keptEncoded: "reserved" }, get("/v1/files/a%2Fb%3Ac"), { name: "files/a%2Fb:c" }, { name: "files/a%2Fb%3Ac" }],
  [{ keptEncoded: "nothing" }, get("/v1/files/a%2Fb%3Ac"), { name: "files/a%2Fb:c" }, { name: "files/a/b:c" }],
  [{ ignoreTrailingSlash: true }, get("/v1/query/?text=a"), 404, { text: "a" }],
  [{ emitDefaults: true }, get("/v1/operations"), { name: "operations" }, { name: "operations", collection: "" }],
  [{ useProtoNames: true }, get("/v1/query?choiceText=a"), { choiceText: "a" }, { choice_text: "a" }],
  [{ enumsAsNumbers: true }, get("/v1/query?color=COLOR_RED"), { color: "COLOR_RED" }, { color: 1 }],
];

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  const outcome = async (rest: RestOptions, request: RawRequest) => {
    const answer = await send((await start(rest)).url, { ...request, httpVersion });
    return answer.status === 200 ? json(answer) : answer.status;
  };

  test.each(options)("%o changes what %o comes to", async (rest, request, without, within) => {
    expect(await outcome({}, request)).toEqual(without);
    expect(await outcome(rest, request)).toEqual(within);
  });

  test("an error may have any shape, also that of a refusal", async () => {
    const server = await start({ errorShape: ({ code, rawMessage }) => [code, rawMessage] });
    const missing = await send(server.url, { httpVersion, path: "/v1/nothing" });
    expect([missing.status, json(missing)]).toEqual([404, [5, "nothing is served at /v1/nothing"]]);
    const wrong = await send(server.url, { httpVersion, path: "/v1/query?flag=x" });
    expect([wrong.status, json(wrong)]).toEqual([400, [3, 'flag: expected true or false, found "x"']]);
  });

  test.each<[reason: string, path: string, name: string]>([
    ["dots are text", "/v1/files/../query", "files/../query"],
    ["escaped dots are text", "/v1/files/%2e%2e/%2E", "files/../."],
    ["a backslash is text", "/v1/files/a\\..\\b", "files/a\\..\\b"],
    ["empty segments are segments", "/v1/files//a//", "files//a//"],
    ["a plus is a plus", "/v1/files/a+b", "files/a+b"],
  ])("nothing tidies a path on its way: %s", async (_, path, name) => {
    const server = await start();
    expect(json(await send(server.url, { httpVersion, path }))).toEqual({ name });
  });

  test.each<[RawRequest, status: number]>([
    [{ path: "/v1/query", body: "{}", headers: { "x-http-method-override": "GET" } }, 405],
    [{ path: "/v1/query?text=a", headers: { "x-http-method-override": "DELETE" } }, 200],
    [{ path: "/v1/query", body: "text=a", headers: { "content-type": "application/x-www-form-urlencoded" } }, 405],
    [{ path: "/v1/whole", body: "text=a", headers: { "content-type": "application/x-www-form-urlencoded" } }, 415],
    [{ path: "/v1/whole", body: "--a", headers: { "content-type": "multipart/form-data; boundary=a" } }, 415],
  ])("no header turns a method into another, and no form is a request: %o", async (request, status) => {
    const server = await start();
    expect((await send(server.url, { ...request, httpVersion })).status).toBe(status);
  });

  test("HEAD has the headers of GET where it is compressed, too", async () => {
    const server = await start();
    const request = { httpVersion, path: `/v1/query?text=${"a".repeat(3000)}`, headers: { "accept-encoding": "gzip" } };
    const found = await send(server.url, request);
    const head = await send(server.url, { ...request, method: "HEAD" });
    const names = ["content-encoding", "content-length", "content-type", "vary"];
    expect(names.map((name) => head.headers[name])).toEqual(names.map((name) => found.headers[name]));
    expect([found.headers["content-encoding"], head.text]).toEqual(["gzip", ""]);
  });
});
