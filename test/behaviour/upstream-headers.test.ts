// Headers and trailers that pass between a caller and an upstream, and those that do not.
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { request } from "../support/http.js";
import { startServer, type TestServer } from "../support/server.js";
import { fronts, startProxy } from "./proxy.js";
import { timeoutHeader } from "./wire.js";

let upstream: TestServer;
beforeAll(async () => {
  upstream = await startServer();
});
afterAll(() => upstream[Symbol.asyncDispose]());

let texts = 0;
const newText = () => `headers ${texts++}`;

/** The headers that the upstream's handler sees, but for the names of the client and of what it can decompress. */
async function headersSeen(text: string): Promise<Record<string, string>> {
  const { requestHeader } = await upstream.seen.started(text);
  const { "user-agent": _, "grpc-accept-encoding": __, ...seen } = Object.fromEntries(requestHeader);
  return seen;
}

/** Headers that the protocol between proxy and upstream has. */
const ofGrpc = { "content-type": "application/grpc+proto", te: "trailers" };

const passed = {
  authorization: "Bearer x",
  cookie: "a=1; b=2",
  "accept-language": "de",
  "x-own": "1",
  "x-own-bin": "AAH/",
  "x-odd-bin": "AA, AAE=,",
  "grpc-previous-rpc-attempts": "1",
};

/** Headers that a caller can lie in. */
const claims = {
  forwarded: "for=6.6.6.6",
  "x-forwarded-for": "6.6.6.6",
  "x-forwarded-host": "bank.example",
  "x-forwarded-proto": "https",
  "x-forwarded-port": "443",
  "x-forwarded-client-cert": "Subject=admin",
  "x-forwarded-user-agent": "liar/1",
  "x-real-ip": "6.6.6.6",
};

const ofCaller = {
  accept: "text/html",
  "accept-encoding": "br",
  "content-language": "de",
  date: "Thu, 01 Jan 1970 00:00:00 GMT",
  "user-agent": "caller/1",
};

/** Headers of one connection, which only HTTP/1.1 has. */
const hopByHop = {
  connection: "keep-alive, X-Private ,x-private-bin",
  "x-private": "1",
  "x-private-bin": "AA",
  "keep-alive": "timeout=5",
  "proxy-authorization": "Basic eDp4",
  te: "trailers, deflate",
  upgrade: "websocket",
};

describe.each(Object.entries(fronts))("%s", (_, { httpVersion, wire, unary }) => {
  const others = { ...ofCaller, ...(httpVersion === "1.1" ? hopByHop : {}) };

  test("passes the headers of the application, and tells of the caller by what the proxy knows", async () => {
    const proxy = await startProxy([upstream.url]);
    const text = newText();
    const { status } = await request(proxy.url, unary({ text }, { ...passed, ...claims, ...others }));
    expect(status).toBe(200);
    expect(await headersSeen(text)).toEqual({
      ...passed,
      ...ofGrpc,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": new URL(proxy.url).host,
      "x-forwarded-proto": "http",
      "x-forwarded-user-agent": "caller/1",
    });
  });

  test("keeps what a trusted proxy says of its caller, and appends to it", async () => {
    const proxy = await startProxy([upstream.url], { trustProxy: "loopback" });
    const text = newText();
    await request(proxy.url, unary({ text }, { ...claims, ...others }));
    expect(await headersSeen(text)).toEqual({
      ...ofGrpc,
      ...claims,
      forwarded: "for=6.6.6.6, for=127.0.0.1",
      "x-forwarded-for": "6.6.6.6, 127.0.0.1",
    });
  });

  test("sends what is left of the deadline", async () => {
    const proxy = await startProxy([upstream.url]);
    const text = newText();
    await request(proxy.url, unary({ text }, timeoutHeader(wire === "rest" ? "connect" : wire, 30_000)));
    const { timeoutMs } = await upstream.seen.started(text);
    const leftMs = timeoutMs() ?? 0;
    expect(leftMs).toBeGreaterThan(20_000);
    expect(leftMs).toBeLessThanOrEqual(30_000);
  });

  test("gives the caller headers and trailers of the application only", async () => {
    const proxy = await startProxy([upstream.url]);
    const sent = { "x-echo-own": "1", "x-echo-bin": ["AA==", "/w"], "x-echo-trailer-own": "2", te: "trailers" };
    const { headers, trailers, text } = await request(proxy.url, unary({ text: newText() }, sent));
    const { connection: _, "keep-alive": __, "transfer-encoding": ___, "content-length": ____, ...found } = headers;
    const trailer = wire === "connect" ? { "trailer-x-echo-trailer-own": "2" } : {};
    expect(found).toMatchObject({ "x-echo-own": "1", "x-echo-bin": "AA==, /w", ...trailer });
    expect(Object.keys(found).filter((name) => name.startsWith("grpc-"))).toEqual([]);
    if (wire === "grpc" || wire === "rest") expect(trailers["x-echo-trailer-own"]).toBe("2");
    if (wire === "grpc-web") expect(text).toContain("x-echo-trailer-own: 2\r\n");
  });
});

test("an interceptor chooses headers that go on", async () => {
  const proxy = await startProxy([upstream.url], {
    interceptors: [
      (next) => (call) => {
        call.header.set("x-own", "of the interceptor");
        call.header.delete("authorization");
        return next(call);
      },
    ],
  });
  for (const { unary } of Object.values(fronts)) {
    const text = newText();
    await request(proxy.url, unary({ text }, { authorization: "Bearer x", "x-own": "1" }));
    const seen = await headersSeen(text);
    expect([seen["x-own"], seen.authorization, seen["x-forwarded-for"]]).toEqual([
      "of the interceptor",
      undefined,
      "127.0.0.1",
    ]);
  }
});

describe("the names of grpc-gateway", () => {
  const rest = { grpcGatewayMetadata: true };

  test("are those of metadata in calls over REST", async () => {
    const proxy = await startProxy([upstream.url], { rest });
    const text = newText();
    const { headers, trailers } = await request(
      proxy.url,
      (fronts.REST as (typeof fronts)[string]).unary(
        { text },
        {
          "grpc-metadata-x-echo-own": "1",
          "grpc-metadata-x-echo-trailer-own": "2",
          "grpc-metadata-x-forwarded-for": "6.6.6.6",
          "x-plain": "3",
          cookie: "a=1",
          "grpcgateway-cookie": "admin=1",
          te: "trailers",
        },
      ),
    );
    expect(await headersSeen(text)).toMatchObject({
      "x-echo-own": "1",
      "x-plain": "3",
      cookie: "a=1",
      "grpcgateway-cookie": "a=1",
      "x-forwarded-for": "127.0.0.1",
    });
    expect(headers).toMatchObject({ "content-type": "application/json", "grpc-metadata-x-echo-own": "1" });
    expect(headers).not.toHaveProperty("x-echo-own");
    expect(trailers).toEqual({ "grpc-trailer-x-echo-trailer-own": "2" });
  });

  test("are not used over other protocols", async () => {
    const proxy = await startProxy([upstream.url], { rest });
    const text = newText();
    const { headers } = await request(
      proxy.url,
      (fronts.gRPC as (typeof fronts)[string]).unary({ text }, { "grpc-metadata-x-own": "1", "x-echo-own": "1" }),
    );
    expect(await headersSeen(text)).toMatchObject({ "grpc-metadata-x-own": "1" });
    expect(headers["x-echo-own"]).toBe("1");
  });
});

describe("details of an error", () => {
  const unknown = { type: "acme.Secret", value: Uint8Array.of(8, 1, 255) };
  const known = {
    type: ErrorInfoSchema.typeName,
    value: toBinary(
      ErrorInfoSchema,
      create(ErrorInfoSchema, {
        reason: "CLOSED",
        $unknown: [{ no: 1000, wireType: 2, data: Uint8Array.of(2, 104, 105) }],
      }),
    ),
  };
  let failing: TestServer;
  beforeAll(async () => {
    failing = await startServer({
      implementation: {
        unary() {
          const error = new ConnectError("no", Code.Aborted, { "x-why": "so" });
          error.details = [unknown, known];
          throw error;
        },
      },
    });
  });
  afterAll(() => failing[Symbol.asyncDispose]());

  const details = [unknown, known].map(({ type, value }) =>
    create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value }),
  );
  const inStatus = Buffer.from(
    toBinary(StatusSchema, create(StatusSchema, { code: Code.Aborted, message: "no", details })),
  ).toString("base64url");
  const base64 = (value: Uint8Array) => Buffer.from(value).toString("base64").replaceAll("=", "");

  test.each(Object.entries(fronts))("of types that no schema has reach a caller over %s", async (_, front) => {
    const proxy = await startProxy([failing.url]);
    const { headers, trailers, text } = await request(proxy.url, front.unary({ text: newText() }));
    const toUrlSafe = (value: unknown) => String(value).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    if (front.wire === "grpc") {
      const sent = { ...headers, ...trailers };
      expect([sent["grpc-status"], toUrlSafe(sent["grpc-status-details-bin"])]).toEqual(["10", inStatus]);
    } else if (front.wire === "grpc-web" || front.wire === "grpc-web-text") {
      const body = front.wire === "grpc-web" ? text : Buffer.from(text, "base64").toString("latin1");
      expect(toUrlSafe(/grpc-status-details-bin: (.*)\r\n/.exec(body)?.[1])).toBe(inStatus);
    } else if (front.wire === "connect") {
      expect(JSON.parse(text).details).toMatchObject([
        { type: unknown.type, value: base64(unknown.value) },
        { type: known.type, value: base64(known.value) },
      ]);
    } else {
      expect(JSON.parse(text).details).toEqual([
        { "@type": `type.googleapis.com/${unknown.type}`, value: Buffer.from(unknown.value).toString("base64") },
        { "@type": `type.googleapis.com/${known.type}`, reason: "CLOSED" },
      ]);
    }
  });
});
