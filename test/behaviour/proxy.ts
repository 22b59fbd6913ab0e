// A server that forwards the calls of the test service, and requests to it over every protocol.
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { createServer, type Server, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import type { HttpVersion, RawRequest } from "../support/http.js";
import type { Codec, Wire } from "./combinations.js";
import { contentType, encodeBody, type RequestInit, serialize } from "./wire.js";

const service = TestService.typeName;

/** Routes of the test service, whose proto file has none. */
const httpRules = {
  rules: [
    { selector: `${service}.Unary`, post: "/v1/unary", body: "*" },
    { selector: `${service}.ServerStream`, post: "/v1/down", body: "*" },
  ],
};

/** Starts a proxy before the servers, which ends with the test. Resolves when it has their schemas. */
export async function startProxy(urls: readonly string[], options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await startProxyBefore(urls, options);
  onTestFinished(() => server.close());
  return server;
}

/** Starts a proxy before the servers. To be closed. Resolves when it has their schemas. */
export async function startProxyBefore(urls: readonly string[], options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = createServer({
    port: 0,
    routes: () => {},
    upstreams: urls.map((url) => ({ url })),
    httpRules,
    drainTimeoutMs: 1000,
    ...options,
  });
  await server.listen();
  while (!server.health.isServing()) await delay(5);
  return server;
}

/** One way to call a method. */
export interface Front {
  readonly httpVersion: HttpVersion;
  readonly wire: Wire | "rest";
  readonly codec: Codec;
  /** Makes a call of the unary method. */
  unary(message: RequestInit, headers?: RawRequest["headers"]): RawRequest;
}

function overRpc(wire: Wire, codec: Codec, httpVersion: HttpVersion): Front {
  const method = TestService.method.unary;
  return {
    ...{ wire, codec, httpVersion },
    unary: (message, headers) => ({
      httpVersion,
      path: `/${service}/${method.name}`,
      headers: { "content-type": contentType(wire, codec, method), ...headers },
      body: encodeBody(wire, codec, method, [message]),
    }),
  };
}

function overRest(httpVersion: HttpVersion): Front {
  return {
    ...{ wire: "rest", codec: "json", httpVersion },
    unary: (message, headers) => ({
      httpVersion,
      path: "/v1/unary",
      headers: { "content-type": "application/json", ...headers },
      body: serialize("json", message),
    }),
  };
}

/** Every protocol, each with its codecs. */
export const fronts: Record<string, Front> = {
  gRPC: overRpc("grpc", "proto", "2"),
  "gRPC with JSON": overRpc("grpc", "json", "2"),
  "gRPC-Web": overRpc("grpc-web", "proto", "1.1"),
  "gRPC-Web in base64": overRpc("grpc-web-text", "proto", "1.1"),
  Connect: overRpc("connect", "proto", "2"),
  "Connect with JSON": overRpc("connect", "json", "1.1"),
  REST: overRest("1.1"),
  "REST over HTTP/2": overRest("2"),
};
