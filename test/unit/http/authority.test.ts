import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAuthority } from "../../../server/http/authority.js";

const authorities: [text: string, isOne: boolean, reason: string][] = [
  ["localhost", true, "a name"],
  ["localhost:50051", true, "with a port"],
  ["LOCALHOST:80", true, "in any case"],
  ["a_b.example.com", true, "an underscore, as in the names of containers"],
  ["127.0.0.1:1", true, "IPv4"],
  ["[::1]:50051", true, "IPv6"],
  ["[::ffff:127.0.0.1]", true, "IPv4 in IPv6"],
  ["example.com.", true, "the root is written out"],
  ["xn--bcher-kva.example", true, "punycode"],
  ["localhost:", true, "RFC 3986 allows an empty port"],
  ["localhost:65535", true, "the highest port"],
  ["", false, "empty"],
  ["x:99999", false, "no such port"],
  ["x:65536", false, "one too high"],
  ["x:1x", false, "no number"],
  ["x:-1", false, "a negative port"],
  ["a b", false, "a space"],
  ["a\tb", false, "a tab"],
  [":80", false, "no host"],
  ["user@host", false, "user information"],
  ["user:secret@host:80", false, "user information"],
  ["host/path", false, "a path"],
  ["host\\path", false, "what URLs read as a path"],
  ["host?query", false, "a query"],
  ["host#fragment", false, "a fragment"],
  ["http://host", false, "a URL"],
  ["a,b c", false, "a list"],
  ["[::1", false, "a bracket is open"],
  ["::1", false, "IPv6 without brackets"],
  ["[::1%25eth0]", false, "a zone"],
  ["[1::2::3]", false, "no IPv6"],
  ["256.256.256.256", false, "no IPv4, but it ends in a number"],
  ["1.2.3.4.5", false, "neither"],
  ["%2Frun%2Fgreeter.sock", false, "an encoded path"],
  ["bücher.example", false, "not in ASCII"],
  ["\u0000", false, "a control character"],
];

describe("isAuthority", () => {
  test.each(authorities)("says of %j: %s, %s", (text, isOne) => {
    expect(isAuthority(text)).toBe(isOne);
    expect(isAuthority(text), "the second time").toBe(isOne);
  });

  test("never takes what makes a URL throw, or lead elsewhere", () => {
    const part = fc.constantFrom(..."ab0129.:-_[]@/\\?#% \t,é&'xn--".split(""), "::1", "xn--", "65536", "127.0.0.1");
    const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.constantFrom("http", "https"), (authority, scheme) => {
        fc.pre(isAuthority(authority));
        const url = new URL("/path", `${scheme}://${authority}`);
        expect(url.pathname).toBe("/path");
        expect(url.username).toBe("");
        const [host] = /^(?:\[.*\]|[^:]*)/.exec(authority) ?? [""];
        expect(new URL(`http://${host}/`).hostname).toBe(url.hostname);
      }),
      { numRuns: 2000 },
    );
  });
});
