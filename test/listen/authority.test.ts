import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAuthority, isPath } from "../../server/listen/authority.js";

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

const targets: [text: string, isOne: boolean, reason: string][] = [
  ["/", true, "the root"],
  ["/hello_world.Greeter/SayHello", true, "a method"],
  ["/v1/a//b", true, "an empty segment further on"],
  ["/?a=//b", true, "a query"],
  ["/%2F", true, "an encoded slash"],
  ["/é", true, "not in ASCII"],
  ["", false, "empty"],
  ["*", false, "an asterisk"],
  ["a", false, "relative"],
  ["//x:99999", false, "a URL would have another host"],
  ["//", false, "and an empty one throws"],
  ["/\\x", false, "URLs read it as a slash"],
  ["/\t/x:99999", false, "URLs skip the tab"],
  ["/\n/x", false, "and the end of a line"],
  ["http://host/", false, "absolute"],
];

describe("isPath", () => {
  test.each(targets)("says of %j: %s, %s", (text, isOne) => {
    expect(isPath(text)).toBe(isOne);
  });

  test("never takes what makes a URL throw, or lead elsewhere", () => {
    const part = fc.constantFrom(..."ab1/\\?#%:@[] \t\r\n*.é".split(""));
    const target = fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join("")}`);
    fc.assert(
      fc.property(target, (path) => {
        fc.pre(isPath(path));
        expect(new URL(path, "http://localhost:1").host).toBe("localhost:1");
        expect(new URL(`http://localhost:1${path}`).host).toBe("localhost:1");
      }),
      { numRuns: 2000 },
    );
  });
});
