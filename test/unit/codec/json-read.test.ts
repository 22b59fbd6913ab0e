// JSON is read as protobuf-es reads it, but for a short list of differences.
import {
  create,
  createRegistry,
  type DescMessage,
  fromJsonString,
  type JsonReadOptions,
  type JsonValue,
  type Message,
  ScalarType,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import {
  AnySchema,
  DoubleValueSchema,
  DurationSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FloatValueSchema,
  Int32ValueSchema,
  Int64ValueSchema,
  ListValueSchema,
  MethodOptionsSchema,
  StructSchema,
  type Timestamp,
  TimestampSchema,
  UInt64ValueSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it, test, vi } from "vitest";
import { http } from "../../../gen/google/api/annotations_pb.js";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.js";
import { HelloRequestSchema } from "../../../gen/hello_world_pb.js";
import { ElementLimitError } from "../../../server/codec/element-limit.js";
import { createJsonDecoder, type JsonDecodeOptions } from "../../../server/codec/json-read.js";
import { MappedSchema, PlainSchema } from "../../gen/manywire/test/codec/v1/codec_pb.js";
import { LegacySchema } from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { ShapesSchema } from "../../gen/manywire/test/codec/v1/shapes_pb.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { TestReplySchema } from "../../gen/manywire/test/v1/test_pb.js";
import { messageOf } from "../../support/arbitrary-message.js";
import { expectSame } from "../../support/expect-same.js";
import { readSent } from "./read-json.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

const types: DescMessage[] = [
  PlainSchema,
  MappedSchema,
  ShapesSchema,
  LegacySchema,
  EverythingSchema,
  EditionSchema,
  HelloRequestSchema,
  TestReplySchema,
  HttpRuleSchema,
  FileDescriptorProtoSchema,
  FieldOptionsSchema,
  StructSchema,
  ValueSchema,
  ListValueSchema,
  TimestampSchema,
  Int64ValueSchema,
];
const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 100) };
const registry = createRegistry(EverythingSchema.file, http, DurationSchema, StructSchema, ValueSchema, AnySchema);
const readOptions: fc.Arbitrary<JsonDecodeOptions> = fc.record({
  registry: fc.constant(registry),
  ignoreUnknownFields: fc.boolean(),
  compiles: fc.boolean(),
});

/** What a reading returns, or "refused". */
function outcome(read: () => Message): Message | "refused" {
  try {
    return read();
  } catch {
    return "refused";
  }
}

/** What protobuf-es makes of a text. It keeps the digits of a number that is no 32-bit float, and so does not round it. */
function readReference(desc: DescMessage, options: Partial<JsonReadOptions>, text: string): Message {
  const message = fromJsonString(desc, new TextDecoder().decode(Buffer.from(text)), options);
  roundFloats(reflect(desc, message));
  return message;
}

function roundFloats(message: ReflectMessage): void {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const isFloat = "scalar" in field && field.scalar === ScalarType.FLOAT;
    if (field.fieldKind === "scalar" && isFloat) message.set(field, Math.fround(message.get(field) as number));
    if (field.fieldKind === "message") {
      const inner = message.get(field);
      roundFloats(inner);
      // In a message, a wrapper is a plain number.
      if (field.message.typeName === FloatValueSchema.typeName) message.set(field, inner);
    }
    if (field.fieldKind === "list") {
      const list = message.get(field);
      for (let index = 0; index < list.size; index++) {
        const item = list.get(index);
        if (isReflectMessage(item)) roundFloats(item);
        else if (isFloat) list.set(index, Math.fround(item as number));
      }
    }
    if (field.fieldKind === "map") {
      const map = message.get(field);
      for (const [key, value] of map) {
        if (isReflectMessage(value)) roundFloats(value);
        else if (isFloat) map.set(key, Math.fround(value as number));
      }
    }
  }
}

describe.each(types.map((desc) => [desc.typeName, desc] as const))("the JSON of %s", (_, desc) => {
  // Some messages have no JSON: an Any of an unknown type, NaN in a Value.
  const texts = messageOf(desc, undefined, 3)
    .map((message) => {
      try {
        return toJsonString(desc, message, { registry });
      } catch {
        return undefined;
      }
    })
    .filter((text) => text !== undefined);

  it("is read as protobuf-es reads it", () => {
    const property = fc.property(texts, readOptions, (text, options) => {
      expectSame(readSent(desc, options, text), readReference(desc, options, text));
    });
    fc.assert(property, runs);
  });

  it("is read as protobuf-es reads it, or refused, where it is spoilt", () => {
    const property = fc.property(texts, spoilers, readOptions, (valid, spoil, options) => {
      const text = spoil(valid);
      fc.pre(!isRefusedHere.test(text));
      expectSame(
        outcome(() => readSent(desc, options, text)),
        outcome(() => readReference(desc, options, text)),
      );
    });
    fc.assert(property, { numRuns: runs.numRuns * 3 });
  });
});

/**
 * What spoiling may bring about that is a difference of the list below: white space in the text of a number, text after a
 * duration, a number that no double holds.
 */
const isRefusedHere = /"(?:\s+-?\d+|-?\d+\s+|-?[\d.]+s[^"]+)"|[eE]\+?(?:[3-9]\d\d|\d{4})/;

const odd = ["null", "1.5", "1e2", "4294967296", '"1"', '"\\ud83d\\ude00"', '"\\u003a"', '"a:b"', '"NaN"', "[]"];
const odder = ["{}", "[null]", "true", '"AQ"', '"COLOR_RED"', '"NONE"', '{"prototype":{"a":1}}', '{"a":1,"b":2}', ""];

/** Ways to spoil a text: put something instead of a value, or anywhere; double a member; cut. */
const spoilers: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.constantFrom(...odd, ...odder)).map(([at, value]) => (text: string) => {
    const values = [...text.matchAll(/(?<=[:[,])(?:"(?:[^"\\]|\\.)*"|[-\w.]+)(?=[\]},])/g)];
    const chosen = values[at % Math.max(values.length, 1)];
    if (chosen === undefined) return value;
    return text.slice(0, chosen.index) + value + text.slice(chosen.index + chosen[0].length);
  }),
  fc.tuple(fc.nat(), fc.constantFrom(...odd, ...odder)).map(([at, value]) => (text: string) => {
    const members = [...text.matchAll(/(?<=[{,])"(?:[^"\\]|\\.)*":/g)];
    const chosen = members[at % Math.max(members.length, 1)];
    if (chosen === undefined) return text;
    return `${text.slice(0, chosen.index)}${chosen[0]}${value === "" ? "0" : value},${text.slice(chosen.index)}`;
  }),
  fc.tuple(fc.nat(), fc.constantFrom(" ", ":", ",", '"', "{", "}", "\\", "\ufeff", "\ud800", "0")).map(
    ([at, character]) =>
      (text: string) =>
        text.slice(0, at % (text.length + 1)) + character + text.slice(at % (text.length + 1)),
  ),
  fc.nat().map((cut) => (text: string) => text.slice(0, cut % (text.length + 1))),
);

/** A message of a type as protobuf-es writes it. */
function written(desc: DescMessage, message: Message | "refused"): JsonValue {
  return message === "refused" ? message : toJson(desc, message as never, { registry });
}

const max64 = 9_223_372_036_854_775_807n;

/** All that is read in another way than by protobuf-es, and why. */
const differences: [why: string, desc: DescMessage, text: string, theirs: JsonValue, ours: JsonValue][] = [
  ["no digit is lost", Int64ValueSchema, "9007199254740993", "9007199254740992", "9007199254740993"],
  ["no digit is lost", Int64ValueSchema, `${max64}`, "refused", `${max64}`],
  ["integers may have an exponent in text, too", Int64ValueSchema, '"1e3"', "refused", "1000"],
  [
    "integers may have an exponent in keys, too",
    EverythingSchema,
    '{"trees":{"numbers":{"1e0":"2.0"}}}',
    "refused",
    {
      trees: { numbers: { 1: "2" } },
    },
  ],
  ["an integer is decimal", Int64ValueSchema, '"0x10"', "16", "refused"],
  ["an integer is decimal", Int32ValueSchema, '"0b1"', 1, "refused"],
  ["an integer is nothing but digits", Int64ValueSchema, '" 1"', "1", "refused"],
  ["an integer is nothing but digits", Int32ValueSchema, '"+1"', 1, "refused"],
  ["a number is as in JSON", DoubleValueSchema, '".5"', 0.5, "refused"],
  ["a number is as in JSON", DoubleValueSchema, '"0x10"', 16, "refused"],
  ["a number is as in JSON", DoubleValueSchema, '"01"', 1, "refused"],
  ["what rounds to the greatest float is it", FloatValueSchema, "3.4028235e+38", "refused", 3.4028234663852886e38],
  ["numbers that no double holds cannot be written", StructSchema, '{"a":[1e400]}', "refused", "refused"],
  ["days that do not exist are none", TimestampSchema, '"2023-02-29T00:00:00Z"', "2023-03-01T00:00:00Z", "refused"],
  ["days that do not exist are none", TimestampSchema, '"2024-04-31T00:00:00Z"', "2024-05-01T00:00:00Z", "refused"],
  ["hour 24 does not exist", TimestampSchema, '"2024-01-01T24:00:00Z"', "2024-01-02T00:00:00Z", "refused"],
  ["a duration ends with s", DurationSchema, '"1sx"', "1s", "refused"],
  ["what is ignored may have a name twice", EverythingSchema, '{"x":{"a":1,"a":2},"x":3}', "refused", {}],
  [
    "an extension that is null is not set",
    MethodOptionsSchema,
    '{"[google.api.http]":null}',
    {
      "[google.api.http]": {},
    },
    {},
  ],
  [
    "the JSON of a Struct within an Any is in value",
    AnySchema,
    `{"@type":"x/google.protobuf.Struct","a":1}`,
    {
      "@type": "type.googleapis.com/google.protobuf.Struct",
      value: { a: 1 },
    },
    "refused",
  ],
];

test.each(differences)("%s: %s", (_, desc, text, theirs, ours) => {
  const options = { registry, ignoreUnknownFields: true };
  const reference = outcome(() => readReference(desc, options, text));
  expect(outcome(() => written(desc, reference) as never)).toEqual(theirs);
  expect(
    written(
      desc,
      outcome(() => readSent(desc, options, text)),
    ),
  ).toEqual(ours);
});

test("the key __proto__ of maps and of google.protobuf.Struct is an entry", () => {
  const message = readSent(EverythingSchema, {}, '{"labels":{"__proto__":{}},"object":{"__proto__":1}}');
  expect(message).toMatchObject({ labels: expect.objectContaining({}), object: expect.objectContaining({}) });
  const { labels, object } = message as unknown as Record<"labels" | "object", object>;
  expect([Object.keys(labels), Object.keys(object)]).toEqual([["__proto__"], ["__proto__"]]);
});

describe("integers are exact", () => {
  const least = -(2n ** 63n);
  test.each<[text: string, value: bigint]>([
    ["9007199254740993", 9_007_199_254_740_993n],
    [`${max64}`, max64],
    [`${least}`, least],
    ["-9007199254740993", -9_007_199_254_740_993n],
    ["1e3", 1_000n],
    ["1.0", 1n],
    ["-0", 0n],
    ["0.0e-5", 0n],
    ["12345678901234567.8e1", 123_456_789_012_345_678n],
    ["922337203685477580.7e1", max64],
    ["9223372036854775807000e-3", max64],
    ["0.00000000000000000000001e23", 1n],
    [`1${"0".repeat(1_000)}e-1000`, 1n],
    [`0e${"9".repeat(100)}`, 0n],
  ])("%s", (text, value) => {
    const field = { scalars: { int64Value: value, sfixed64Value: value, textValue: String(value) }, wrapped: value };
    const json = `{"scalars":{"int64Value":${text},"sfixed64Value":"${text}","textValue":${text}},"wrapped":${text}}`;
    expect(readSent(EverythingSchema, {}, json)).toMatchObject(field);
  });

  test.each([
    "9223372036854775808",
    "-9223372036854775809",
    "1.5",
    "1e19",
    "1e-1",
    "1e400",
    `1e${"9".repeat(100)}`,
    "15e-1",
  ])("%s is none", (text) => {
    for (const json of [text, `"${text}"`]) {
      expect(() => readSent(Int64ValueSchema, {}, json)).toThrow(
        `google.protobuf.Int64Value: expected an integer from ${least} to ${max64}, found ${json.slice(0, 50)}`,
      );
    }
  });

  test.each(['""', '"" 5', '"""7"'])("%s has an empty text, which is none", (json) => {
    for (const field of ["number", "wrapped"]) {
      const decode = () => readSent(EverythingSchema, {}, `{"${field}":${json}}`);
      expect(decode).toThrow(`${field}: expected an integer from ${least} to ${max64}, found ""`);
    }
  });

  test.each(["18446744073709551615", "1844674407370955161.5e1"])("%s is a uint64", (text) => {
    expect(readSent(UInt64ValueSchema, {}, text)).toMatchObject({ value: 18_446_744_073_709_551_615n });
  });

  test("0 has no sign", () => {
    expect(readSent(PlainSchema, {}, '{"int32":-0,"sint32":"-0","uint32":-0}')).toStrictEqual(
      readSent(PlainSchema, {}, '{"int32":0,"sint32":0,"uint32":0}'),
    );
  });
});

describe("floats of 32 bits", () => {
  const greatest = 3.4028234663852886e38;
  test.each([
    ["3.4028235e+38", greatest],
    ["-3.4028235e38", -greatest],
    ["340282350000000000000000000000000000000", greatest],
    ["3.4028235677e38", greatest],
    // As in the binary format: a handler gets the same value in every protocol.
    ["0.1", Math.fround(0.1)],
    ["123456789", 123456792],
    ["1e-50", 0],
  ])("%s is one", (text, value) => {
    for (const json of [text, `"${text}"`]) expect(readSent(FloatValueSchema, {}, json)).toMatchObject({ value });
  });

  test.each(["3.4028236e+38", "3.4028235678e38", "1e39", "-1e400"])("%s is none", (text) => {
    expect(outcome(() => readSent(FloatValueSchema, {}, text))).toBe("refused");
  });
});

test.each(["", "QQ==", "QQ", "QR==", "QUI=", "QUJD", "QUJDRA==", "-_-_", "+/+/", "Q Q=", "Q===", "====", "QQ=a", "é"])(
  "bytes are base64 as protobuf-es takes it: %s",
  (text) => {
    const json = JSON.stringify({ bytes: text });
    const expected = outcome(() => readReference(PlainSchema, {}, json));
    expectSame(
      outcome(() => readSent(PlainSchema, {}, json)),
      expected,
    );
  },
);

test("a time is that of Date, in every season of every year", () => {
  const days = Array.from({ length: 3_652_059 / 97 }, (_, index) => -719_162 + index * 97);
  const read = createJsonDecoder(TimestampSchema, {});
  for (const day of days) {
    const seconds = BigInt(day) * 86_400n + 86_399n;
    const text = JSON.stringify(new Date(Number(seconds) * 1000));
    if ((read(Buffer.from(text)) as Timestamp).seconds !== seconds) expect(text).toBe(seconds);
  }
});

describe("times and dates", () => {
  test.each([
    "2024-02-29T23:59:59.999999999Z",
    "2000-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2024-12-31T23:59:59-23:59",
    "2024-01-01T00:00:00.1+14:00",
  ])("%s is a time", (text) => {
    expectSame(
      readSent(TimestampSchema, {}, JSON.stringify(text)),
      readReference(TimestampSchema, {}, JSON.stringify(text)),
    );
  });

  test.each([
    ...["2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2024-04-31T00:00:00Z"],
    ...["2024-06-31T00:00:00Z", "2024-01-32T00:00:00Z", "2024-01-00T00:00:00Z", "2024-00-01T00:00:00Z"],
    ...["2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:60:00Z"],
    ...["2016-12-31T23:59:60Z", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60"],
    ...["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z"],
    ...["2024-01-01T00:00:00.0000000001Z", "2024-01-01T00:00:00.Z", "2024-01-01t00:00:00z", "2024-01-01 00:00:00Z"],
    ...["2024-01-01T00:00:00", "2024-01-01T00:00:00Z ", "2024-01-01T00:00:00+0000"],
  ])("%s is none", (text) => {
    expect(outcome(() => readSent(TimestampSchema, {}, JSON.stringify(text)))).toBe("refused");
  });

  test.each(["1s", "-1s", "0.000000001s", "-0.5s", "315576000000s", "001s"])("%s is a duration", (text) => {
    const json = JSON.stringify(text);
    expectSame(readSent(DurationSchema, {}, json), readReference(DurationSchema, {}, json));
  });

  test.each(["1.0000000001s", "315576000001s", "1", "s", "1 s", "+1s", "1e3s", "--1s", ".5s", "1.s"])(
    "%s is none",
    (text) => {
      expect(outcome(() => readSent(DurationSchema, {}, JSON.stringify(text)))).toBe("refused");
    },
  );
});

test("an Any has its type anywhere, and may be within others", () => {
  const node = '"@type":"type.googleapis.com/manywire.test.rest.v1.Node"';
  const inner = `{"@type":"x/google.protobuf.Any","value":{"text":"a",${node}}}`;
  const escaped = node.replace("@", "\\u0040");
  const orders = [`{${node},"text":"a"}`, `{"text":"a",${node}}`, `{"child":null,${node},"text":"a"}`];
  for (const any of [...orders, `{${escaped},"text":"a"}`, `{"text":"a",${escaped}}`, inner]) {
    const json = `{"trees":{"any":${any}}}`;
    expectSame(readSent(EverythingSchema, { registry }, json), readReference(EverythingSchema, { registry }, json));
  }
  const outer = `{"value":{"value":{"text":"a",${node}},"@type":"google.protobuf.Any"},"@type":"google.protobuf.Any"}`;
  expectSame(readSent(AnySchema, { registry }, outer), readReference(AnySchema, { registry }, outer));
});

test("an Any has nothing of what a request before it said", () => {
  const registry = createRegistry(EverythingSchema, DurationSchema);
  const other = '{"x":{"@type":"a/manywire.test.rest.v1.Everything"},"@type":"a/manywire.test.rest.v1.Everything"';
  const json = '{"value":"1s","@type":"a/google.protobuf.Duration"}';
  const expected = readSent(AnySchema, { registry }, json);
  for (const broken of [other, `${other},}`, `${other}}x`, `${other.replace("x", "words")}}`]) {
    expect(() => readSent(AnySchema, { registry }, broken)).toThrow();
    expectSame(readSent(AnySchema, { registry }, json), expected);
  }
});

test("extensions are read by the registry", () => {
  const json = '{"deprecated":true,"[google.api.http]":{"get":"/v1","additionalBindings":[{"post":"/v2"}]}}';
  expectSame(readSent(MethodOptionsSchema, { registry }, json), readReference(MethodOptionsSchema, { registry }, json));
});

describe("what is no JSON is refused with its place", () => {
  test.each([
    ["", "JSON line 1, column 1: expected a value, found the end"],
    ["{", "JSON line 1, column 2: expected a string, found the end"],
    ["{}x", 'JSON line 1, column 3: expected the end, found "x"'],
    ['{"text" 1}', 'JSON line 1, column 9: expected ":", found "1"'],
    ['{"text":"é" "x"}', 'JSON line 1, column 13: expected "," or "}", found "\\""'],
    ['{\n  "text": tru}', 'JSON line 2, column 11: expected a value, found "t"'],
    ['{"words":["a" "b"]}', 'JSON line 1, column 15: expected "," or "]", found "\\""'],
    ['{"words":["a",]}', 'JSON line 1, column 15: expected a value, found "]"'],
    ['{"text":"a\nb"}', 'JSON line 1, column 11: expected the rest of a string, found "\\n"'],
    ['{"text":"a\\x"}', 'JSON line 1, column 12: expected an escape sequence, found "x"'],
    ['{"text":"\\u00g0"}', 'JSON line 1, column 14: expected a hexadecimal digit, found "g"'],
    ['{"text":"abc', "JSON line 1, column 13: expected the rest of a string, found the end"],
    ['{"number":01}', 'JSON line 1, column 12: expected "," or "}", found "1"'],
    ['{"number":1.}', 'JSON line 1, column 13: expected a digit, found "}"'],
    ['{"number":-}', 'JSON line 1, column 12: expected a digit, found "}"'],
    ['{"x":[1,{"a":}]}', 'JSON line 1, column 14: expected a value, found "}"'],
    ['{"x":[1}', 'JSON line 1, column 8: expected "," or "]", found "}"'],
    ['{"x":nul}', 'JSON line 1, column 6: expected a value, found "n"'],
  ])("%s", (text, message) => {
    expect(() => readSent(EverythingSchema, { ignoreUnknownFields: true }, text)).toThrow(message);
  });

  test.each([
    ["in a field", '{"text":"a?b"}'],
    ["in a long string", `{"text":"${"a".repeat(100)}?"}`],
    ["in a string with an escape sequence", '{"text":"?\\n"}'],
    ["in a key", '{"labels":{"?":{}}}'],
    ["in what is ignored", '{"x":["?"]}'],
    ["in the name of what is ignored", '{"?":1}'],
  ])("bytes that are not valid UTF-8, %s", (_, text) => {
    const bytes = Buffer.from(text, "latin1").map((byte) => (byte === 0x3f ? 0xff : byte));
    const decode = createJsonDecoder(EverythingSchema, { ignoreUnknownFields: true });
    expect(() => decode(bytes)).toThrow("a string is not valid UTF-8");
  });

  test.each([
    ["text", '{"text":"\\ud800"}'],
    ["labels", '{"labels":{"\\udc00":{}}}'],
    ["object", '{"object":{"\\ud800":1}}'],
  ])("a lone surrogate, in %s", (name, text) => {
    expect(() => readSent(EverythingSchema, {}, text)).toThrow(
      `${name}: expected Unicode text, found a lone surrogate`,
    );
  });

  test("a byte order mark is passed over at the beginning, and kept in strings", () => {
    expect(readSent(EverythingSchema, {}, '\ufeff{"text":"\ufeffa"}')).toMatchObject({ text: "\ufeffa" });
  });
});

describe("limits", () => {
  const deep = (levels: number) => `${'{"plain":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

  test("messages are nested at most 100 deep, or as deep as asked for", () => {
    for (const [options, levels] of [
      [{}, 100],
      [{ recursionLimit: 2 }, 2],
    ] as const) {
      expect(outcome(() => readSent(PlainSchema, options, deep(levels)))).not.toBe("refused");
      expect(outcome(() => readSent(PlainSchema, options, deep(levels + 1)))).toBe("refused");
      expect(outcome(() => readReference(PlainSchema, options, deep(levels + 1)))).toBe("refused");
    }
  });

  test.each([
    [StructSchema, (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`],
    [ListValueSchema, (levels: number) => "[".repeat(levels) + "]".repeat(levels)],
    [ValueSchema, (levels: number) => "[".repeat(levels) + "]".repeat(levels)],
    [EverythingSchema, (levels: number) => `{"object":${'{"a":'.repeat(levels)}1${"}".repeat(levels)}}`],
    [EverythingSchema, (levels: number) => `{"value":${"[".repeat(levels)}${"]".repeat(levels)}}`],
  ])("%s is nested as deep as by protobuf-es", (desc, nest) => {
    for (let levels = 96; levels <= 102; levels++) {
      const ours = outcome(() => readSent(desc, {}, nest(levels)));
      expect(ours === "refused").toBe(outcome(() => readReference(desc, {}, nest(levels))) === "refused");
    }
  });

  test("what is ignored may be nested to any depth", () => {
    const text = `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(readSent(EverythingSchema, { ignoreUnknownFields: true }, text)).toEqual(create(EverythingSchema));
  });

  test.each([
    ["items", '{"words":["","",""]}', 3],
    ["entries", '{"trees":{"texts":{"a":"","b":""}}}', 4],
    ["members of a Struct", '{"object":{"a":1,"b":[1,2]}}', 10],
    ["paths", '{"wellKnown":{"fieldMask":"a,b,c"}}', 3],
  ])("there is a limit on %s", (_, text, elements) => {
    expect(() => readSent(EverythingSchema, { maxElements: 100 }, text)).not.toThrow();
    const all = [...Array(100).keys()].find((maxElements) => {
      const read = outcome(() => readSent(EverythingSchema, { maxElements }, text));
      return read !== "refused";
    });
    expect(all).toBeGreaterThanOrEqual(elements);
    expect(() => readSent(EverythingSchema, { maxElements: (all ?? 0) - 1 }, text)).toThrow(ElementLimitError);
  });
});

test("errors repeat 100 characters of what was sent", () => {
  const long = "x".repeat(10_000);
  const texts = [
    `{"number":"${long}"}`,
    `{"number":${"9".repeat(10_000)}}`,
    `{"labels":{"${long}":1}}`,
    `{"${long}":1}`,
    `{"trees":{"any":{"@type":"${long}"}}}`,
    `{"object":{"${long}":{"${long}":{"${long}":1e400}}}}`,
  ];
  for (const text of texts) {
    const error = outcome(() => readSent(EverythingSchema, {}, text));
    expect(error).toBe("refused");
    expect(() => readSent(EverythingSchema, {}, text)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,400}$/s) }),
    );
  }
});

describe("values are read as JSON.parse reads them", () => {
  const character = fc.constantFrom(...'abcdefgh !#[]~\x7f"\\\n\0\x1fé\u2028\ud7ff', "😀");
  const text = fc.array(character, { maxLength: 60 }).map((characters) => characters.join(""));
  const decimal = fc
    .tuple(fc.integer(), fc.nat(17))
    .map(([digits, decimals]) => Number(`${digits}e-${decimals}`).toFixed(decimals));
  const double = fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }).map(JSON.stringify));
  const time = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });

  test.each<[field: string, values: fc.Arbitrary<string>, parse: (json: string) => unknown]>([
    ["string", text.map((value) => JSON.stringify(value)), JSON.parse],
    ["double", double, JSON.parse],
    [
      "bytes",
      fc.uint8Array({ maxLength: 600 }).map((value) => JSON.stringify(Buffer.from(value).toString("base64"))),
      toBytes,
    ],
  ])("%s", (name, values, parse) => {
    // Some strings are long enough for several windows of text.
    const property = fc.property(values, fc.nat(2_000), (value, length) => {
      const filler = "x".repeat(length);
      const message = readSent(
        PlainSchema,
        {},
        `{"strings":["${filler}"],"${name}":${value},"choiceString":"${filler}"}`,
      );
      const expected = { strings: [filler], [name]: parse(value), choice: { case: "choiceString", value: filler } };
      expectSame(message, create(PlainSchema as DescMessage, expected as Record<string, unknown>));
    });
    fc.assert(property, { numRuns: runs.numRuns * 3 });
  });

  test("times", () => {
    const property = fc.property(
      time,
      fc.nat(999_999_999),
      fc.constantFrom(0, 1, 3, 6, 8, 9),
      (date, nanos, decimals) => {
        const fraction = decimals === 0 ? "" : `.${String(nanos).padStart(9, "0").slice(0, decimals)}`;
        const seconds = Math.floor(date.getTime() / 1000);
        const text = new Date(seconds * 1000).toISOString().replace(".000Z", `${fraction}Z`);
        expect(readSent(TimestampSchema, {}, JSON.stringify(text))).toEqual(
          create(TimestampSchema, { seconds: BigInt(seconds), nanos: Number(fraction.slice(1).padEnd(9, "0")) }),
        );
      },
    );
    fc.assert(property, runs);
  });
});

function toBytes(json: string): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.parse(json), "base64"));
}
