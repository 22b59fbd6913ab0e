// Reads headers, and says which of them belong to one connection.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

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

/** The value of a header. Node joins repeated ones by commas, but for those that it gives as a list. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/**
 * The names in a header such as Accept or Accept-Encoding (RFC 9110 section 12.4.2): the best first, in lower case, without
 * those ruled out.
 */
export function readPreferences(value = ""): string[] {
  return value
    .split(",")
    .map((entry) => {
      const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return { name, quality: weight === undefined ? 1 : Number(weight.slice("q=".length)) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ name }) => name);
}

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
