import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { createNetworks } from "../../../../server/operate/trust/networks.js";
import { findOrigin } from "../../../../server/operate/trust/origin.js";

const isTrusted = createNetworks("trustProxy", ["10.0.0.0/8", "fd00::/8", "unix"]);

/** The origin of a request from 10.0.0.1 for http://own:1. */
const originOf = (headers: IncomingHttpHeaders, trusted = isTrusted) =>
  findOrigin({ peer: "10.0.0.1", scheme: "http", authority: "own:1", headers }, trusted);

const own = { peer: "10.0.0.1", scheme: "http", authority: "own:1" };
const client = "203.0.113.9";

describe("the client by X-Forwarded-For", () => {
  test.each([
    [client, client, "the only entry"],
    [`6.6.6.6, ${client}`, client, "the entry of the trusted proxy, not that of the client"],
    [`6.6.6.6, ${client}, 10.0.0.2`, client, "before a second trusted proxy"],
    [`6.6.6.6, ${client}, 10.0.0.3,10.0.0.2 `, client, "before a third one"],
    ["10.0.0.3, 10.0.0.2", "10.0.0.3", "the first entry, if all are trusted"],
    [`${client}:51234`, client, "without its port"],
    ["[2001:DB8::1]:443", "2001:db8::1", "in the short form"],
    ["::ffff:203.0.113.9", client, "IPv4 in IPv6"],
    [`${client}, fd00::2`, client, "before a proxy of IPv6"],
    [`garbage, ${client}`, client, "whatever the client has sent"],
    [`, ,${client},, `, client, "empty entries count for nothing"],
    ["unknown", "10.0.0.1", "the proxy, which tells no address"],
    [`${client}, unknown`, "10.0.0.1", "the proxy: what is before its entry may be invented"],
    [`${client}, _hidden, 10.0.0.2`, "10.0.0.2", "the farthest proxy that is known"],
    [`${client}, 10.0.0.2:x`, "10.0.0.1", "the proxy, of which the entry is malformed"],
    ["", "10.0.0.1", "nothing is said"],
    [Array(10_000).fill("10.0.0.2").join(), "10.0.0.2", "10,000 entries"],
  ])("%.60s is %s: %s", (value, peer) => {
    expect(originOf({ "x-forwarded-for": value })).toEqual({ ...own, peer });
  });

  test("is the first entry if all are trusted", () => {
    const all = createNetworks("trustProxy", "*");
    expect(originOf({ "x-forwarded-for": `6.6.6.6, ${client}` }, all)).toEqual({ ...own, peer: "6.6.6.6" });
  });

  test("counts before Forwarded", () => {
    expect(originOf({ "x-forwarded-for": client, forwarded: "for=6.6.6.6;proto=https" })).toEqual({
      ...own,
      peer: client,
    });
    expect(originOf({ "x-forwarded-for": client, forwarded: 'for="' })).toEqual({ ...own, peer: client });
  });
});

describe("scheme and authority by X-Forwarded-Proto, -Host and -Port", () => {
  const twoProxies = `${client}, 10.0.0.2`;
  test.each<[headers: IncomingHttpHeaders, expected: object, reason: string]>([
    [{ "x-forwarded-proto": "https" }, { scheme: "https" }, "also without an address"],
    [{ "x-forwarded-proto": "HTTPS" }, { scheme: "https" }, "in capitals"],
    [{ "x-forwarded-proto": "ftp" }, {}, "none of HTTP"],
    [{ "x-forwarded-proto": "http, https" }, { scheme: "https" }, "that of the only trusted proxy"],
    [
      { "x-forwarded-for": twoProxies, "x-forwarded-proto": "https, http" },
      { peer: client, scheme: "https" },
      "that of the farthest trusted proxy",
    ],
    [
      { "x-forwarded-for": twoProxies, "x-forwarded-proto": "http, https, http" },
      { peer: client, scheme: "https" },
      "none that the client has sent",
    ],
    [
      { "x-forwarded-for": twoProxies, "x-forwarded-proto": "https" },
      { peer: client, scheme: "https" },
      "one that all proxies pass on",
    ],
    [{ "x-forwarded-host": "api.example" }, { authority: "api.example" }, ""],
    [{ "x-forwarded-host": "api.example:8443" }, { authority: "api.example:8443" }, "with a port"],
    [{ "x-forwarded-host": "6.example, api.example" }, { authority: "api.example" }, "that of the trusted proxy"],
    [{ "x-forwarded-host": "api.example", "x-forwarded-port": "8443" }, { authority: "api.example:8443" }, ""],
    [{ "x-forwarded-host": "[::1]", "x-forwarded-port": "8443" }, { authority: "[::1]:8443" }, ""],
    [{ "x-forwarded-host": "a:1", "x-forwarded-port": "2" }, { authority: "a:1" }, "the host has one"],
    [{ "x-forwarded-host": "a", "x-forwarded-port": "443" }, { authority: "a" }, "the default"],
    [{ "x-forwarded-host": "a", "x-forwarded-port": "99999" }, { authority: "a" }, "no port"],
    [{ "x-forwarded-host": "a", "x-forwarded-port": "1@b" }, { authority: "a" }, "no port"],
    [{ "x-forwarded-port": "8443" }, {}, "no host"],
    ...["a b", "user@a", "a/b", "a:99999", "a\u202eb", "<script>", "[::1"].map(
      (host): [IncomingHttpHeaders, object, string] => [{ "x-forwarded-host": host }, {}, "malformed"],
    ),
  ])("of %j are %j: %s", (headers, expected) => {
    expect(originOf(headers)).toEqual({ ...own, ...expected });
  });
});

describe("the origin by Forwarded", () => {
  test.each<[value: string, expected: object]>([
    [`for=${client}`, { peer: client }],
    [
      'for="[2001:db8::1]:47011";proto=https;host=api.example',
      {
        peer: "2001:db8::1",
        scheme: "https",
        authority: "api.example",
      },
    ],
    [
      `for=6.6.6.6;host=bank.example, for=${client};host="api.example:8443"`,
      {
        peer: client,
        authority: "api.example:8443",
      },
    ],
    [
      `for=6.6.6.6, for=${client};proto=https;host=a, for=10.0.0.2;proto=http;host=b`,
      {
        peer: client,
        scheme: "https",
        authority: "a",
      },
    ],
    [`for=${client}, for=10.0.0.2;proto=https`, { peer: client, scheme: "https" }],
    [`for=${client}, for=unknown;proto=https`, { scheme: "https" }],
    [`for=${client}, for=_hidden`, {}],
    [`for=${client}, proto=https`, { scheme: "https" }],
    ['proto=ftp;host="a/b"', {}],
    ["", {}],
  ])("%s is %j", (forwarded, expected) => {
    expect(originOf({ forwarded })).toEqual({ ...own, ...expected });
  });

  test("is unknown if the value is malformed: a client must not look like its proxy", () => {
    expect(originOf({ forwarded: `for="6.6.6.6, for=${client}` })).toBeUndefined();
  });
});
