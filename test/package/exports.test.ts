// The exports. An added or removed name changes the interface.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as client from "../../client/index.js";
import * as server from "../../server/index.js";
import * as interceptors from "../../server/interceptors/index.js";
import * as metrics from "../../server/operate/metrics/index.js";
import * as tracing from "../../server/operate/tracing/index.js";

const root = join(import.meta.dirname, "../..");

/** The types that a file exports by name. */
function typesOf(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  const statements = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)];
  const names = statements.flatMap(([, type, list = ""]) =>
    list
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && (type !== undefined || name.startsWith("type ")))
      .map((name) => name.replace(/^type /, "")),
  );
  return names.sort();
}

test("`manywire` exports these names", () => {
  expect(Object.keys(server).sort()).toEqual([
    "Code",
    "ConnectError",
    "callInfo",
    "compressionBrotli",
    "compressionGzip",
    "createContextKey",
    "createContextValues",
    "createServer",
    "peerCertificate",
    "runServer",
    "setCompression",
    "setHttpStatus",
  ]);
  expect(typesOf("server/index.ts")).toEqual([
    "CallHooks",
    "CallInfo",
    "CallObserver",
    "CallRequest",
    "CallResponse",
    "CallStatus",
    "ConnectRouter",
    "ContextValues",
    "CorsOptions",
    "DocsOptions",
    "ErrorLogger",
    "Fallback",
    "FetchHandler",
    "FinishedCall",
    "ForwardEnd",
    "ForwardedRequest",
    "HandlerContext",
    "Health",
    "HealthStatus",
    "Interceptor",
    "ListenLimits",
    "Method",
    "MethodInterceptor",
    "NodeHandler",
    "OpenApiDocument",
    "OperationKind",
    "PagesOptions",
    "ProtocolName",
    "Refusal",
    "ReloadOptions",
    "ReloadReport",
    "RequestInfo",
    "RestOptions",
    "RouteOptions",
    "Router",
    "ServedMethod",
    "Server",
    "ServerOptions",
    "ServerStats",
    "ServiceImpl",
    "StartedCall",
    "TlsOptions",
    "UpstreamStats",
  ]);
});

test("`manywire/interceptors` exports these names", () => {
  expect(Object.keys(interceptors).sort()).toEqual([
    ...["anyOf", "apiKeys", "jwt", "jwtClaims", "mtls", "principal", "rateLimit", "validation"],
  ]);
  expect(typesOf("server/interceptors/index.ts")).toEqual([
    "ApiKeysInterceptor",
    "ApiKeysOptions",
    "ApiKeysRule",
    "ClaimValues",
    "ClientNames",
    "JsonWebKey",
    "JsonWebKeySet",
    "JwtClaims",
    "JwtOptions",
    "JwtRequirements",
    "JwtRule",
    "MethodPatterns",
    "MethodRule",
    "MtlsOptions",
    "MtlsRule",
    "Principal",
    "RateLimitKey",
    "RateLimitOptions",
    "SharedLimiter",
    "ValidationOptions",
  ]);
});

test("`manywire/metrics` exports these names", () => {
  expect(Object.keys(metrics).sort()).toEqual(["createMetrics", "renderMetrics", "serveMetrics"]);
  expect(typesOf("server/operate/metrics/index.ts")).toEqual([
    "MetricSnapshot",
    "Metrics",
    "MetricsOptions",
    "MetricsSnapshot",
    "MetricsText",
    "WatchedServer",
  ]);
});

test("`manywire/tracing` exports these names", () => {
  expect(Object.keys(tracing).sort()).toEqual(["createTracing"]);
  expect(typesOf("server/operate/tracing/index.ts")).toEqual(["TracingOptions"]);
});

test("`manywire/client` exports these names", () => {
  expect(Object.keys(client).sort()).toEqual([
    "Code",
    "ConnectError",
    "TransportOptionError",
    "compressionBrotli",
    "compressionGzip",
    "createClient",
    "createConnectTransport",
    "createContextValues",
    "createGrpcWebTransport",
    "createRestTransport",
    "createTransport",
    "protocols",
    "waitForReady",
  ]);
  expect(typesOf("client/index.ts")).toEqual([
    "ClientTlsOptions",
    "ClosableTransport",
    "Protocol",
    "ProtocolOptions",
    "TransportOptions",
  ]);
});
