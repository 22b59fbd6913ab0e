// Field lines of requests as the header objects of Node.
import type { IncomingHttpHeaders } from "node:http";
import { NodeHeaders } from "../http/header.js";

/**
 * Returns field lines as a header object. Lines of one name are joined by commas, those of `cookie` by semicolons, those of
 * `set-cookie` are a list, and of names that have one value the first line counts, as in Node.
 *
 * @param fields with names in lower case
 */
export function toHeaders(fields: readonly { readonly name: string; readonly value: string }[]): IncomingHttpHeaders {
  const headers = new NodeHeaders();
  for (const { name, value } of fields) {
    const known = headers[name];
    if (name === "set-cookie") headers[name] = Array.isArray(known) ? [...known, value] : [value];
    else if (known === undefined) headers[name] = value;
    else if (!singleValue.has(name)) headers[name] = `${known}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

/** Names of which Node takes the first line only. */
const singleValue: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "date",
  "dnt",
  "etag",
  "expires",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);
