import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leafOf } from "../../../server/rest/leaf.js";
import { printerOf } from "../../../server/rest/write/print.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import {
  ListsSchema,
  ScalarsSchema,
  TreesSchema,
  WellKnownSchema,
} from "../../gen/manywire/test/rest/v1/everything_pb.js";

function fieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no ${name}`);
  return field;
}

/** How a field's values are read from text, and printed. */
function need(desc: DescMessage, name: string) {
  const leaf = leafOf(fieldOf(desc, name));
  const print = printerOf(fieldOf(desc, name));
  if (leaf === undefined || print === undefined) throw new Error(`${name} has no text`);
  return { ...leaf, print };
}

/** A value as a test writes it: messages without their type, bytes as numbers. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (!isReflectMessage(value)) return value;
  return Object.fromEntries(value.fields.map((field) => [field.name, plain(listOrValue(value.get(field)))]));
}

function listOrValue(value: unknown): unknown {
  return typeof value === "object" && value !== null && "size" in value
    ? [...(value as unknown as Iterable<unknown>)]
    : value;
}

const min32 = -2_147_483_648;
const max32 = 2_147_483_647;
const max64 = 9_223_372_036_854_775_807n;

/** Message, field, [text, value] of each text that is taken, texts that are refused. */
const table: [DescMessage, string, [string, unknown][], string[]][] = [
  [
    ScalarsSchema,
    "bool_value",
    [
      ["true", true],
      ["false", false],
    ],
    ["", "1", "0", "True", "TRUE", "t", "yes", " true"],
  ],
  [
    ScalarsSchema,
    "string_value",
    [
      ["", ""],
      ["null", "null"],
      ["é \n", "é \n"],
    ],
    [],
  ],
  ...["int32_value", "sint32_value", "sfixed32_value"].map((name): (typeof table)[number] => [
    ScalarsSchema,
    name,
    [
      ["0", 0],
      ["-0", 0],
      ["007", 7],
      [`${max32}`, max32],
      [`${min32}`, min32],
    ],
    ["", "-", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "2147483648", "-2147483649", "٣", "null", "1_000"],
  ]),
  ...["uint32_value", "fixed32_value"].map((name): (typeof table)[number] => [
    ScalarsSchema,
    name,
    [
      ["0", 0],
      ["4294967295", 4_294_967_295],
    ],
    ["-1", "4294967296", ""],
  ]),
  ...["int64_value", "sint64_value", "sfixed64_value", "text_value"].map((name): (typeof table)[number] => [
    ScalarsSchema,
    name,
    [
      ["0", 0n],
      ["9007199254740993", 9_007_199_254_740_993n],
      [`${max64}`, max64],
      [`${-max64 - 1n}`, -max64 - 1n],
    ],
    ["", "1.5", `${max64 + 1n}`, `${-max64 - 2n}`, "9".repeat(1_000)],
  ]),
  ...["uint64_value", "fixed64_value"].map((name): (typeof table)[number] => [
    ScalarsSchema,
    name,
    [["18446744073709551615", 18_446_744_073_709_551_615n]],
    ["-1", "18446744073709551616"],
  ]),
  [
    ScalarsSchema,
    "double_value",
    [
      ["0", 0],
      ["-0", -0],
      ["1.5e3", 1500],
      ["1E-2", 0.01],
      ["1.7976931348623157e308", Number.MAX_VALUE],
      ["NaN", Number.NaN],
      ["Infinity", Number.POSITIVE_INFINITY],
      ["-Infinity", Number.NEGATIVE_INFINITY],
    ],
    [
      "",
      "1.",
      ".5",
      "01",
      "+1",
      "1e",
      "1e999",
      "-1e999",
      "nan",
      "inf",
      "infinity",
      "+Infinity",
      "0x1",
      "1,5",
      " 1",
      "-NaN",
    ],
  ],
  [
    ScalarsSchema,
    "float_value",
    [
      ["1.5", 1.5],
      ["0.1", Math.fround(0.1)],
      ["3.4028234663852886e38", 3.4028234663852886e38],
      ["3.4028235e+38", 3.4028234663852886e38],
      ["NaN", Number.NaN],
    ],
    ["3.5e38", "-3.5e38", "x"],
  ],
  [
    ScalarsSchema,
    "bytes_value",
    [
      ["", []],
      ["-_8=", [251, 255]],
      ["+/8=", [251, 255]],
      ["-_8", [251, 255]],
      ["+/8", [251, 255]],
      ["AAA=", [0, 0]],
      ["AA==", [0]],
    ],
    ["A", "AA=", "AAA==", "=", "A=A=", "AA AA", " 8", "A*", "AAAA\n", "é"],
  ],
  [
    ScalarsSchema,
    "color_value",
    [
      ["COLOR_RED", 1],
      ["1", 1],
      ["0", 0],
      ["77", 77],
      ["-1", -1],
    ],
    ["", "color_red", "RED", "COLOR_PINK", "1.0", "2147483648", "constructor", "__proto__"],
  ],
  [
    EditionSchema,
    "size",
    [
      ["SIZE_SMALL", 1],
      ["1", 1],
      ["0", 0],
    ],
    ["2", "SIZE_LARGE", "toString"],
  ],
  [
    WellKnownSchema,
    "null_value",
    [
      ["NULL_VALUE", 0],
      ["0", 0],
    ],
    ["null"],
  ],
  [
    WellKnownSchema,
    "timestamp",
    [
      ["1970-01-01T00:00:01Z", { seconds: 1n, nanos: 0 }],
      ["1970-01-01T00:00:00.000000001Z", { seconds: 0n, nanos: 1 }],
      ["1970-01-01T01:00:01+01:00", { seconds: 1n, nanos: 0 }],
    ],
    [
      "",
      "now",
      "1970-01-01",
      "1970-01-01 00:00:01Z",
      "1970-13-01T00:00:01Z",
      "2023-02-29T00:00:00Z",
      "2024-04-31T00:00:00Z",
      "2024-01-01T24:00:00Z",
      '"1970-01-01T00:00:01Z"',
      "1",
    ],
  ],
  [
    WellKnownSchema,
    "duration",
    [
      ["1.5s", { seconds: 1n, nanos: 500_000_000 }],
      ["-0.5s", { seconds: 0n, nanos: -500_000_000 }],
      ["0s", { seconds: 0n, nanos: 0 }],
    ],
    ["", "1", "1sx", "1ms", "1.0000000001s", "1.2.3s", "-.s", "315576000001s", "1h"],
  ],
  [
    WellKnownSchema,
    "field_mask",
    [
      ["", { paths: [] }],
      ["fooBar,baz.quxQuux", { paths: ["foo_bar", "baz.qux_quux"] }],
      ["foo_bar,baz.qux_quux", { paths: ["foo_bar", "baz.qux_quux"] }],
      ["foo_1", { paths: ["foo_1"] }],
      ["foo_Bar", { paths: ["foo_Bar"] }],
      ["*", { paths: ["*"] }],
    ],
    [",", "a,", "a b", "a..b", ".a", "a.", "1a", "Foo", "a-b"],
  ],
  [WellKnownSchema, "double_value", [["1.5", { value: 1.5 }]], ["x"]],
  [WellKnownSchema, "float_value", [["1.5", { value: 1.5 }]], ["3.5e38"]],
  [WellKnownSchema, "int64_value", [["9007199254740993", { value: 9_007_199_254_740_993n }]], ["null", ""]],
  [WellKnownSchema, "uint64_value", [["1", { value: 1n }]], ["-1"]],
  [WellKnownSchema, "int32_value", [["-1", { value: -1 }]], ["2147483648"]],
  [WellKnownSchema, "uint32_value", [["1", { value: 1 }]], ["-1"]],
  [WellKnownSchema, "bool_value", [["false", { value: false }]], ["null"]],
  [
    WellKnownSchema,
    "string_value",
    [
      ["", { value: "" }],
      ["null", { value: "null" }],
    ],
    [],
  ],
  [WellKnownSchema, "bytes_value", [["AA", { value: [0] }]], ["A"]],
  [ListsSchema, "uint64_values", [["1", 1n]], ["-1"]],
  [ListsSchema, "moments", [["1970-01-01T00:00:01Z", { seconds: 1n, nanos: 0 }]], ["x"]],
];

describe.each(table)("%s.%s", (desc, name, accepted, refused) => {
  test.each(accepted)('"%s" is a value of it', (text, value) => {
    expect(plain(need(desc, name).parse(text))).toStrictEqual(value);
  });

  test.each(refused)('"%s" is not a valid value', (text) => {
    expect(need(desc, name).parse(text)).toBeUndefined();
  });

  test("what is printed is parsed to the same value", () => {
    const leaf = need(desc, name);
    const values = accepted.map(([text]) => leaf.parse(text)).filter((value) => leaf.print(value) !== undefined);
    const again = values.map((value) => leaf.parse(leaf.print(value) ?? ""));
    expect(again.map(plain)).toStrictEqual(values.map(plain));
  });
});

test.each(["empty", "struct", "value", "list", "any", "nodes", "texts", "numbers", "branches"])(
  "Trees.%s has no text",
  (name) => {
    expect(leafOf(fieldOf(TreesSchema, name))).toBeUndefined();
  },
);

test("a mask that its JSON cannot bring back has no text", () => {
  const leaf = need(WellKnownSchema, "field_mask");
  expect(leaf.print(leaf.parse("foo_1"))).toBeUndefined();
});

test("a moment outside of its range has no text", () => {
  const field = fieldOf(WellKnownSchema, "timestamp");
  const moment = reflect(field.message as DescMessage);
  moment.set(fieldOf(moment.desc, "nanos"), -1);
  expect(printerOf(field)?.(moment)).toBeUndefined();
});

test("every double is printed so that it is parsed to the same", () => {
  const leaf = need(ScalarsSchema, "double_value");
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(leaf.parse(leaf.print(value) ?? "")).toBe(value);
    }),
  );
});

test.each([
  [0.1, "0.1"],
  [Math.fround(0.1), "0.1"],
  [-0, "-0"],
  [Number.NaN, "NaN"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
  [1e39, undefined],
])("a float of %s is printed as %s", (value, text) => {
  expect(need(ScalarsSchema, "float_value").print(value)).toBe(text);
});

test("every float is printed so that it is parsed to the same", () => {
  const leaf = need(ScalarsSchema, "float_value");
  fc.assert(
    fc.property(fc.float(), (value) => {
      expect(leaf.parse(leaf.print(value) ?? "")).toBe(value);
    }),
  );
});
