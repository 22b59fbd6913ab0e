import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Components } from "../../../server/openapi/components.js";
import { MessageSchemas } from "../../../server/openapi/message-schema.js";
import type { Schema } from "../../../server/openapi/types.js";
import { messageWithOneof, messageWithRules } from "./rules.js";

const form = { useProtoNames: false, enumsAsNumbers: false };
const schemas = new MessageSchemas(form, new Components(), new Map(), true);

type Shape = "plain" | "optional" | "repeated" | "map";

/** What the rules add to the schema of a field, and whether a request must have it. */
function describeRules(
  type: string,
  rules: JsonObject,
  shape: Shape = "plain",
): { schema: Schema; isRequired: boolean } {
  const { properties, required } = schemas.object(messageWithRules(type, rules, shape));
  return { schema: (properties as { f: Schema }).f, isRequired: required !== undefined };
}

const int32 = { type: "integer", format: "int32", minimum: -2147483648, maximum: 2147483647 };
const text = { type: "string" };

const cases: [type: string, rules: JsonObject, schema: Schema, isRequired: boolean, shape?: Shape][] = [
  ["int32", {}, int32, false],
  ["int32", { int32: { gte: 1, lte: 5 } }, { ...int32, minimum: 1, maximum: 5 }, true],
  ["int32", { int32: { gte: 0, lt: 5 } }, { ...int32, minimum: 0, exclusiveMaximum: 5 }, false],
  ["int32", { int32: { gt: 0 } }, { ...int32, exclusiveMinimum: 0 }, true],
  ["int32", { int32: { gt: 0 } }, { ...int32, exclusiveMinimum: 0 }, false, "optional"],
  [
    "int32",
    { int32: { gt: 5, lt: 1 } },
    { ...int32, anyOf: [{ exclusiveMinimum: 5 }, { exclusiveMaximum: 1 }] },
    false,
  ],
  ["int32", { int32: { const: 3 } }, { ...int32, const: 3 }, true],
  ["int32", { int32: { in: [0, 1] } }, { ...int32, enum: [0, 1] }, false],
  ["int32", { int32: { notIn: [7] } }, { ...int32, not: { enum: [7] } }, false],
  ["int32", { int32: { gt: 0 }, ignore: "IGNORE_ALWAYS" }, int32, false],
  [
    "int32",
    { int32: { gt: 3 }, ignore: "IGNORE_IF_ZERO_VALUE" },
    { ...int32, anyOf: [{ const: 0 }, { exclusiveMinimum: 3 }] },
    false,
  ],
  // 64-bit numbers are text, which has no order.
  ["int64", { int64: { gt: "5" } }, { type: "string", format: "int64", example: "1" }, false],
  ["int64", { int64: { in: ["5"] } }, { type: "string", format: "int64", enum: ["5"] }, true],
  ["string", { string: { minLen: 2, maxLen: 5 } }, { ...text, minLength: 2, maxLength: 5 }, true],
  ["string", { string: { len: 3 } }, { ...text, minLength: 3, maxLength: 3 }, true],
  ["string", { string: { maxLen: 5 } }, { ...text, maxLength: 5 }, false],
  ["string", { string: { pattern: "^[a-z]*$" } }, { ...text, pattern: "^[a-z]*$" }, false],
  ["string", { string: { pattern: "^[a-z]+$" } }, { ...text, pattern: "^[a-z]+$" }, true],
  // RE2 has this, and JavaScript not.
  ["string", { string: { pattern: "(?P<name>a)" } }, text, false],
  ["string", { string: { prefix: "a.b" } }, { ...text, pattern: "^a\\.b" }, true],
  [
    "string",
    { string: { prefix: "a", suffix: "z", contains: "/" } },
    { ...text, allOf: [{ pattern: "^a" }, { pattern: "z$" }, { pattern: "\\/" }] },
    true,
  ],
  ["string", { string: { email: true } }, { ...text, format: "email" }, true],
  ["string", { string: { ip: true } }, { ...text, anyOf: [{ format: "ipv4" }, { format: "ipv6" }] }, true],
  ["string", { string: { uriRef: true } }, { ...text, format: "uri-reference" }, true],
  ["string", { string: { uuid: true } }, { ...text, format: "uuid" }, false, "optional"],
  ["string", { string: { const: "" } }, { ...text, const: "" }, false],
  ["string", { required: true }, { ...text, minLength: 1 }, true],
  ["string", { required: true }, text, true, "optional"],
  ["int32", { required: true }, { type: "array", items: int32, minItems: 1 }, true, "repeated"],
  [
    "string",
    { repeated: { minItems: 1, maxItems: 3, unique: true, items: { string: { minLen: 2 } } } },
    { type: "array", items: { ...text, minLength: 2 }, minItems: 1, maxItems: 3, uniqueItems: true },
    true,
    "repeated",
  ],
  ["string", { repeated: { maxItems: 3 } }, { type: "array", items: text, maxItems: 3 }, false, "repeated"],
  [
    "int32",
    { map: { minPairs: 1, keys: { string: { len: 2 } }, values: { int32: { gt: 0 } } } },
    {
      ...{ type: "object", minProperties: 1, propertyNames: { minLength: 2, maxLength: 2 } },
      additionalProperties: { ...int32, exclusiveMinimum: 0 },
    },
    true,
    "map",
  ],
  [
    "color",
    { enum: { in: [1, 2] } },
    { $ref: "#/components/schemas/r.Color", enum: ["COLOR_RED", "COLOR_GREEN"] },
    true,
  ],
  ["color", { enum: { const: 0 } }, { $ref: "#/components/schemas/r.Color", const: "COLOR_NONE" }, false],
];

describe("rules of protovalidate", () => {
  it.each(cases)("on %s, %j, are %j, and need the field: %s %s", (type, rules, schema, isRequired, shape) => {
    expect(describeRules(type, rules, shape)).toEqual({ schema, isRequired });
  });

  it("may need one member of a oneof", () => {
    const notOf = (rules: JsonObject) => schemas.object(messageWithOneof(rules)).not;
    const both = { required: ["a", "b"] };
    expect(notOf({})).toEqual(both);
    expect(notOf({ required: true })).toEqual({
      anyOf: [both, { not: { anyOf: [{ required: ["a"] }, { required: ["b"] }] } }],
    });
  });
});
