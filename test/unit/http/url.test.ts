import fc from "fast-check";
import { expect, test } from "vitest";
import { requestUrl } from "../../../server/http/exchange.js";
import { splitTarget } from "../../support/target.js";

function urlOf(scheme: "http" | "https", authority: string, target: string): string {
  return requestUrl({ scheme, authority, ...splitTarget(target) });
}

const urls: [scheme: "http" | "https", authority: string, target: string, url: string][] = [
  ["http", "localhost:50051", "/a.B/C", "http://localhost:50051/a.B/C"],
  ["https", "localhost:50051", "/a.B/C", "https://localhost:50051/a.B/C"],
  ["https", "127.0.0.1:8443", "/a.B/C", "https://127.0.0.1:8443/a.B/C"],
  ["http", "[::1]:50051", "/a.B/C", "http://[::1]:50051/a.B/C"],
  ["http", "[0:0:0:0:0:0:0:1]:50051", "/a.B/C", "http://[::1]:50051/a.B/C"],
  ["http", "Example.COM", "/a.B/C", "http://example.com/a.B/C"],
  ["http", "example.com:80", "/a.B/C", "http://example.com/a.B/C"],
  ["https", "example.com:443", "/a.B/C", "https://example.com/a.B/C"],
  ["https", "example.com:80", "/a.B/C", "https://example.com:80/a.B/C"],
  ["http", "example.com:0080", "/a.B/C", "http://example.com/a.B/C"],
  ["http", "example.com:", "/a.B/C", "http://example.com/a.B/C"],
  ["http", "127.1:50051", "/a.B/C", "http://127.0.0.1:50051/a.B/C"],
  ["http", "localhost", "/v1/./a/../b/%2e", "http://localhost/v1/b/"],
  ["http", "localhost", "/v1/é", "http://localhost/v1/%C3%A9"],
  ["http", "localhost", "/a.B/C?message=%7B%7D&x=a b", "http://localhost/a.B/C?message=%7B%7D&x=a%20b"],
];

test("the URL of a request is what was called, as a URL parser writes it", () => {
  for (const [scheme, authority, target, url] of urls) expect(urlOf(scheme, authority, target)).toBe(url);
});

test("the same authority, again and again, makes the same URL as the first time", () => {
  const scheme = fc.constantFrom("http" as const, "https" as const);
  const authority = fc.constantFrom(
    "a",
    "a:80",
    "a:443",
    "A",
    "b:1",
    "[::1]",
    "1.2.3.4",
    "1.2",
    "0x7f.1",
    "a.b-c",
    "xn--fa-hia.de",
    "b.1a",
    "1a.b1",
  );
  const target = fc.constantFrom("/p/m", "/p/m?q=1", "/p/m?q= ", "/", "//", "/.p", "/p/..", "/p:q/%41", "/{p}", "/p'q");
  fc.assert(
    fc.property(fc.array(fc.tuple(scheme, authority, target), { maxLength: 6 }), (calls) => {
      for (const call of calls) expect(urlOf(...call)).toBe(new URL(`${call[0]}://${call[1]}${call[2]}`).href);
    }),
  );
});
