import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { HttpSchema } from "../../../../gen/google/api/http_pb.js";
import { ownJson } from "../../../../server/codec/json.js";
import { readHttpConfig } from "../../../../server/rest/route/http-config.js";

const rule = { selector: "a.B.C", get: "/v1/c" };

test.each<[reason: string, config: JsonValue]>([
  ["a google.api.Http", { rules: [rule] }],
  ["a google.api.Service", { type: "google.api.Service", config_version: 3, name: "x", http: { rules: [rule] } }],
])("%s is read", (_, config) => {
  const { http, problems } = readHttpConfig(ownJson, config);
  expect([toJson(HttpSchema, http), problems]).toEqual([{ rules: [rule] }, []]);
});

test("rules may have everything that annotations have, by either kind of name", () => {
  const rules = [
    { ...rule, put: undefined, response_body: "d", additional_bindings: [{ post: "/v1/c", body: "*" }] },
    { selector: "a.B.D", custom: { kind: "PURGE", path: "/v1/d" }, additionalBindings: [{ delete: "/v1/e" }] },
  ];
  const config = JSON.parse(JSON.stringify({ http: { rules, fully_decode_reserved_expansion: true } }));
  const { http, problems } = readHttpConfig(ownJson, config);
  expect(problems).toEqual([]);
  expect(toJson(HttpSchema, http)).toEqual({
    rules: [
      { ...rule, responseBody: "d", additionalBindings: [{ post: "/v1/c", body: "*" }] },
      { selector: "a.B.D", custom: { kind: "PURGE", path: "/v1/d" }, additionalBindings: [{ delete: "/v1/e" }] },
    ],
    fullyDecodeReservedExpansion: true,
  });
});

test.each<[config: JsonValue]>([
  [{ http: {} }],
  [{ type: "google.api.Service", name: "x.googleapis.com", apis: [{ name: "a.B" }] }],
  [{ http: { rules: [] } }],
  [{ rules: [] }],
  [{ http: { rules: null } }],
])("%j has no rules, and nothing wrong", (config) => {
  const { http, problems } = readHttpConfig(ownJson, config);
  expect([http.rules, problems]).toEqual([[], []]);
});

describe("errors name what is wrong", () => {
  const neither = 'expected "http" with "rules", or "rules"';
  test.each<[config: JsonValue, problems: string[]]>([
    [null, [neither]],
    ["rules", [neither]],
    [[], [neither]],
    [{}, [neither]],
    [{ type: "google.api.Other" }, [neither]],
    [{ http: [] }, ['http: expected "rules"']],
    [{ http: null }, ['http: expected "rules"']],
    [{ rules: {} }, ["rules: expected a list"]],
    [{ http: { rules: [], rule: 1 } }, ["rule: google.api.Http has no such field"]],
    [
      { rules: [], fully_decode_reserved_expansion: "yes" },
      ['fully_decode_reserved_expansion: expected true or false, found "yes"'],
    ],
    [{ rules: [7] }, ["http rule 1: expected an object, found 7"]],
    [{ rules: [{ ...rule, gett: "/" }] }, ["a.B.C: http rule 1: gett: google.api.HttpRule has no such field"]],
    [{ rules: [rule, { get: 7 }] }, ["http rule 2: get: expected a string, found 7"]],
    [{ rules: [{ ...rule, post: "/" }] }, ["a.B.C: http rule 1: post: get is set already, of the same oneof pattern"]],
    [
      { rules: [{ ...rule, additional_bindings: [{ gett: "/" }] }] },
      ["a.B.C: http rule 1: additional_bindings[0].gett: google.api.HttpRule has no such field"],
    ],
    [
      { x: 1, rules: [{ y: 2 }, rule, { z: 3 }] },
      [
        "x: google.api.Http has no such field",
        "http rule 1: y: google.api.HttpRule has no such field",
        "http rule 3: z: google.api.HttpRule has no such field",
      ],
    ],
  ])("%j", (config, problems) => {
    expect(readHttpConfig(ownJson, config).problems).toEqual(problems);
  });
});

test("rules that could be read are kept beside those that could not", () => {
  expect(readHttpConfig(ownJson, { rules: [{ x: 1 }, rule] }).http.rules.map(({ selector }) => selector)).toEqual([
    "a.B.C",
  ]);
});
