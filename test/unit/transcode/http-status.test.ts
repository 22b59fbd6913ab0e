// The HTTP status that a handler chooses: sent over REST, and only there.
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport, protocols } from "../../../client/index.js";
import { setHttpStatus } from "../../../server/index.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { request } from "../../support/http.js";
import { type RestServiceImpl, send, startRestServer, versions } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

async function start(implementation: RestServiceImpl, options: TestServerOptions = {}) {
  const server = await startRestServer(implementation, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const whole = { path: "/v1/whole", body: '{"text":"a"}' };

/** Sets a status and a header, and returns the request. */
const choosing = (status: number): RestServiceImpl => ({
  whole: (message, context) => {
    setHttpStatus(context, status);
    context.responseHeader.set("location", "/v1/whole/a");
    return message;
  },
});

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  test.each([
    [200, '{"text":"a"}', "application/json"],
    [201, '{"text":"a"}', "application/json"],
    [202, '{"text":"a"}', "application/json"],
    [204, "", undefined],
    [205, "", undefined],
    [303, '{"text":"a"}', "application/json"],
    [304, "", undefined],
    [399, '{"text":"a"}', "application/json"],
  ])("a handler sends %i", async (status, text, type) => {
    const server = await start(choosing(status));
    const answer = await send(server.url, { httpVersion, ...whole });
    expect([answer.status, answer.text, answer.headers["content-type"]]).toEqual([status, text, type]);
    expect(answer.headers.location).toBe("/v1/whole/a");
    expect(server.finished.map(({ code }) => code)).toEqual([undefined]);
  });

  test.each([100, 199, 400, 404, 500, 200.5, Number.NaN])("a handler that sets %d has failed", async (status) => {
    const server = await start(choosing(status));
    const answer = await send(server.url, { httpVersion, ...whole });
    expect(answer.status).toBe(500);
    expect(server.finished[0]?.error?.cause).toEqual(
      new RangeError(`status: expected an integer from 200 to 399, found ${status}`),
    );
  });

  test("an error has its own status", async () => {
    const server = await start({
      whole(_, context) {
        setHttpStatus(context, 201);
        throw new ConnectError("no", Code.NotFound);
      },
    });
    expect((await send(server.url, { httpVersion, ...whole })).status).toBe(404);
  });

  test("HEAD has the status of GET", async () => {
    const server = await start({
      query(message, context) {
        setHttpStatus(context, 203);
        return message;
      },
    });
    const answer = await send(server.url, { httpVersion, method: "HEAD", path: "/v1/query" });
    expect([answer.status, answer.text]).toEqual([203, ""]);
  });

  test("an interceptor sets it on the response", async () => {
    const interceptor: Interceptor = (next) => async (request) => {
      const response = await next({ ...request });
      setHttpStatus({ responseHeader: response.header }, 202);
      return response;
    };
    const server = await start({}, { interceptors: [interceptor] });
    expect((await send(server.url, { httpVersion, ...whole })).status).toBe(202);
  });

  test.each([
    [202, '[{"number":"1"}]', "application/json"],
    [204, "", undefined],
  ])("a stream has the status that was set before its first message: %i", async (status, text, type) => {
    const server = await start({
      async *serverStream(_, context) {
        setHttpStatus(context, status);
        yield { number: 1n };
        setHttpStatus(context, 203);
      },
    });
    const answer = await send(server.url, { httpVersion, path: "/v1/server-stream/a" });
    expect([answer.status, answer.text, answer.headers["content-type"]]).toEqual([status, text, type]);
  });

  test("a client stream and bytes have it, too", async () => {
    const server = await start({
      async clientStream(_, context) {
        setHttpStatus(context, 201);
        return { text: "a" };
      },
      async *download(_, context) {
        setHttpStatus(context, 206);
        yield { contentType: "text/plain", data: Buffer.from("a") };
      },
    });
    const stream = await send(server.url, { httpVersion, path: "/v1/client-stream", body: "[]" });
    const bytes = await send(server.url, { httpVersion, path: "/v1/download/a" });
    expect([stream.status, stream.text, bytes.status, bytes.text]).toEqual([201, '{"text":"a"}', 206, "a"]);
  });
});

test.each([true, false])(
  "other protocols do not have it, and every client gets the message: fastLane %s",
  async (fastLane) => {
    const server = await start(choosing(201), { fastLane });
    for (const protocol of protocols) {
      const transport = createTransport({ protocol, baseUrl: server.url });
      onTestFinished(() => transport.close());
      expect((await createClient(RestService, transport).whole({ text: "a" })).text).toBe("a");
    }
    const path = "/manywire.test.rest.v1.RestService/Whole";
    const answer = await request(server.url, { path, body: "{}", headers: { "content-type": "application/json" } });
    expect(answer.status).toBe(200);
  },
);

test("a client over REST takes 204 for an empty message", async () => {
  const server = await start(choosing(204));
  const transport = createTransport({ protocol: "rest", baseUrl: server.url });
  onTestFinished(() => transport.close());
  expect((await createClient(RestService, transport).whole({ text: "a" })).text).toBe("");
});
