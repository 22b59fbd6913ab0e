// Every wrong kind of JSON, for every type of field, is refused in one form, and in the words of path variables and query
// parameters.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { describe, expect, test, vi } from "vitest";
import { leafOf } from "../../../server/rest/leaf.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import {
  EverythingSchema,
  ListsSchema,
  OptionalScalarsSchema,
  ScalarsSchema,
  TreesSchema,
  WellKnownSchema,
} from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { readSent } from "./read-json.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

/** The kinds of JSON, and how errors call them. Null is no value of a field, unless it is an item. */
const kinds: [json: string, found: string][] = [
  ["{}", "an object"],
  ["[]", "an array"],
  ["true", "true"],
  ["1.5", "1.5"],
  ["1e400", "1e400"],
  ["-1e30", "-1e30"],
  ['"!"', '"!"'],
  ["null", "null"],
];

const color = "a name of manywire.test.rest.v1.Color or its number";
const int32 = "an integer from -2147483648 to 2147483647";
const uint32 = "an integer from 0 to 4294967295";
const int64 = "an integer from -9223372036854775808 to 9223372036854775807";
const uint64 = "an integer from 0 to 18446744073709551615";
const double = "a number from -1.7976931348623157e+308 to 1.7976931348623157e+308, NaN, Infinity or -Infinity";
const float = "a number from -3.4028235e+38 to 3.4028235e+38, NaN, Infinity or -Infinity";
const bool = "true or false";

/** What a field is expected to be, and which of the kinds it is. */
const fields: [desc: DescMessage, field: string, expected: string, accepted: string[]][] = [
  ...[ScalarsSchema, OptionalScalarsSchema].flatMap((desc) =>
    (
      [
        ["double_value", double, ["1.5", "-1e30"]],
        ["float_value", float, ["1.5", "-1e30"]],
        ["int32_value", int32, []],
        ["int64_value", int64, []],
        ["uint32_value", uint32, []],
        ["uint64_value", uint64, []],
        ["sint32_value", int32, []],
        ["sint64_value", int64, []],
        ["fixed32_value", uint32, []],
        ["fixed64_value", uint64, []],
        ["sfixed32_value", int32, []],
        ["sfixed64_value", int64, []],
        ["bool_value", bool, ["true"]],
        ["string_value", "a string", ['"!"']],
        ["bytes_value", "base64", []],
        ["color_value", color, []],
        ["text_value", int64, []],
      ] satisfies [string, string, string[]][]
    )
      .filter(([name]) => desc.fields.some((field) => field.name === name))
      .map(([name, expected, accepted]): [DescMessage, string, string, string[]] => [desc, name, expected, accepted]),
  ),
  [EditionSchema, "size", "a name of manywire.test.rest.v1.Size or its number", []],
  [EditionSchema, "inner", "an object", ["{}"]],
  [WellKnownSchema, "timestamp", "an RFC 3339 time, such as 2024-02-29T12:00:00Z", []],
  [WellKnownSchema, "duration", 'seconds with at most nine decimals and "s", such as 1.5s', []],
  [WellKnownSchema, "field_mask", "comma-separated field paths in lowerCamelCase", ['"!"']],
  [WellKnownSchema, "double_value", double, ["1.5", "-1e30"]],
  [WellKnownSchema, "float_value", float, ["1.5", "-1e30"]],
  [WellKnownSchema, "int64_value", int64, []],
  [WellKnownSchema, "uint64_value", uint64, []],
  [WellKnownSchema, "int32_value", int32, []],
  [WellKnownSchema, "uint32_value", uint32, []],
  [WellKnownSchema, "bool_value", bool, ["true"]],
  [WellKnownSchema, "string_value", "a string", ['"!"']],
  [WellKnownSchema, "bytes_value", "base64", []],
  [WellKnownSchema, "null_value", "a name of google.protobuf.NullValue or its number", []],
  [TreesSchema, "empty", "an object", ["{}"]],
  [TreesSchema, "struct", "an object", ["{}"]],
  [TreesSchema, "list", "an array", ["[]"]],
  [TreesSchema, "any", "an object", ["{}"]],
  [TreesSchema, "nodes", "an array", ["[]"]],
  [TreesSchema, "texts", "an object", ["{}"]],
  [TreesSchema, "numbers", "an object", ["{}"]],
  [EverythingSchema, "node", "an object", ["{}"]],
  [EverythingSchema, "choice_number", uint32, []],
  [EverythingSchema, "choice_wrapped", "a string", ['"!"']],
  [EverythingSchema, "choice_node", "an object", ["{}"]],
];

/** How an item is expected to be. */
const items: [desc: DescMessage, field: string, expected: string, accepted: string[]][] = [
  [ListsSchema, "double_values", double, ["1.5", "-1e30"]],
  [ListsSchema, "int32_values", int32, []],
  [ListsSchema, "uint64_values", uint64, []],
  [ListsSchema, "bool_values", bool, ["true"]],
  [ListsSchema, "string_values", "a string", ['"!"']],
  [ListsSchema, "bytes_values", "base64", []],
  [ListsSchema, "color_values", color, []],
  [ListsSchema, "moments", "an RFC 3339 time, such as 2024-02-29T12:00:00Z", []],
  [ListsSchema, "durations", 'seconds with at most nine decimals and "s", such as 1.5s', []],
  [ListsSchema, "masks", "comma-separated field paths in lowerCamelCase", ['"!"']],
  [ListsSchema, "wrapped", "a string", ['"!"']],
  [TreesSchema, "nodes", "an object", ["{}"]],
];

/** How the values of a map are expected to be, and a key. */
const entries: [desc: DescMessage, field: string, key: string, expected: string, accepted: string[]][] = [
  [TreesSchema, "texts", "k", "a string", ['"!"']],
  [TreesSchema, "numbers", "1", int64, []],
  [TreesSchema, "branches", "true", "an object", ["{}"]],
  [EverythingSchema, "labels", "k", "an object", ["{}"]],
];

function fieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no ${name}`);
  return field;
}

function messageOf(read: () => unknown): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
}

/** @param wrap puts a value where it belongs */
function expectKinds(
  desc: DescMessage,
  path: string,
  expected: string,
  accepted: string[],
  wrap: (json: string) => string,
) {
  const found = kinds.map(([json]) => messageOf(() => readSent(desc, {}, wrap(json))));
  const wanted = kinds.map(([json, kind]) =>
    accepted.includes(json) ? "accepted" : `${path}: expected ${expected}, found ${kind}`,
  );
  expect(found).toEqual(wanted);
}

describe("a value of the wrong kind is refused", () => {
  test.each(fields)("%s.%s", (desc, name, expected, accepted) => {
    const { jsonName } = fieldOf(desc, name);
    expectKinds(desc, name, expected, [...accepted, "null"], (json) => `{${JSON.stringify(jsonName)}:${json}}`);
  });

  test.each(items)("in %s.%s", (desc, name, expected, accepted) => {
    const { jsonName } = fieldOf(desc, name);
    expectKinds(desc, `${name}[0]`, expected, accepted, (json) => `{"${jsonName}":[${json}]}`);
  });

  test.each(entries)("in %s.%s", (desc, name, key, expected, accepted) => {
    const { jsonName } = fieldOf(desc, name);
    expectKinds(desc, `${name}["${key}"]`, expected, accepted, (json) => `{"${jsonName}":{"${key}":${json}}}`);
  });

  test("in a google.protobuf.Value, where only a number can be wrong", () => {
    for (const [json, path] of [
      ['{"value":1e400}', "value"],
      ['{"value":{"a":[1,1e400]}}', 'value["a"][1]'],
      ['{"object":{"a":{"b":1e400}}}', 'object["a"]["b"]'],
    ] as const) {
      expect(messageOf(() => readSent(EverythingSchema, {}, json))).toBe(`${path}: expected ${double}, found 1e400`);
    }
  });

  test.each([
    ["numbers", "x", `a key that is ${int32}`],
    ["branches", "yes", `a key that is ${bool}`],
  ])("as a key of Trees.%s", (name, key, expected) => {
    const json = `{"${name}":{"${key}":null}}`;
    expect(messageOf(() => readSent(TreesSchema, {}, json))).toBe(
      `${name}["${key}"]: expected ${expected}, found "${key}"`,
    );
  });
});

test.each([...fields, ...items].filter(([desc, name]) => leafOf(fieldOf(desc, name)) !== undefined))(
  "%s.%s is expected in the same words in paths and queries",
  (desc, name, expected) => {
    expect(leafOf(fieldOf(desc, name))?.expected).toBe(expected);
  },
);
