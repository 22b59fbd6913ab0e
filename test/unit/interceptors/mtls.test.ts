// Options of `mtls`, and the names of certificates. What callers see is in test/behaviour.
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseAlternativeNames, readAlternativeNames } from "../../../server/interceptors/alternative-names.js";
import { type ClientNames, compileNames } from "../../../server/interceptors/certificate-names.js";
import { type MtlsOptions, mtls } from "../../../server/interceptors/index.js";
import { hostileIdentity, type Identity, namelessIdentity, ordersIdentity } from "../../support/certificates.js";

const read = ({ cert }: Identity) => readAlternativeNames(new X509Certificate(cert).raw);

describe("names of a certificate", () => {
  test("are read by their kind", () => {
    expect(read(ordersIdentity)).toEqual({
      uris: ["spiffe://prod.test/ns/shop/orders"],
      dns: ["orders.prod.test"],
      emails: [],
    });
    expect(read(namelessIdentity)).toEqual({ uris: [], dns: [], emails: [] });
  });

  test("are whole where they look like several", () => {
    expect(read(hostileIdentity)).toEqual({
      uris: ["spiffe://prod.test/ns/evil, URI:spiffe://prod.test/ns/shop/orders", "spiffe://prod.test/ns/shop/../evil"],
      dns: ["evil.test, DNS:orders.prod.test", "*.prod.test"],
      emails: ['evil", email:alice@prod.test'],
    });
  });

  test.each<[text: string, entries: [string, string][], reason: string]>([
    ["", [], "none"],
    [
      "DNS:a, IP Address:::1",
      [
        ["DNS", "a"],
        ["IP Address", "::1"],
      ],
      "a colon in a value",
    ],
    ['DNS:"a\\u002c DNS:b"', [["DNS", "a, DNS:b"]], "quoted"],
    ['DNS:"a\\u0000b"', [["DNS", "a\0b"]], "a NUL"],
    ["DNS:a, b", [], "a comma without quotes: nothing is read"],
    ["DNS:a,DNS:b", [], "no space"],
    ['DNS:"a', [], "an open quote"],
    ['DNS:"a\\x"', [], "no JSON"],
    ['DNS:a"b"', [], "a quote in a plain value"],
    ["DNS:a, ", [["DNS", "a"]], "nothing after the last comma"],
    ["a", [], "no kind"],
  ])("%j is %j: %s", (text, entries) => {
    expect(parseAlternativeNames(text)).toEqual(entries);
  });
});

describe.each<[allowed: ClientNames, names: Partial<Record<keyof ClientNames, string[]>>, found: string | undefined]>([
  [{ uris: ["spiffe://a/b"] }, { uris: ["spiffe://a/c", "spiffe://a/b"] }, "spiffe://a/b"],
  [{ uris: ["spiffe://a/b"] }, { uris: ["spiffe://a/b/"] }, undefined],
  [{ uris: ["spiffe://a/b"] }, { uris: ["SPIFFE://a/b"] }, undefined],
  [{ uris: ["spiffe://a/b"] }, { dns: ["spiffe://a/b"] }, undefined],
  [{ uris: ["spiffe://a/b/*"] }, { uris: ["spiffe://a/b/c/d"] }, "spiffe://a/b/c/d"],
  ...["", "/", "c//d", ".", "..", "../c", "c/../d", "c/.", "%2e%2e", "c?d", "c#d", "c, URI:spiffe://a/d"].map(
    (rest): [ClientNames, Partial<Record<keyof ClientNames, string[]>>, undefined] => [
      { uris: ["spiffe://a/b/*"] },
      { uris: [`spiffe://a/b/${rest}`] },
      undefined,
    ],
  ),
  [{ uris: ["spiffe://a/*"] }, { uris: ["spiffe://a.evil/b"] }, undefined],
  [{ dns: ["a.test"] }, { dns: ["A.test"] }, "A.test"],
  [{ dns: ["*.a.test"] }, { dns: ["b.a.test"] }, "b.a.test"],
  ...["a.test", "c.b.a.test", "*.a.test", ".a.test", "b.a.test.evil", "b.a.test\0"].map(
    (name): [ClientNames, Partial<Record<keyof ClientNames, string[]>>, undefined] => [
      { dns: ["*.a.test"] },
      { dns: [name] },
      undefined,
    ],
  ),
  [{ emails: ["a@b.test"] }, { emails: ["a@B.test"] }, "a@B.test"],
  [{ emails: ["a@b.test"] }, { emails: ["A@b.test"] }, undefined],
  [{ uris: ["spiffe://a/b"], dns: ["a.test"] }, { dns: ["a.test"] }, "a.test"],
  [{}, { emails: ["a@b.test"], dns: ["a.test"] }, "a.test"],
  [{}, {}, ""],
])("of the allowed %j", (allowed, names, found) => {
  test(`${JSON.stringify(names)} has ${JSON.stringify(found)}`, () => {
    expect(compileNames("mtls", allowed)({ uris: [], dns: [], emails: [], ...names })).toBe(found);
  });
});

const uri = "a URI such as spiffe://prod.test/orders";

test.each<[options: unknown, message: string]>([
  [[], "mtls: expected options, found an array"],
  [{ rule: [] }, 'mtls: unknown option "rule": did you mean "rules"?'],
  [{ rules: {} }, "mtls: rules: expected an array, found an object"],
  [{ rules: [{ methods: "*", uri: [] }] }, 'mtls: rules[0]: unknown option "uri": did you mean "uris"?'],
  [{ rules: [{ methods: "*", public: "false" }] }, 'mtls: rules[0].public: expected true or false, found "false"'],
  [
    { rules: [{ methods: "*", public: true, dns: ["a"] }] },
    "mtls: rules[0]: expected either public or names, found both",
  ],
  [{ rules: [{ methods: "*", uris: "a:b" }] }, `mtls: rules[0].uris: expected an array with ${uri}`],
  [{ rules: [{ methods: "*", uris: [] }] }, `mtls: rules[0].uris: expected an array with ${uri}`],
  ...["orders", "spiffe://*", "spiffe://*/a", "spiffe://a/*/b", "spiffe://a/b*", "spiffe://a b"].map(
    (text): [unknown, string] => [
      { rules: [{ methods: "*", uris: [text] }] },
      `mtls: rules[0].uris: expected ${uri}, found "${text}"`,
    ],
  ),
  ...["*", "a.*", "**.a", "*a.b", "a..b"].map((text): [unknown, string] => [
    { rules: [{ methods: "*", dns: [text] }] },
    `mtls: rules[0].dns: expected a name such as orders.prod.test, found "${text}"`,
  ]),
  [
    { rules: [{ methods: "*", emails: ["alice"] }] },
    'mtls: rules[0].emails: expected an address such as alice@prod.test, found "alice"',
  ],
])("%j: %s", (options, message) => {
  expect(() => mtls(options as MtlsOptions)).toThrow(new TypeError(message));
});
