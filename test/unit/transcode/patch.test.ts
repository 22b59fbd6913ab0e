// PATCH over HTTP: the mask of a request that has none.
import { expect, onTestFinished, test } from "vitest";
import { createClient, createTransport } from "../../../client/index.js";
import { json, send, versions } from "../../support/rest-service.js";
import { startServer } from "../../support/server.js";
import { createUpdateService } from "../../support/update-service.js";

const service = createUpdateService();

async function start(rest: object = {}) {
  const echo = <T>(message: T): T => message;
  const server = await startServer({ rest, routes: (router) => router.service(service, { update: echo } as never) });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const body = '{"node":{"text":"a"},"words":["b"],"note":null}';
const everything = { node: { text: "a" }, words: ["b"] };

test.each(versions)("over HTTP/%s, a request without a mask has the one of its body", async (httpVersion) => {
  const server = await start();
  const patch = { httpVersion, method: "PATCH", path: "/v1/update", body };
  expect(json(await send(server.url, patch))).toEqual({ everything, updateMask: "node.text,note,words" });
  const own = { ...patch, path: "/v1/update?updateMask=words" };
  expect(json(await send(server.url, own))).toEqual({ everything, updateMask: "words" });
});

test("is not made if the option is off", async () => {
  const server = await start({ patchMask: false });
  expect(json(await send(server.url, { method: "PATCH", path: "/v1/update", body }))).toEqual({ everything });
});

test("a client over REST leaves the mask to the server, or sends its own", async () => {
  const { url } = await start();
  const transport = createTransport({ protocol: "rest", baseUrl: url });
  onTestFinished(() => transport.close());
  const client = createClient(service, transport) as unknown as {
    update(request: object): Promise<{ updateMask?: { paths: string[] } }>;
  };
  expect((await client.update({ everything })).updateMask?.paths).toEqual(["node.text", "words"]);
  expect((await client.update({ everything, updateMask: { paths: ["words"] } })).updateMask?.paths).toEqual(["words"]);
});
