import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { descriptors } from "../../gen/manywire/descriptors.js";
import { listOperations, requestOf, toTarget } from "../../support/draw.js";
import { openConnection, request } from "../../support/http.js";
import { send, startRestServer } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

async function start(options: TestServerOptions = {}) {
  const server = await startRestServer({}, { docs: { descriptorSet: descriptors }, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const get = { method: "GET", path: "/openapi.json" };

describe.each(["1.1", "2"] as const)("over HTTP/%s", (httpVersion) => {
  it("the document is served as JSON and as YAML, and is that of the server", async () => {
    const { url, server } = await start();
    const json = await request(url, { ...get, httpVersion });
    const yaml = await request(url, { ...get, httpVersion, path: "/openapi.yaml?from=anywhere" });
    expect([json.headers["content-type"], yaml.headers["content-type"]]).toEqual([
      "application/json",
      "application/yaml",
    ]);
    expect([JSON.parse(json.text), parse(yaml.text)]).toEqual(
      Array(2).fill(JSON.parse(JSON.stringify(server.openApi()))),
    );
  });

  it("it is compressed where that is accepted, and not sent to those who have it", async () => {
    const { url } = await start();
    const plain = await request(url, { ...get, httpVersion });
    const accepting = { "accept-encoding": "gzip" };
    const { headers, body } = await request(url, { ...get, httpVersion, headers: accepting });
    expect([headers["content-encoding"], Number(headers["content-length"])]).toEqual(["gzip", body.length]);
    expect(gunzipSync(body).toString()).toBe(plain.text);
    const again = await request(url, {
      ...get,
      httpVersion,
      headers: { ...accepting, "if-none-match": headers.etag ?? "" },
    });
    expect([again.status, again.text]).toEqual([304, ""]);
  });
});

describe("the document", () => {
  it.each(["/openapi.json", "/openapi.yaml"])("is for reading only: %s", async (path) => {
    const { url } = await start();
    const { status, headers } = await send(url, { method: "POST", path, body: "{}" });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
    const head = await request(url, { method: "HEAD", path });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  it.each(["json", "yaml"])("has one kind of operations where the query asks for it: %s", async (form) => {
    const { url, server } = await start();
    const pathsOf = async (query: string) =>
      Object.keys(parse((await request(url, { method: "GET", path: `/openapi.${form}${query}` })).text).paths);
    const whole = Object.keys(server.openApi().paths);
    const isConnect = (path: string) => path.startsWith("/manywire.");
    expect(await pathsOf("")).toEqual(whole);
    expect(await pathsOf("?operations=rest")).toEqual(whole.filter((path) => !isConnect(path)));
    expect(await pathsOf("?a=b&operations=connect")).toEqual(whole.filter(isConnect));
    const wrong = await request(url, { method: "GET", path: `/openapi.${form}?operations=soap` });
    expect([wrong.status, wrong.text]).toEqual([400, "operations: expected rest or connect, found soap\n"]);
  });

  it("has one kind of operations by an option, of which others are refused", async () => {
    const { server } = await start({ docs: { operations: ["rest"] } });
    expect(Object.keys(server.openApi().paths).filter((path) => path.startsWith("/manywire."))).toEqual([]);
    await expect(start({ docs: { operations: ["soap" as never] } })).rejects.toThrow(
      'docs.operations: expected rest or connect, found "soap"',
    );
  });

  it("is not the response to calls in another protocol", async () => {
    const { url } = await start();
    const headers = { "content-type": "application/grpc" };
    const { status, headers: answered } = await request(url, { httpVersion: "2", path: "/openapi.json", headers });
    expect([status, answered["grpc-status"]]).toEqual([200, "12"]);
  });

  it("is not there where documents are switched off, but can still be made", async () => {
    const { url, server } = await start({ docs: false });
    expect((await request(url, get)).status).toBe(404);
    expect(Object.keys(server.openApi().paths)).toContain("/v1/whole");
  });

  it("is not made of an invalid descriptor set, which stops the start", async () => {
    await expect(startRestServer({}, { docs: { descriptorSet: new Uint8Array([0xff]) } })).rejects.toThrow(
      "docs.descriptorSet: expected a serialised google.protobuf.FileDescriptorSet, found bytes that are none",
    );
  });

  it("stands back behind a route with its path", async () => {
    const rule = { selector: "manywire.test.rest.v1.RestService.Template", get: "/{name=openapi.json}" };
    const { url } = await start({ httpRules: { rules: [rule] } });
    expect((await request(url, get)).text).toBe('{"name":"openapi.json"}');
    expect((await request(url, { ...get, path: "/openapi.yaml" })).status).toBe(200);
  });

  it("tells of the rules of a service configuration, which the server follows", async () => {
    const rule = { selector: "manywire.test.rest.v1.RestService.Template", get: "/elsewhere/{name}" };
    const { server } = await start({ httpRules: { rules: [rule] } });
    const places = listOperations(server.openApi()).filter(({ operation }) =>
      operation.operationId.startsWith("RestService_Template"),
    );
    expect(places.map(({ path }) => path)).toEqual([
      "/elsewhere/{name}",
      "/manywire.test.rest.v1.RestService/Template",
    ]);
  });

  it("allows no request that the server refuses as malformed", async () => {
    const { url, server } = await start();
    const document = server.openApi();
    await using connection = openConnection(url, "2");
    const own = listOperations(document).filter(({ operation }) => operation.operationId.startsWith("RestService_"));
    for (const place of own) {
      const body = place.operation.requestBody;
      if (body !== undefined && !("application/json" in body.content)) continue;
      const drawn = fc.sample(requestOf(document, place), { numRuns: 3, seed: 5 });
      // As many replies as a number says may be many.
      for (const one of drawn.filter(() => !place.operation.operationId.includes("ServerStream"))) {
        const headers = body === undefined ? {} : { "content-type": "application/json" };
        const sent = body === undefined ? {} : { body: JSON.stringify(one.body) };
        const { status, text } = await connection.request({
          method: place.httpMethod,
          path: toTarget(place, one),
          ...{ headers, ...sent },
        });
        expect(status, `${place.operation.operationId} ${JSON.stringify(one)} ${text}`).not.toBe(400);
      }
    }
  });
});
