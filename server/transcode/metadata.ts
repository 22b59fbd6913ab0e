// Selects the request headers that are metadata of the call, and the headers of a handler that are sent. The others
// belong to one connection (RFC 9110 section 7.6.1), or describe the body or the deadline.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { toNodeHeaders } from "../call/headers.js";
import { header, hopByHop } from "../http/header.js";

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

/** The headers of a request that reach its handler. */
export function requestMetadata(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = header(headers, "connection")
    ?.toLowerCase()
    .split(/[\s,]+/);
  const metadata: IncomingHttpHeaders = Object.create(null);
  for (const name in headers) {
    if (!readHere.has(name) && named?.includes(name) !== true) metadata[name] = headers[name];
  }
  return metadata;
}

/** The headers that a handler has set, as they are sent. */
export function responseHeaders(metadata: Headers): OutgoingHttpHeaders {
  return toNodeHeaders(metadata);
}

/** The trailers that a handler has set, as they are sent. */
export function responseTrailers(metadata: Headers): OutgoingHttpHeaders {
  return without(toNodeHeaders(metadata), writtenBefore);
}

function without(headers: OutgoingHttpHeaders, names: ReadonlySet<string>): OutgoingHttpHeaders {
  for (const name in headers) if (names.has(name)) delete headers[name];
  return headers;
}
