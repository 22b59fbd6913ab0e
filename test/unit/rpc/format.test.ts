import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Format, getFormats, parseFormat } from "../../../server/rpc/format.js";

type Expected = [protocol: Format["protocol"], codec: Format["codec"], isEnveloped: boolean, isText: boolean];

const known: Record<string, Expected> = {
  "application/grpc": ["grpc", "proto", true, false],
  "application/grpc+proto": ["grpc", "proto", true, false],
  "application/grpc+json": ["grpc", "json", true, false],
  "application/grpc-web": ["grpc-web", "proto", true, false],
  "application/grpc-web+proto": ["grpc-web", "proto", true, false],
  "application/grpc-web+json": ["grpc-web", "json", true, false],
  "application/grpc-web-text": ["grpc-web", "proto", true, true],
  "application/grpc-web-text+proto": ["grpc-web", "proto", true, true],
  "application/grpc-web-text+json": ["grpc-web", "json", true, true],
  "application/connect+proto": ["connect", "proto", true, false],
  "application/connect+json": ["connect", "json", true, false],
  "application/proto": ["connect", "proto", false, false],
  "application/json": ["connect", "json", false, false],
};

const unknown: [contentType: string | undefined, reason: string][] = [
  [undefined, "none"],
  ["", "empty"],
  [";", "a parameter of nothing"],
  ["application/connect", "Connect's streams have to say their codec"],
  ["application/grpc+xml", "no codec of ours"],
  ["application/grpcweb", "another subtype"],
  ["application/grpc-web-text-more", "more than a subtype of ours"],
  ["text/json", "another type"],
  ["application/json, application/json", "two of them"],
  ["application/json;charset=latin1", "another charset"],
  ["application/json;a=b;charset=utf-16", "another charset after another parameter"],
  ["application/json;charset=", "a charset of nothing"],
  ["__proto__", "a name that objects have"],
];

function summary(format: Format | undefined): Expected | undefined {
  return format && [format.protocol, format.codec, format.isEnveloped, format.isText];
}

describe("a content type", () => {
  test("gives protocol, codec and shape", () => {
    for (const [contentType, expected] of Object.entries(known)) {
      expect([contentType, ...(summary(parseFormat(contentType)) ?? [])]).toEqual([contentType, ...expected]);
    }
  });

  test("that is unknown gives undefined", () => {
    for (const [contentType, reason] of unknown) expect(parseFormat(contentType), reason).toBeUndefined();
  });

  test("is the same in any case, and with parameters", () => {
    const parameters = fc.array(
      fc.constantFrom("; charset=utf-8", ";charset=UTF8", '; Charset="utf-8"', ";foo=bar", " ; x=y", ";", "; v=1;w=2"),
      { maxLength: 3 },
    );
    const casing = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(known)), parameters, casing, (name, rest, capitals) => {
        const cased = [...name].map((letter, index) => (capitals[index] ? letter.toUpperCase() : letter)).join("");
        expect(parseFormat(cased + rest.join(""))).toBe(parseFormat(name));
      }),
    );
  });

  test("has one spelling in responses", () => {
    const spellings = Object.keys(known).map((name) => parseFormat(name)?.contentType);
    expect(new Set(spellings)).toEqual(new Set(Object.keys(known).filter((name) => /\+|\/(proto|json)$/.test(name))));
  });
});

test("a GET names its codec, and has the shape of unary calls", () => {
  expect([...getFormats.keys()]).toEqual(["proto", "json"]);
  expect(getFormats.get("json")).toBe(parseFormat("application/json"));
  expect(getFormats.get("proto")).toBe(parseFormat("application/proto"));
});
