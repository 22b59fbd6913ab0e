// Reads headers, says which of them belong to one connection, and limits the size of those that are sent.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { keepResults } from "./keep-results.js";

/** A class that makes empty objects with a prototype, without a constructor's work. */
export function shell<T>(prototype: object): new () => T {
  const Shell = function Shell() {};
  Object.defineProperty(Shell, "prototype", { value: prototype });
  return Shell as unknown as new () => T;
}

/**
 * Makes objects without any inherited name, so that a header may have every name, `__proto__` among them. What
 * `Object.create(null)` makes is a hash table for V8, and several times as slow to copy.
 */
export const NodeHeaders: new () => IncomingHttpHeaders & OutgoingHttpHeaders = shell(
  Object.freeze(Object.create(null)),
);

/** Copies a header object of Node. Each value of a list is appended. */
export function toWebHeaders(source: IncomingHttpHeaders | OutgoingHttpHeaders): Headers {
  const headers = new Headers();
  for (const name in source) {
    const value = source[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else headers.append(name, String(value));
  }
  return headers;
}

/** The value of a header. Node joins repeated ones by commas, but for those that it gives as a list. */
export function header(headers: IncomingHttpHeaders | OutgoingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" ? String(value) : value;
}

/** Whether a text can be the name of a header, or a method (RFC 9110 section 5.6.2). */
export function isToken(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name);
}

/** Whether HTTP can carry the value: no control characters but tab, each character one byte (RFC 9110 section 5.5). */
export function isFieldValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/**
 * The names in a header such as Accept or Accept-Encoding (RFC 9110 section 12.4.2): the best first, in lower case, without
 * those ruled out.
 */
export function readPreferences(value = ""): readonly string[] {
  return preferencesOf(value);
}

const preferencesOf = keepResults((value: string): readonly string[] =>
  value
    .split(",")
    .map((entry) => {
      const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return { name, quality: weight === undefined ? 1 : Number(weight.slice("q=".length)) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ name }) => name),
);

/** The names that a `Connection` header lists, in lower case: headers for this connection only. */
export function connectionNames(connection: string | null | undefined): ReadonlySet<string> {
  return connection ? namesOf(connection) : noNames;
}

const noNames: ReadonlySet<string> = new Set();
const namesOf = keepResults(
  (connection: string): ReadonlySet<string> =>
    new Set(
      connection
        .toLowerCase()
        .trim()
        .split(/[\t ]*,[\t ]*/),
    ),
);

/** Headers that belong to one connection (RFC 9110 section 7.6.1). Node refuses most of them in HTTP/2. */
export const hopByHop: readonly string[] = [
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * Maximum size of the headers, and of the trailers, of a response in bytes, as `headerBytes` counts them. From 65,536 on,
 * nghttp2 fails the whole connection. This leaves room for what Node adds (`:status`, `date`).
 */
export const maxHeaderBytes = 64_000;

/** Thrown instead of sending headers or trailers over the limit. */
export class HeaderSizeError extends Error {
  override readonly name = "HeaderSizeError";
  readonly bytes: number;
  readonly limitBytes: number;

  constructor(kind: "headers" | "trailers", bytes: number, limitBytes: number) {
    super(`response ${kind}: expected at most ${limitBytes} bytes, found ${bytes}`);
    this.bytes = bytes;
    this.limitBytes = limitBytes;
  }
}

/** Counts as RFC 9113 section 6.5.2 does: names, values, and 32 for each field. */
export function headerBytes(headers: OutgoingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (!Array.isArray(value)) bytes += name.length + String(value).length + 32;
    else for (const one of value) bytes += name.length + String(one).length + 32;
  }
  return bytes;
}

/** Every client accepts headers up to this size, so its limit is not looked up. */
const smallHeaderBytes = 4096;

/** @throws HeaderSizeError if headers are over `exchange.maxHeaderBytes` */
export function checkHeaderSize(
  exchange: { readonly maxHeaderBytes: number },
  headers: OutgoingHttpHeaders,
  kind: "headers" | "trailers",
): void {
  checkHeaderBytes(exchange, headerBytes(headers), kind);
}

/** As `checkHeaderSize`, for headers whose size is known. */
export function checkHeaderBytes(
  exchange: { readonly maxHeaderBytes: number },
  bytes: number,
  kind: "headers" | "trailers",
): void {
  if (bytes > smallHeaderBytes && bytes > exchange.maxHeaderBytes) {
    throw new HeaderSizeError(kind, bytes, exchange.maxHeaderBytes);
  }
}
