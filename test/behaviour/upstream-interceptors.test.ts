// Interceptors around forwarded calls see what they see around own ones, and an own method counts before a forwarded one.
import { toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import type { ServerOptions } from "../../server/index.js";
import { TestReplySchema, TestRequestSchema, TestService } from "../gen/manywire/test/v1/test_pb.js";
import { type RawAnswer, request } from "../support/http.js";
import { startServer, type TestServer } from "../support/server.js";
import { fronts, startProxy } from "./proxy.js";
import type { RequestInit } from "./wire.js";

let upstream: TestServer;
beforeAll(async () => {
  upstream = await startServer();
});
afterAll(() => upstream[Symbol.asyncDispose]());

const tenant = createContextKey("none");
const contextValues: ServerOptions["contextValues"] = ({ headers }) =>
  createContextValues().set(tenant, String(headers["x-tenant"]));

/** An interceptor that notes what it sees of unary calls. */
function createWitness(): { readonly interceptor: Interceptor; readonly seen: unknown[] } {
  const seen: unknown[] = [];
  const interceptor: Interceptor = (next) => async (call) => {
    if (call.stream) return next(call);
    const { message, header, contextValues, method, service } = call;
    seen.push({
      message: toJson(TestRequestSchema, message as never),
      names: [service.typeName, method.name],
      headers: ["x-tenant", "x-own-bin", "authorization"].map((name) => header.get(name)),
      tenant: contextValues.get(tenant),
    });
    try {
      const response = await next(call);
      if (response.stream) throw new Error("expected a unary response");
      const { header: headers, trailer } = response;
      const json = toJson(TestReplySchema, response.message as never);
      seen.push({ json, header: headers.get("x-echo-own"), trailer: trailer.get("x-echo-trailer-own") });
      return response;
    } catch (reason) {
      const { code, rawMessage, metadata, details } = ConnectError.from(reason);
      const reasons = ConnectError.from(reason)
        .findDetails(ErrorInfoSchema)
        .map((detail) => detail.reason);
      seen.push({ code, rawMessage, why: metadata.get("x-why"), details: details.length, reasons });
      throw reason;
    }
  };
  return { interceptor, seen };
}

const headers = {
  "x-tenant": "acme",
  "x-own-bin": "AAE",
  authorization: "Bearer x",
  "x-echo-own": "1",
  "x-fail-x-why": "so",
};
const trailers = { "x-echo-trailer-own": "2" };
const failure = { code: Code.FailedPrecondition, message: "böse", reason: "CLOSED" };

describe.each(Object.entries(fronts))("%s", (_, { wire, unary }) => {
  test.each<[string, RequestInit]>([
    ["a reply", { text: "a", data: Uint8Array.of(1, 2) }],
    ["an error", { text: "b", failure }],
  ])("an interceptor sees requests and responses of forwarded calls as those of own ones: %s", async (_, message) => {
    const own = createWitness();
    const forwarded = createWitness();
    await using server = await startServer({
      ...{ interceptors: [own.interceptor], contextValues },
      httpRules: { rules: [{ selector: `${TestService.typeName}.Unary`, post: "/v1/unary", body: "*" }] },
    });
    const proxy = await startProxy([upstream.url], { interceptors: [forwarded.interceptor], contextValues });
    const raw = unary(message, { ...headers, ...trailers });
    const expected = await request(server.url, raw);
    const found = await request(proxy.url, raw);
    expect(forwarded.seen).toEqual(own.seen);
    expect(own.seen).toHaveLength(2);
    // Of a call that failed, headers and trailers of the upstream are both metadata of the error.
    if (message.failure === undefined) expect(withoutDate(found)).toEqual(withoutDate(expected));
    else expect(found.status).toEqual(expected.status);
  });

  test("an interceptor changes the request and the response", async () => {
    const proxy = await startProxy([upstream.url], {
      interceptors: [
        (next) => async (call) => {
          if (!call.stream && "text" in call.message) call.message.text = `${call.message.text} in`;
          const response = await next(call);
          if (!response.stream && "text" in response.message) response.message.text += " and out";
          response.header.set("x-added", "1");
          return response;
        },
      ],
    });
    const { headers, body, text } = await request(proxy.url, unary({ text: "in" }));
    const found = wire === "grpc-web-text" ? Buffer.from(text, "base64") : body;
    expect(found.toString("latin1")).toContain("in in and out");
    expect(headers["x-added"]).toBe("1");
  });

  test("an interceptor refuses a call, which the upstream does not see", async () => {
    const proxy = await startProxy([upstream.url], {
      interceptors: [
        () => () => {
          throw new ConnectError("no token", Code.Unauthenticated);
        },
      ],
    });
    const text = `refused over ${wire}`;
    const answer = await request(proxy.url, unary({ text }));
    const found = `${JSON.stringify({ ...answer.headers, ...answer.trailers })} ${Buffer.from(answer.text, wire === "grpc-web-text" ? "base64" : "utf8")}`;
    expect(decodeURIComponent(found)).toContain("no token");
    expect(upstream.seen.has(text)).toBe(false);
  });

  test("an own method counts before a forwarded one of the same name", async () => {
    const proxy = await startProxy([upstream.url], {
      routes: (router) => router.rpc(TestService.method.unary, () => ({ text: "ours" })),
    });
    const { body, text } = await request(proxy.url, unary({ text: "theirs" }));
    const found = wire === "grpc-web-text" ? Buffer.from(text, "base64") : body;
    expect(found.toString("latin1")).toContain("ours");
  });
});

function withoutDate({ status, headers, trailers, text }: RawAnswer) {
  const { date: _, ...rest } = headers;
  return { status, headers: rest, trailers, text };
}
