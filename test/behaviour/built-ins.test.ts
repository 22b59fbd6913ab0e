// What is built in stays reachable behind the application's interceptors, and pages can be guarded.
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import type { ServerOptions } from "../../server/index.js";
import { createHealth } from "../../server/operate/health.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { startServer } from "../support/server.js";

const refuse: Interceptor = () => () => {
  throw new ConnectError("no token", Code.Unauthenticated);
};

async function open(options: Partial<ServerOptions> = {}) {
  const server = await startServer({ interceptors: [refuse], ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const transport = createTransport({ protocol: "grpc", baseUrl: server.url });
  onTestFinished(() => transport.close());
  const list = { messageRequest: { case: "listServices", value: "" } } as const;
  return {
    url: server.url,
    test: () => createClient(TestService, transport).unary({}),
    check: () => createClient(Health, transport).check({}),
    reflect: () => collect(createClient(ServerReflection, transport).serverReflectionInfo(each(list))),
  };
}

describe.each([true, false])("with the fast lane %s", (fastLane) => {
  test("interceptors of the server do not run for health and reflection", async () => {
    const { test, check, reflect } = await open({ fastLane });
    expect((await failureOf(test())).code).toBe(Code.Unauthenticated);
    expect((await check()).status).toBe(Status.SERVING);
    expect(await reflect()).toHaveLength(1);
  });

  test("unless `interceptBuiltIns` asks for it", async () => {
    const { check, reflect } = await open({ fastLane, interceptBuiltIns: true });
    expect((await failureOf(check())).code).toBe(Code.Unauthenticated);
    expect((await failureOf(reflect())).code).toBe(Code.Unauthenticated);
  });

  test("or the application has registered health itself", async () => {
    const own = createHealth(() => []);
    const { check } = await open({ fastLane, routes: (router) => own.routes(router) });
    expect((await failureOf(check())).code).toBe(Code.Unauthenticated);
  });
});

test.each(["1.1", "2"] as const)("over HTTP/%s, a guard refuses the pages and nothing else", async (httpVersion) => {
  const { url } = await open({
    docs: {
      title: "Guarded",
      async guard({ headers }) {
        if (headers.get("authorization") === "Basic eA==") return undefined;
        return new Response("log in\n", { status: 401, headers: { "www-authenticate": "Basic" } });
      },
    },
  });
  const get = (path: string, authorization?: string, method = "GET") =>
    request(url, { httpVersion, method, path, headers: authorization === undefined ? {} : { authorization } });
  for (const path of ["/", "/docs", "/openapi.json", "/openapi.yaml"]) {
    const refused = await get(path);
    expect([refused.status, refused.text, refused.headers["www-authenticate"]]).toEqual([401, "log in\n", "Basic"]);
    expect((await get(path, undefined, "HEAD")).status).toBe(401);
    expect((await get(path, "Basic eA==")).status).toBe(200);
  }
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/nothing")).status).toBe(404);
});

describe("a logger", () => {
  async function fail(options: Partial<ServerOptions>, fastLane: boolean) {
    const failure = { code: 0, message: "secret" };
    const { url } = await open({ interceptors: [], fastLane, ...options });
    const transport = createTransport({ protocol: "connect", baseUrl: url });
    onTestFinished(() => transport.close());
    const client = createClient(TestService, transport);
    expect((await failureOf(client.unary({ failure }))).code).toBe(Code.Internal);
    expect((await failureOf(client.unary({ failure: { code: 5, message: "none" } }))).code).toBe(Code.NotFound);
  }

  test.each([true, false])("gets unexpected errors and no others, with the fast lane %s", async (fastLane) => {
    const lines: unknown[][] = [];
    await fail({ logger: { error: (...line) => lines.push(line) } }, fastLane);
    await expect
      .poll(() => lines)
      .toEqual([
        [
          {
            method: "manywire.test.v1.TestService/Unary",
            code: "internal",
            err: expect.objectContaining({ message: "secret" }),
          },
          "call failed",
        ],
      ]);
  });

  test("that throws is reported, and changes nothing", async () => {
    const errors: string[] = [];
    const logger = {
      error() {
        throw new Error("disk full");
      },
    };
    await fail({ logger, onConnectionError: ({ message }, step) => errors.push(`${step}: ${message}`) }, true);
    await expect.poll(() => errors).toEqual(["observer: disk full"]);
  });
});
