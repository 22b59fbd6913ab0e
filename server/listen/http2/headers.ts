// Field lines of HTTP/2 ⇄ header objects as Node has them.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { NodeHeaders } from "../../http/header.js";
import { checkOutgoing } from "../../http2/field-rules.js";
import { createField, type Field } from "../../http2/hpack/field.js";

/**
 * Returns field lines as a header object: lower-case name → value. Lines of one name are joined by commas, those of
 * `set-cookie` are a list, and of names that have one value the first line counts, as in Node.
 */
export function toHeaders(fields: readonly Field[]): IncomingHttpHeaders {
  const headers = new NodeHeaders();
  for (const { name, value } of fields) {
    const known = headers[name];
    if (name === "set-cookie") headers[name] = Array.isArray(known) ? [...known, value] : [value];
    else if (known === undefined) headers[name] = value;
    else if (!singleValue.has(name)) headers[name] = `${known}, ${value}`;
  }
  return headers;
}

/**
 * Returns headers as field lines.
 *
 * @param status that of a response; undefined for trailers
 * @throws TypeError if HTTP/2 does not allow one of them
 */
export function toFields(status: number | undefined, headers: Readonly<OutgoingHttpHeaders>): Field[] {
  const fields: Field[] = status === undefined ? [] : [createField(":status", String(status))];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const key = name.toLowerCase();
    if (Array.isArray(value)) for (const one of value) fields.push(createField(key, one));
    else fields.push(createField(key, String(value)));
  }
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new TypeError(fault);
  return fields;
}

let dateSecond = 0;
let dateField: readonly Field[] = [];

/** Returns the `date` field of a response, which is the same object for a second. */
export function currentDate(): readonly Field[] {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateField = [createField("date", new Date(second * 1000).toUTCString())];
  }
  return dateField;
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
