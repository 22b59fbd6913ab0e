import { describe, expect, test } from "vitest";
import { connectionNames } from "../../../server/http/header.js";
import { changeHeaders, similarityOf } from "../../../server/http/similar-headers.js";
import { createField } from "../../../server/http2/hpack/field.js";
import {
  callerHeaders,
  isPassedBack,
  isPassedOn,
  passFields,
  toRequestFields,
} from "../../../server/upstream/metadata.js";
import { Random, seed } from "../../support/random.js";

/** A caller as its connection shows it. */
const callerAt = (peer: string, proxy?: string) => ({
  authority: "api.example:8443",
  scheme: "https" as const,
  peer,
  proxy,
});

const describeCaller = (peer: string, given: Record<string, string>, proxy?: string) =>
  Object.fromEntries(callerHeaders((name) => given[name], callerAt(peer, proxy)));

const ofConnection = { "x-forwarded-host": "api.example:8443", "x-forwarded-proto": "https" };
const claims = {
  forwarded: "for=6.6.6.6",
  "x-forwarded-for": "6.6.6.6, 7.7.7.7",
  "x-forwarded-host": "front.example",
  "x-forwarded-proto": "http",
  "x-forwarded-user-agent": "first/1",
  "user-agent": "caller/1",
};

describe("what an upstream learns of a caller", () => {
  test.each(["192.0.2.1", "2001:db8::1"])("is that its address is %s, whatever it says", (peer) => {
    expect(describeCaller(peer, claims)).toEqual({
      ...ofConnection,
      "x-forwarded-for": peer,
      "x-forwarded-user-agent": "caller/1",
    });
  });

  test("has no address of a Unix socket", () => {
    expect(describeCaller("", {})).toEqual(ofConnection);
  });

  test("is nothing but its user agent if the head of the request is not there", () => {
    expect(callerHeaders((name) => claims[name as keyof typeof claims], undefined)).toEqual([
      ["x-forwarded-user-agent", "caller/1"],
    ]);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", '"[2001:db8::1]"'],
  ])("follows what a trusted proxy at %s says", (proxy, node) => {
    const { "user-agent": _, ...kept } = claims;
    expect(describeCaller("6.6.6.6", claims, proxy)).toEqual({
      ...kept,
      forwarded: `for=6.6.6.6, for=${node}`,
      "x-forwarded-for": `6.6.6.6, 7.7.7.7, ${proxy}`,
    });
  });

  test("is what the connection shows if a trusted proxy says nothing", () => {
    expect(describeCaller("192.0.2.1", {}, "192.0.2.1")).toEqual({ ...ofConnection, "x-forwarded-for": "192.0.2.1" });
  });

  test("keeps the list of a trusted proxy on a Unix socket", () => {
    const given = { "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6" };
    expect(describeCaller("6.6.6.6", given, "")).toEqual({
      ...ofConnection,
      "x-forwarded-for": "6.6.6.6",
      forwarded: "for=6.6.6.6, for=unknown",
    });
  });
});

test.each([
  [undefined, []],
  ["", []],
  ["close", ["close"]],
  ["Keep-Alive , X-Own,\tx-b", ["keep-alive", "x-own", "x-b"]],
])("Connection: %j names %j", (value, names) => {
  expect([...connectionNames(value)]).toEqual(names);
});

test.each([
  ["x-own", true, true],
  ["x-own-bin", true, true],
  ["authorization", true, true],
  ["cookie", true, true],
  ["grpc-trace-bin", true, true],
  ["grpc-retry-pushback-ms", true, true],
  ["accept-language", true, true],
  ["content-disposition", false, true],
  ["accept", false, true],
  ["accept-encoding", false, true],
  ["x-forwarded-for", false, true],
  ["forwarded", false, true],
  ["x-real-ip", false, true],
  ["content-type", false, false],
  ["user-agent", false, false],
  ["grpc-timeout", false, false],
  ["grpc-status-details-bin", false, false],
  ["connect-timeout-ms", false, false],
  ["trailer-x", false, false],
  ["te", false, false],
  ["proxy-authorization", false, false],
])("%s passes to the upstream: %s, and to the caller: %s", (name, isOn, isBack) => {
  expect([isPassedOn(name, false), isPassedBack(name)]).toEqual([isOn, isBack]);
});

test("each value of a binary header is a field of its own, on the way to the upstream and back", () => {
  const headers = { host: "x", connection: "close, x-private", "x-private": "1", "x-bin": "AA==, /w", "x-own": "a, b" };
  const fields = toRequestFields(headers, callerAt("192.0.2.1")).map(({ name, value }) => [name, value]);
  expect(fields).toEqual([
    ["x-bin", "AA=="],
    ["x-bin", "/w"],
    ["x-own", "a, b"],
    ["x-forwarded-for", "192.0.2.1"],
    ...Object.entries(ofConnection),
  ]);
  const back = ["x-bin AA==", "x-bin /w", "x-bin ", "x-own a", "x-own b", "set-cookie c", "grpc-status 0"];
  const passed = passFields(back.map((line) => createField(...(line.split(" ", 2) as [string, string]))));
  expect({ ...passed }).toEqual({ "x-bin": ["AA==", "/w", ""], "x-own": "a, b", "set-cookie": ["c"] });
  expect(passFields([createField("grpc-status", "0")])).toBeUndefined();
});

test("headers of a trusted proxy are sent once", () => {
  const head = {
    ...callerAt("6.6.6.6", "192.0.2.1"),
    headers: { "x-forwarded-for": "6.6.6.6", "x-forwarded-port": "1" },
  };
  const fields = toRequestFields(head.headers, head).map(({ name, value }) => [name, value]);
  expect(fields).toEqual([
    ["x-forwarded-port", "1"],
    ["x-forwarded-for", "6.6.6.6, 192.0.2.1"],
    ...Object.entries(ofConnection),
  ]);
});

test("a header that HTTP/2 does not allow is an error", () => {
  const head = { ...callerAt("192.0.2.1"), headers: { "x-own": "a\u0001" } };
  expect(() => toRequestFields(head.headers, head)).toThrow(/^\[internal\] headers: /);
});

test("headers with other values make the fields that they would make alone", () => {
  const random = new Random(seed);
  const names = [
    "x-trace",
    "user-agent",
    "connection",
    "x-forwarded-for",
    "forwarded",
    "x-bin",
    "cookie",
    "accept",
    "x-b",
  ];
  const value = () => random.pick(["", "a", "a, b", "AA==, /w", "x-b", "close", `${random.below(100)}`, "\u0001"]);
  const ofFields = (make: () => readonly { name: string; value: string }[]) => {
    try {
      return make().map((field) => [field.name, field.value]);
    } catch (error) {
      return String(error);
    }
  };
  let changed = 0;
  for (let round = 0; round < 1000; round++) {
    const base = Object.freeze(Object.fromEntries(random.several(1, 6, () => [random.pick(names), value()])));
    const caller = callerAt("192.0.2.1", random.pick([undefined, "192.0.2.2"]));
    for (let step = 0; step < 3; step++) {
      // More depends on these than their own value.
      const plain = Object.keys(base).filter((name) => name !== "connection");
      const headers = changeHeaders(
        base,
        plain.filter(() => random.chance(0.5)).map((name) => ({ name, value: value() })),
      );
      const alone = ofFields(() => toRequestFields({ ...headers }, caller));
      // Of headers that cannot be sent no similar ones are sent either.
      if (typeof ofFields(() => toRequestFields(base, caller)) === "string") continue;
      if (similarityOf(headers) !== undefined) changed++;
      expect([base, headers, ofFields(() => toRequestFields(headers, caller))]).toEqual([base, headers, alone]);
    }
  }
  expect(changed).toBeGreaterThan(500);
});
