// Selects the request headers that are metadata of the call, and the headers of a handler that are sent. The others
// belong to one connection (RFC 9110 section 7.6.1), or describe the body or the deadline. Names are the same on both sides,
// or those of grpc-gateway:
// https://github.com/grpc-ecosystem/grpc-gateway/blob/016436a22b770ae59060c46cf21120cda1036394/runtime/context.go
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { toNodeHeaders } from "../call/headers.js";
import { connectionNames, header, hopByHop, NodeHeaders } from "../http/header.js";
import { keepForHeaders } from "../http/keep-for-headers.js";
import { changeHeaders } from "../http/similar-headers.js";

/** Headers that the transcoder reads itself: a handler gets them as message, `url` and `timeoutMs()`. */
const readHere: ReadonlySet<string> = new Set([
  ...hopByHop,
  "accept-encoding",
  "connect-timeout-ms",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "grpc-timeout",
  "host",
  "x-server-timeout",
]);

/** Headers that cannot be trailers (RFC 9110 section 6.5.1). */
const writtenBefore: ReadonlySet<string> = new Set(["content-encoding", "content-type", "set-cookie"]);

/** Standard headers of requests that grpc-gateway passes on under names of its own. */
const gatewayStandard: ReadonlySet<string> = new Set([
  ...["accept", "accept-charset", "accept-language", "accept-ranges", "authorization", "cache-control", "content-type"],
  ...["cookie", "date", "expect", "from", "host", "if-match", "if-modified-since", "if-none-match"],
  ...["if-schedule-tag-match", "if-unmodified-since", "max-forwards", "origin", "pragma", "referer", "user-agent"],
  ...["via", "warning"],
]);

/** Headers of responses that keep their names: they describe the body. */
const gatewayKept: ReadonlySet<string> = new Set(["accept-encoding", "content-encoding", "content-type"]);

/** What grpc-gateway puts before names. */
const gatewayPrefix = { header: "grpc-metadata-", trailer: "grpc-trailer-", standard: "grpcgateway-" };

/**
 * The headers of a request that reach its handler. They must not be changed.
 *
 * @param hasGatewayNames whether `grpc-metadata-x` is `x`, and `grpcgateway-cookie` a copy of `cookie`
 */
export function requestMetadata(headers: IncomingHttpHeaders, hasGatewayNames = false): IncomingHttpHeaders {
  return hasGatewayNames ? gatewayMetadata(headers) : plainMetadata(headers);
}

const plainMetadata = keepForHeaders(
  (headers: IncomingHttpHeaders) => selectMetadata(headers, false),
  // Headers that are no metadata may be other ones.
  (metadata, changes) =>
    changeHeaders(
      metadata,
      changes.filter(({ name }) => metadata[name] !== undefined),
    ),
);
const gatewayMetadata = keepForHeaders((headers: IncomingHttpHeaders) => selectMetadata(headers, true));

function selectMetadata(headers: IncomingHttpHeaders, hasGatewayNames: boolean): IncomingHttpHeaders {
  const ofConnection = connectionNames(header(headers, "connection"));
  const metadata: IncomingHttpHeaders = new NodeHeaders();
  for (const name in headers) {
    if (ofConnection.has(name)) continue;
    if (hasGatewayNames) addGatewayNames(metadata, name, header(headers, name));
    else if (!readHere.has(name)) metadata[name] = headers[name];
  }
  // Frozen headers come again, and so do these.
  return Object.isFrozen(headers) ? Object.freeze(metadata) : metadata;
}

function addGatewayNames(metadata: IncomingHttpHeaders, name: string, value: string | undefined): void {
  const { header, standard } = gatewayPrefix;
  // Only the server itself may say what a caller's standard headers were.
  if (name.startsWith(standard)) return;
  if (gatewayStandard.has(name)) metadata[standard + name] = value;
  const key = name.startsWith(header) ? name.slice(header.length) : name;
  if (key === "" || readHere.has(key)) return;
  const before = metadata[key];
  metadata[key] = before === undefined ? value : `${before}, ${value}`;
}

/** The headers that a handler has set, as they are sent. */
export function responseHeaders(metadata: Headers, hasGatewayNames = false): OutgoingHttpHeaders {
  const headers = toNodeHeaders(metadata);
  return hasGatewayNames ? prefixed(headers, gatewayPrefix.header, gatewayKept) : headers;
}

/** The trailers that a handler has set, as they are sent. */
export function responseTrailers(metadata: Headers, hasGatewayNames = false): OutgoingHttpHeaders {
  const trailers = without(toNodeHeaders(metadata), writtenBefore);
  return hasGatewayNames ? prefixed(trailers, gatewayPrefix.trailer, new Set()) : trailers;
}

function prefixed(headers: OutgoingHttpHeaders, prefix: string, kept: ReadonlySet<string>): OutgoingHttpHeaders {
  const named = Object.entries(headers).map(([name, value]) => [kept.has(name) ? name : prefix + name, value]);
  return Object.fromEntries(named);
}

function without(headers: OutgoingHttpHeaders, names: ReadonlySet<string>): OutgoingHttpHeaders {
  for (const name in headers) if (names.has(name)) delete headers[name];
  return headers;
}
