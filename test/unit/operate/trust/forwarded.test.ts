import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseForwarded } from "../../../../server/operate/trust/forwarded.js";

describe("Forwarded", () => {
  // The examples of RFC 7239 are among them.
  test.each<[value: string, elements: object[]]>([
    ['for="_gazonk"', [{ for: "_gazonk" }]],
    ['For="[2001:db8:cafe::17]:4711"', [{ for: "[2001:db8:cafe::17]:4711" }]],
    ["for=192.0.2.60;proto=http;by=203.0.113.43", [{ for: "192.0.2.60", proto: "http", by: "203.0.113.43" }]],
    ["for=192.0.2.43, for=198.51.100.17", [{ for: "192.0.2.43" }, { for: "198.51.100.17" }]],
    [
      'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown',
      [{ for: "192.0.2.43" }, { for: "[2001:db8:cafe::17]" }, { for: "unknown" }],
    ],
    ['for=a;host="x, y; z"', [{ for: "a", host: "x, y; z" }]],
    ['for="a\\"\\\\b"', [{ for: 'a"\\b' }]],
    ['for=""', [{ for: "" }]],
    ["for=a ; proto=https\t,\tfor=b", [{ for: "a", proto: "https" }, { for: "b" }]],
    [", for=a,, ;for=b;, ", [{ for: "a" }, { for: "b" }]],
    ["", []],
    ["__proto__=x", [{ ["__proto__"]: "x" }]],
  ])("%s is read", (value, elements) => {
    expect(parseForwarded(value)).toEqual(elements);
  });

  test.each([
    ['for="1.2.3.4', "an open quote"],
    ['for="1.2.3.4, for=203.0.113.9', "an open quote of the client, before the entry of a proxy"],
    ['for=6.6.6.6;x=", for="[2001:db8::1]"', "an open quote of the client, before a quoted entry of a proxy"],
    ['for="a"b', "text after a quote"],
    ['for="a\\"', "a quote that is escaped"],
    ["for=", "no value"],
    ["=a", "no name"],
    ["for", "no equals sign"],
    ["for = a", "white space at the equals sign"],
    ["for=a b", "two words"],
    ["for=[::1]", "brackets without quotes"],
    ["for=2001:db8::1", "colons without quotes"],
    ["for=a;For=b", "a parameter twice"],
    ["for=a\u202e", "characters that no token has"],
  ])("%s is malformed: %s", (value) => {
    expect(parseForwarded(value)).toBeUndefined();
  });

  test("reads what it has written", () => {
    const name = fc.constantFrom("for", "by", "host", "proto", "x-1");
    const text = fc.string({ unit: fc.constantFrom(...'a1.:[]"\\,;= \t_%') });
    const element = fc.dictionary(name, text, { minKeys: 1 });
    const quote = (value: string) => `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        const parameters = elements.map((one) => Object.entries(one).map(([key, value]) => `${key}=${quote(value)}`));
        expect(parseForwarded(parameters.map((each) => each.join(";")).join(", "))).toEqual(
          elements.map((one) => ({ ...one })),
        );
      }),
    );
  });

  test.each([
    ["elements", "for=192.0.2.1, ".repeat(10_000)],
    ["spaces", `${" ".repeat(100_000)}x`],
    ["backslashes", `for="${"\\\\".repeat(50_000)}`],
    ["separators", ";,".repeat(50_000)],
  ])("takes no long time for many %s", (_, value) => {
    const start = performance.now();
    parseForwarded(value);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
