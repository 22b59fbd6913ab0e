// Every setting of the command, in one place: its flag, kind and words, and the option of `createServer` that it becomes.
// Help, README and errors are made from it; the environment variable follows from the flag, the default from the option.
import { DEFAULT_LISTEN_LIMITS, type ListenLimits } from "../listen/limits.js";
import type { DocsOptions } from "../openapi/options.js";
import type { CorsOptions } from "../operate/cors/options.js";
import { type CallLimits, DEFAULT_CALL_LIMITS } from "../operate/overload/limits.js";
import { resolveOptions, type ServerOptions } from "../options.js";
import type { RestOptions } from "../transcode/transcoder.js";
import {
  addresses,
  choice,
  duration,
  type Kind,
  megabytes,
  names,
  networks,
  onOff,
  origins,
  path,
  processes,
  rate,
  share,
  size,
  switchOff,
  switchOn,
  switchTo,
  text,
  wholeNumber,
} from "./setting-kinds.js";

export type Flag = `--${string}`;

/** A value that was given, and how errors name it: by its flag, its variable, or its place in the configuration file. */
export interface Given<Value = unknown> {
  readonly name: string;
  readonly value: Value;
}

/** One setting; its default is that of its option, unless it has one of its own. */
export interface Setting {
  readonly flag: Flag;
  readonly kind: Kind<unknown>;
  /** Description, in Markdown. */
  readonly text: string;
  readonly option?:
    | keyof ServerOptions
    | `limits.${keyof ListenLimits | keyof CallLimits}`
    | `rest.${keyof RestOptions}`
    | `docs.${keyof DocsOptions}`
    | `cors.${keyof CorsOptions}`;
  readonly default?: string;
  /** Whether the configuration file has no key for it. */
  readonly isFlagOnly?: boolean;
}

/** Settings that belong together. */
interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}

const file = path();

/** Metrics are for operators: other machines see them only where that is wanted. */
export const metricsHost = "127.0.0.1";

/** In the order of help and docs. */
export const settingGroups: readonly SettingGroup[] = [
  {
    title: "Address",
    settings: [
      {
        flag: "--host",
        kind: text("address"),
        option: "host",
        text: "address or host name to listen on; `::` accepts connections from other machines, as in a container",
      },
      {
        flag: "--port",
        kind: wholeNumber(0, 65_535),
        option: "port",
        text: "port to listen on; `0` takes a free port; `PORT` is used if neither flag nor variable is set",
      },
      { flag: "--path", kind: file, option: "path", text: "Unix socket to listen on instead of host and port" },
      {
        flag: "--trust-proxy",
        kind: networks,
        option: "trustProxy",
        text: "proxies whose `x-forwarded-*` and `forwarded` headers say who the client is: addresses, networks such as `10.0.0.0/8`, `loopback`, `private`, or `*` for all; may be repeated",
      },
      {
        flag: "--proxy-protocol",
        kind: switchOn,
        option: "proxyProtocol",
        text: "connections of trusted proxies begin with a PROXY header (version 1 or 2), which names the client",
      },
    ],
  },
  {
    title: "TLS",
    settings: [
      {
        flag: "--tls-cert",
        kind: file,
        text: "certificate chain (PEM), leaf first; the port then accepts TLS only",
      },
      { flag: "--tls-key", kind: file, text: "private key of the certificate (PEM)" },
      {
        flag: "--tls-client-ca",
        kind: file,
        text: "CA certificates (PEM) for client authentication; makes a client certificate mandatory",
      },
    ],
  },
  {
    title: "Limits",
    settings: [
      {
        flag: "--max-message-size",
        kind: size(),
        option: "readMaxBytes",
        text: "maximum request message size, after decompression",
      },
      {
        flag: "--max-message-elements",
        kind: wholeNumber(1),
        option: "readMaxElements",
        text: "maximum number of list items, map entries and submessages in one request message",
      },
      {
        flag: "--max-header-size",
        kind: size(),
        option: "limits.headerBytes",
        text: "maximum size of request headers",
      },
      {
        flag: "--max-headers",
        kind: wholeNumber(1),
        option: "limits.headerCount",
        text: "maximum number of request headers",
      },
      {
        flag: "--max-streams",
        kind: wholeNumber(1),
        option: "limits.streamsPerConnection",
        text: "maximum concurrent calls per HTTP/2 connection",
      },
      {
        flag: "--max-concurrent-calls",
        kind: wholeNumber(0),
        option: "limits.concurrentCalls",
        text: "maximum concurrent calls of the whole server; more are refused with `unavailable`; `0` for no limit",
      },
      {
        flag: "--max-lag",
        kind: duration(),
        option: "limits.maxLagMs",
        text: "delay of the event loop from which calls that are too many are refused with `unavailable`; `0` turns it off",
      },
      {
        flag: "--max-connections",
        kind: wholeNumber(0),
        option: "limits.connections",
        text: "maximum open connections; more are closed at once; `0` for no limit",
      },
      {
        flag: "--max-connections-per-address",
        kind: wholeNumber(0),
        option: "limits.connectionsPerAddress",
        text: "maximum open connections from one IPv4 address or one /64 network of IPv6; `0` for no limit",
      },
      {
        flag: "--rate-limit",
        kind: rate,
        text: "calls that each client address may make, such as `100/s`; others end with `resource_exhausted`",
      },
      {
        flag: "--max-timeout",
        kind: duration(1),
        option: "maxTimeoutMs",
        text: "maximum deadline that a client may request",
      },
      {
        flag: "--handshake-timeout",
        kind: duration(1),
        option: "limits.openingMs",
        text: "timeout of each step before the first request: TLS handshake, first bytes, HTTP/2 SETTINGS",
      },
      {
        flag: "--headers-timeout",
        kind: duration(1),
        option: "limits.headersMs",
        text: "timeout for the headers of an HTTP/1.1 request",
      },
      {
        flag: "--request-timeout",
        kind: duration(),
        option: "limits.requestMs",
        text: "timeout for an HTTP/1.1 request with its body; `0` turns it off",
      },
      {
        flag: "--keep-alive-timeout",
        kind: duration(),
        option: "limits.keepAliveMs",
        text: "idle timeout of an HTTP/1.1 connection; `0` turns it off",
      },
      {
        flag: "--max-connection-age",
        kind: duration(0),
        option: "limits.maxConnectionAgeMs",
        text: "age at which a connection ends after its calls, 10 % more or less; `0` for no limit",
      },
      {
        flag: "--max-connection-age-grace",
        kind: duration(0),
        option: "limits.maxConnectionAgeGraceMs",
        text: "time that calls have to end after that; then the connection is cut; `0` for no limit",
      },
      {
        flag: "--max-connection-idle",
        kind: duration(0),
        option: "limits.maxConnectionIdleMs",
        text: "time without a call after which a connection ends; `0` for no limit",
      },
      {
        flag: "--probe-after",
        kind: duration(1),
        option: "limits.probeMs",
        text: "idle time before a keepalive ping; the connection closes if it is unanswered for as long again",
      },
      {
        flag: "--session-memory",
        kind: megabytes,
        option: "limits.sessionMemoryMb",
        text: "maximum memory of Node for one connection where it speaks HTTP/2, without messages; above it new calls are rejected",
      },
      {
        flag: "--max-unsent",
        kind: size(),
        option: "limits.unsentBytes",
        text: "maximum unsent response bytes of one HTTP/2 connection; above it large responses are reset",
      },
      {
        flag: "--stall-timeout",
        kind: duration(),
        option: "limits.stallMs",
        text: "timeout of a client that stops reading, or stops in the middle of a message; `0` turns it off",
      },
      {
        flag: "--stream-window",
        kind: size(),
        option: "limits.streamWindowBytes",
        text: "initial HTTP/2 flow-control window per stream",
      },
      {
        flag: "--connection-window",
        kind: size(),
        option: "limits.connectionWindowBytes",
        text: "HTTP/2 flow-control window per connection",
      },
    ],
  },
  {
    title: "Processes",
    settings: [
      {
        flag: "--workers",
        kind: processes,
        default: "1",
        text: "processes that serve the port together; `auto` is one for each processor; limits hold for each of them",
      },
      {
        flag: "--control",
        kind: file,
        text: "Unix socket to open for `manywire status`; only the same user can connect",
      },
    ],
  },
  {
    title: "Shutdown",
    settings: [
      {
        flag: "--drain-delay",
        kind: duration(),
        option: "drainDelayMs",
        text: "time between failing health checks and refusing connections, for load balancers to notice",
      },
      {
        flag: "--drain-timeout",
        kind: duration(),
        option: "drainTimeoutMs",
        text: "timeout for active calls at shutdown; then they end with `unavailable`",
      },
    ],
  },
  {
    title: "Proxy",
    settings: [
      {
        flag: "--config",
        kind: file,
        isFlagOnly: true,
        text: "with proxy or openapi: configuration (YAML or JSON) with `upstreams`; flags and variables count before its settings",
      },
      {
        flag: "--watch",
        kind: switchOn,
        text: "with proxy: reload when the configuration changes, or a file that it names; SIGHUP reloads, too",
      },
      {
        flag: "--upstream",
        kind: addresses,
        isFlagOnly: true,
        text: "with proxy or openapi: gRPC server to forward calls to, such as `localhost:50051` or `https://api.internal`; may be repeated",
      },
      {
        flag: "--upstream-ca",
        kind: file,
        isFlagOnly: true,
        text: "CA certificates (PEM) that servers of `https:` upstreams are verified with",
      },
      {
        flag: "--proto",
        kind: path("folder"),
        isFlagOnly: true,
        text: "proto files of the upstream, such as one without reflection; needs buf, protoc or Python's grpcio-tools",
      },
      {
        flag: "--schema",
        kind: file,
        isFlagOnly: true,
        text: "the upstream's files as a FileDescriptorSet, such as `buf build -o api.binpb` writes",
      },
      {
        flag: "--no-upstream-reflection",
        kind: switchOff,
        isFlagOnly: true,
        text: "serve only what the proto files or the descriptor set define, and do not ask upstreams for more services",
      },
      {
        flag: "--pass-unknown",
        kind: switchOn,
        isFlagOnly: true,
        text: "pass gRPC calls of methods that no schema has on to the upstream, which has to be the only one",
      },
      {
        flag: "--schema-cache",
        kind: file,
        text: "keep the schemas of upstreams in this file, and serve them after a restart while an upstream is not there",
      },
    ],
  },
  {
    title: "Authentication",
    settings: [
      {
        flag: "--jwt-issuer",
        kind: text("name"),
        text: "`iss` of the JSON Web Tokens that callers have to send as `authorization: Bearer`; needs the package `jose`",
      },
      { flag: "--jwt-audience", kind: text("name"), text: "`aud` that these tokens have to have" },
      {
        flag: "--jwt-jwks",
        kind: text("URL"),
        text: "URL of the issuer's keys, such as `https://login.example.com/.well-known/jwks.json`",
      },
      {
        flag: "--api-keys",
        kind: file,
        text: "names and keys (YAML or JSON), one of which callers have to send as `x-api-key`; or a token, where these are set",
      },
    ],
  },
  {
    title: "Services",
    settings: [
      {
        flag: "--cors-origin",
        kind: origins,
        option: "cors.origins",
        text: "origin whose pages may call, such as `https://app.example.com` or `https://*.example.com`, or `*` for all; may be repeated",
      },
      {
        flag: "--validate",
        kind: switchOn,
        text: "check requests by the `buf.validate` rules in their descriptors; needs the package `@bufbuild/protovalidate`",
      },
      {
        flag: "--no-reflection",
        kind: switchOff,
        option: "reflection",
        text: "turn reflection off; tools such as grpcurl then need the proto files",
      },
      {
        flag: "--docs",
        kind: onOff,
        option: "docs",
        text: "`on` or `off`: serve `/`, `/docs` and `/openapi.json`",
      },
      {
        flag: "--openapi-operations",
        kind: { ...names("kinds", /^(?:rest|connect)$/), expected: "rest, connect or both with a comma between" },
        option: "docs.operations",
        text: "operations in the OpenAPI document: `rest`, `connect` or both, with a comma between",
      },
      {
        flag: "--no-code-generation",
        kind: switchOff,
        option: "codeGeneration",
        text: "read and write messages without code made of their types",
      },
      {
        flag: "--reference-lane",
        kind: switchOff,
        option: "fastLane",
        text: "serve calls with Connect's handlers, for comparison",
      },
      {
        flag: "--node-http2",
        kind: switchTo("node", "own"),
        option: "http2",
        text: "speak HTTP/2 with Node's `http2`, for comparison",
      },
    ],
  },
  {
    title: "REST",
    settings: [
      {
        flag: "--http-rules",
        kind: file,
        text: "service configuration (YAML or JSON); its `http` rules replace the `google.api.http` options of their methods",
      },
      {
        flag: "--without-routes",
        kind: names("selectors", /^(?:\w+(?:\.\w+)*|(?:\w+\.)*\*)$/),
        option: "rest.withoutRoutes",
        text: "comma-separated methods without routes: `package.Service.Method`, `package.Service.*`, or `*` for all",
      },
      {
        flag: "--ignore-parameters",
        kind: names("names", /^(?:\*|[^*]+\*?)$/),
        option: "rest.ignoredParameters",
        text: "comma-separated query parameters to ignore if no field has their name, such as `key,fields,utm_*`",
      },
      {
        flag: "--ignore-trailing-slash",
        kind: switchOn,
        option: "rest.ignoreTrailingSlash",
        text: "match a path with a trailing `/` to the route without it",
      },
      {
        flag: "--reject-unknown-fields",
        kind: switchOff,
        option: "rest.ignoreUnknownFields",
        text: "reject JSON bodies with unknown fields",
      },
      {
        flag: "--no-patch-mask",
        kind: switchOff,
        option: "rest.patchMask",
        text: "do not derive the FieldMask of a PATCH request from its body",
      },
      {
        flag: "--emit-defaults",
        kind: switchOn,
        option: "rest.emitDefaults",
        text: "include fields with default values in JSON",
      },
      {
        flag: "--proto-names",
        kind: switchOn,
        option: "rest.useProtoNames",
        text: "use proto field names in JSON",
      },
      {
        flag: "--enums-as-numbers",
        kind: switchOn,
        option: "rest.enumsAsNumbers",
        text: "use enum numbers in JSON",
      },
      {
        flag: "--grpc-gateway-metadata",
        kind: switchOn,
        option: "rest.grpcGatewayMetadata",
        text: "name metadata as grpc-gateway does: `Grpc-Metadata-` and `Grpc-Trailer-` before names, `grpcgateway-` before standard ones",
      },
    ],
  },
  {
    title: "Metrics",
    settings: [
      {
        flag: "--metrics",
        kind: switchOn,
        text: "serve metrics for Prometheus at `/metrics` of the same port, to everyone who can reach it; needs prom-client",
      },
      {
        flag: "--metrics-port",
        kind: wholeNumber(0, 65_535),
        text: "port to serve metrics on instead, or as well, at `/metrics`; `0` takes a free port; needs prom-client",
      },
      {
        flag: "--metrics-host",
        kind: text("address"),
        default: metricsHost,
        text: "address or host name of the port for metrics; `::` lets a Prometheus on another machine read them",
      },
    ],
  },
  {
    title: "Output",
    settings: [
      {
        flag: "--log-level",
        kind: choice("debug", "info", "warn", "error", "silent"),
        default: "info",
        text: "minimum log level; `info` logs every call",
      },
      {
        flag: "--log-sample",
        kind: share,
        default: "1",
        text: "share of the calls that end well and are logged, from 0 to 1, such as `0.01`; calls that fail always are",
      },
      {
        flag: "--log-format",
        kind: choice("auto", "json", "pretty"),
        default: "auto",
        text: "`auto` is `pretty` on a terminal and `json` elsewhere",
      },
      {
        flag: "--tracing",
        kind: switchOn,
        text: "trace calls with OpenTelemetry; needs `@opentelemetry/api`, and an SDK that `NODE_OPTIONS=--import` loads",
      },
      { flag: "--no-banner", kind: switchOff, text: "do not print the URL and example calls" },
    ],
  },
];

/** All settings, without their groups. */
export const settings: readonly Setting[] = settingGroups.flatMap((group) => group.settings);

/** Flags that the configuration file has no key for: its own, and those of the server at `--upstream`. */
export const onlyFlags: readonly Flag[] = settings
  .filter(({ isFlagOnly }) => isFlagOnly === true)
  .map(({ flag }) => flag);

/** `--tls-cert` → `MANYWIRE_TLS_CERT`. */
export function environmentName(flag: Flag): string {
  return `MANYWIRE_${flag.slice(2).toUpperCase().replaceAll("-", "_")}`;
}

const defaults = new Map<string, unknown>([
  ...Object.entries(resolveOptions({ routes: () => {} })),
  ...Object.entries({ ...DEFAULT_LISTEN_LIMITS, ...DEFAULT_CALL_LIMITS }).map(
    ([name, value]) => [`limits.${name}`, value] as const,
  ),
]);

/** The default as a user would write it; empty if there is none. */
export function defaultText({ option, kind, default: own = "" }: Setting): string {
  const value = option === undefined ? undefined : defaults.get(option);
  return value === undefined ? own : kind.format(value);
}
