import {
  create,
  createRegistry,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonWriteOptions,
  type Message,
  ScalarType,
  setExtension,
  toJsonString,
} from "@bufbuild/protobuf";
import type { GenExtension } from "@bufbuild/protobuf/codegenv2";
import {
  AnySchema,
  BytesValueSchema,
  DurationSchema,
  FieldMaskSchema,
  FloatValueSchema,
  ListValueSchema,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it, test, vi } from "vitest";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.js";
import { HelloRequestSchema } from "../../../gen/hello_world_pb.js";
import {
  createJsonBytesEncoder,
  createJsonEncoder,
  createJsonFieldEncoder,
  type JsonEncodeOptions,
} from "../../../server/codec/json-write.js";
import { PlainSchema } from "../../gen/manywire/test/codec/v1/codec_pb.js";
import {
  attitude,
  deltas,
  file_manywire_test_codec_v1_legacy,
  type Legacy,
  Legacy_inner,
  Legacy_PartSchema,
  LegacySchema,
  Mood,
  notes,
  rate,
  tags,
  ticket,
} from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { ShapesSchema } from "../../gen/manywire/test/codec/v1/shapes_pb.js";
import { EverythingSchema, NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { TestReplySchema } from "../../gen/manywire/test/v1/test_pb.js";
import { messageOf } from "../../support/arbitrary-message.js";
import { inFloats } from "../../support/json-floats.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

const types: DescMessage[] = [
  PlainSchema,
  ShapesSchema,
  LegacySchema,
  EverythingSchema,
  HelloRequestSchema,
  TestReplySchema,
  HttpRuleSchema,
  StructSchema,
  ListValueSchema,
  ValueSchema,
  AnySchema,
  TimestampSchema,
  DurationSchema,
  FieldMaskSchema,
  FloatValueSchema,
  BytesValueSchema,
];
const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 200) };
const registry = createRegistry(EverythingSchema.file, DurationSchema, file_manywire_test_codec_v1_legacy);
const writeOptions: fc.Arbitrary<JsonEncodeOptions> = fc.record(
  {
    compiles: fc.boolean(),
    registry: fc.constant(registry),
    alwaysEmitImplicit: fc.boolean(),
    enumAsInteger: fc.boolean(),
    useProtoFieldName: fc.boolean(),
  },
  { requiredKeys: [] },
);

const isFloat = ({ scalar, message }: DescField) =>
  scalar === ScalarType.FLOAT || message?.typeName === FloatValueSchema.typeName;
/** Plain objects, as which protobuf-es builds JSON, lose a member with this name. */
const hasLost = ({ message }: DescField) => message?.fields.some(({ jsonName }) => jsonName === "__proto__") === true;

function attempt(run: () => string): string | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

describe.each(types.map((desc) => [desc.typeName, desc] as const))("the JSON of %s", (_, desc) => {
  // Some messages have no JSON: a Value without a kind, an Any without the registry.
  const check = (isWanted: (field: DescField) => boolean, view: (text: string) => string) =>
    fc.assert(
      fc.property(messageOf(desc, isWanted, 3), writeOptions, (message, options) => {
        const expected = attempt(() => toJsonString(desc, message, options));
        const found = attempt(() => createJsonEncoder(desc, options)(message));
        expect(found && view(found)).toBe(expected && view(expected));
      }),
      runs,
    );

  it("is what protobuf-es writes", () => check((field) => !isFloat(field) && !hasLost(field), String));
  it("has the same floats", () => check((field) => !hasLost(field), inFloats));
});

const write = (desc: DescMessage, message: Message, options: Partial<JsonWriteOptions> = {}) =>
  createJsonEncoder(desc, { registry, ...options })(message);

describe("numbers", () => {
  test.each([
    [0.1, "0.1"],
    [Math.fround(0.1), "0.1"],
    [Math.fround(3.14159274), "3.1415927"],
    [16_777_216, "16777216"],
    [16_777_217, "16777216"],
    [1e10, "10000000000"],
    [3.4028234663852886e38, "3.4028234e+38"],
    [3.4028235e38, "3.4028234e+38"],
    [1.1754943508222875e-38, "1.1754944e-38"],
    [2 ** -149, "1e-45"],
    [-0, "-0"],
    [Number.NaN, '"NaN"'],
    [Number.POSITIVE_INFINITY, '"Infinity"'],
    [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  ])("a float of %s is %s, in a field, a list, a map, a wrapper and a oneof", (float, text) => {
    const wrapped = create(FloatValueSchema, { value: float });
    expect(write(FloatValueSchema, wrapped)).toBe(text);
    expect(write(PlainSchema, create(PlainSchema, { float }))).toBe(`{"float":${text}}`);
    expect(write(LegacySchema, create(LegacySchema, { id: 1, price: float }))).toBe(`{"id":1,"price":${text}}`);
    const shapes = create(ShapesSchema, {
      fixed32Keys: { 1: float },
      floats: [wrapped],
      choice: { case: "choiceFloat", value: float },
    });
    const json = `{"fixed32Keys":{"1":${text}},"floats":[${text}],"choiceFloat":${text}}`;
    expect(write(ShapesSchema, shapes)).toBe(json);
  });

  test.each([
    [0.1, "0.1"],
    [Math.fround(0.1), "0.10000000149011612"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [-0, "-0"],
    [Number.NaN, '"NaN"'],
  ])("a double of %s is %s", (double, text) => {
    expect(write(PlainSchema, create(PlainSchema, { double }))).toBe(`{"double":${text}}`);
  });

  test("a number in a google.protobuf.Value keeps the sign of 0", () => {
    expect(write(ValueSchema, create(ValueSchema, { kind: { case: "numberValue", value: -0 } }))).toBe("-0");
    expect(write(EverythingSchema, create(EverythingSchema, { object: { a: [-0] } }))).toBe('{"object":{"a":[-0]}}');
  });
});

test("a time has the date that Date gives it, in every season of every year", () => {
  const days = Array.from({ length: 3_652_059 / 97 }, (_, index) => -719_162 + index * 97);
  for (const day of days) {
    const message = create(TimestampSchema, { seconds: BigInt(day) * 86_400n + 86_399n });
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    if (write(TimestampSchema, message) !== `"${date}T23:59:59Z"`) expect(write(TimestampSchema, message)).toBe(date);
  }
});

test.each([10, 50, 5_000, 700_000])("text of %i characters is written whole, whatever it is made of", (length) => {
  const message = create(PlainSchema, {
    strings: ["a", "é", "€", "😀", '"', "\n"].map((character) => character.repeat(length / character.length)),
    plain: { string: "after it" },
  });
  expect(write(PlainSchema, message)).toBe(toJsonString(PlainSchema, message));
});

describe("extensions", () => {
  const legacy = () => create(LegacySchema, { id: 1 });
  const extended: [name: string, json: string, message: Message][] = [
    ["a number", '"[manywire.test.codec.v1.ticket]":"5"', extend(ticket, 5n)],
    ["a list", '"[manywire.test.codec.v1.tags]":["a","b"]', extend(tags, ["a", "b"])],
    ["packed numbers", '"[manywire.test.codec.v1.deltas]":[-1,2]', extend(deltas, [-1, 2])],
    ["an enum", '"[manywire.test.codec.v1.attitude]":"MOOD_BAD"', extend(attitude, Mood.BAD)],
    ["a wrapper", '"[manywire.test.codec.v1.rate]":0.1', extend(rate, 0.1)],
    ["a Struct", '"[manywire.test.codec.v1.notes]":{"a":null}', extend(notes, { a: null })],
    ["a message", '"[manywire.test.codec.v1.Legacy.inner]":{"id":1}', extend(Legacy_inner, legacy())],
  ];

  function extend<Value>(extension: GenExtension<Legacy, Value>, value: Value): Message {
    const message = legacy();
    setExtension(message, extension, value as never);
    return message;
  }

  test.each(extended)("%s is written: %s", (_, json, message) => {
    expect(write(LegacySchema, message)).toBe(`{"id":1,${json}}`);
  });

  test("are written once each, in the order in which they came", () => {
    const message = legacy();
    setExtension(message, tags, ["a", "b"]);
    setExtension(message, ticket, 5n);
    expect(write(LegacySchema, message)).toBe(toJsonString(LegacySchema, message, { registry }));
  });

  test("are left out if the registry has them not, or there is none", () => {
    expect(write(LegacySchema, extend(ticket, 5n), { registry: createRegistry() })).toBe('{"id":1}');
    expect(createJsonEncoder(LegacySchema, {})(extend(ticket, 5n))).toBe('{"id":1}');
  });

  test("that cannot be read or written are named", () => {
    const message = legacy();
    message.$unknown = [{ no: 110, wireType: 2, data: new Uint8Array([0]) }];
    expect(() => write(LegacySchema, message)).toThrow(
      "[manywire.test.codec.v1.Legacy.inner].id: required field is not set",
    );
  });
});

describe("values that have no JSON", () => {
  const badAny = create(AnySchema, { typeUrl: "x/manywire.test.rest.v1.Node", value: new Uint8Array([255]) });
  const cycle: JsonObject = {};
  cycle.self = cycle;

  test.each<[error: string, desc: DescMessage, fields: Record<string, unknown>]>([
    ["string: expected a string, found 5", PlainSchema, { string: 5 }],
    ["string: a string with a lone surrogate has no UTF-8", PlainSchema, { string: "\ud800" }],
    ["int32: expected an int32, found 2147483648", PlainSchema, { int32: 2 ** 31 }],
    ["int32: expected an int32, found 1.5", PlainSchema, { int32: 1.5 }],
    ["int32: expected an int32, found NaN", PlainSchema, { int32: Number.NaN }],
    ['int32: expected an int32, found "1"', PlainSchema, { int32: "1" }],
    ["uint32: expected a uint32, found -1", PlainSchema, { uint32: -1 }],
    ["int64: expected an int64, found 9223372036854775808", PlainSchema, { int64: 2n ** 63n }],
    ['int64: expected an int64, found "0x10"', PlainSchema, { int64: "0x10" }],
    ["uint64: expected a uint64, found -1", PlainSchema, { uint64: -1n }],
    ["bool: expected true or false, found null", PlainSchema, { bool: null }],
    ["bytes: expected bytes, found a list", PlainSchema, { bytes: [1] }],
    ["double: expected a number, found 1", PlainSchema, { double: 1n }],
    ["float: expected a 32-bit float, found 1e+39", PlainSchema, { float: 1e39 }],
    ['color: expected an int32, found "COLOR_RED"', PlainSchema, { color: "COLOR_RED" }],
    ['strings: expected a list, found "x"', PlainSchema, { strings: "x" }],
    ["strings[1]: expected a string, found undefined", PlainSchema, { strings: ["a", undefined] }],
    ["plain: expected manywire.test.codec.v1.Plain, found an object", PlainSchema, { plain: {} }],
    [
      "plain: expected manywire.test.codec.v1.Plain, found hello_world.HelloRequest",
      PlainSchema,
      { plain: create(HelloRequestSchema) },
    ],
    [
      "plains[0].plain.int32: expected an int32, found 1.5",
      PlainSchema,
      { plains: [create(PlainSchema, { plain: create(PlainSchema, { int32: 1.5 }) })] },
    ],
    [
      "choice_int64: expected an int64, found undefined",
      PlainSchema,
      { choice: { case: "choiceInt64", value: undefined } },
    ],
    ['int32_keys["01"]: expected an int32 as key, found "01"', ShapesSchema, { int32Keys: { "01": "" } }],
    ['uint64_keys["-1"]: expected a uint64 as key, found "-1"', ShapesSchema, { uint64Keys: { "-1": "" } }],
    ['bool_keys["yes"]: expected true or false as key, found "yes"', ShapesSchema, { boolKeys: { yes: {} } }],
    ["string_keys: expected a map, found a list", ShapesSchema, { stringKeys: [] }],
    [
      'objects[0]["a"][0]: expected a finite number, text, true or false, found NaN',
      ShapesSchema,
      { objects: [{ a: [Number.NaN] }] },
    ],
    [
      "choice_value: a google.protobuf.Value without a kind has no JSON",
      ShapesSchema,
      { choice: { case: "choiceValue", value: create(ValueSchema) } },
    ],
    [
      "moment.seconds: expected an integer from -62135596800 to 253402300799, found 253402300800",
      EverythingSchema,
      { moment: create(TimestampSchema, { seconds: 253402300800n }) },
    ],
    [
      "moment.nanos: expected an integer from 0 to 999999999, found -1",
      EverythingSchema,
      { moment: create(TimestampSchema, { nanos: -1 }) },
    ],
    ["id: required field is not set", LegacySchema, {}],
    ["part.size: required field is not set", LegacySchema, { id: 1, part: create(Legacy_PartSchema) }],
    [
      'anys[0]: unknown type "x/y.Z" in google.protobuf.Any',
      ShapesSchema,
      { anys: [create(AnySchema, { typeUrl: "x/y.Z" })] },
    ],
    [
      "anys[0]: google.protobuf.Any has bytes that are no manywire.test.rest.v1.Node: premature EOF",
      ShapesSchema,
      { anys: [badAny] },
    ],
    ["Maximum call stack size exceeded", EverythingSchema, { object: cycle }],
  ])("are named: %s", (error, desc, fields) => {
    const message = Object.assign(create(desc), fields) as Message;
    expect(attemptError(() => write(desc, message))).toBe(error);
  });

  test.each<[error: string, desc: DescMessage, fields: Record<string, unknown>]>([
    [
      "seconds: expected an integer from -315576000000 to 315576000000, found 315576000001",
      DurationSchema,
      { seconds: 315_576_000_001n },
    ],
    ["nanos: expected an integer from -999999999 to 999999999, found 1500000.5", DurationSchema, { nanos: 1500000.5 }],
    [
      "google.protobuf.Duration: expected seconds and nanos of one sign, found 1 and -1",
      DurationSchema,
      { seconds: 1n, nanos: -1 },
    ],
    [
      'paths[1]: expected a path in snake_case that has a camelCase form, found "a__b"',
      FieldMaskSchema,
      { paths: ["a", "a__b"] },
    ],
    [
      "google.protobuf.FieldMask: expected google.protobuf.FieldMask, found an object",
      FieldMaskSchema,
      { $typeName: undefined },
    ],
  ])("are named by their own type: %s", (error, desc, fields) => {
    const message = Object.assign(create(desc), fields) as Message;
    expect(attemptError(() => write(desc, message))).toBe(error);
  });

  test("are quoted in part", () => {
    const message = create(PlainSchema, { int32: "9".repeat(1e6) as never });
    expect(attemptError(() => write(PlainSchema, message))).toBe(
      `int32: expected an int32, found "${"9".repeat(100)}…"`,
    );
  });
});

function attemptError(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const { field: everything } = EverythingSchema;
const { field: inNode } = NodeSchema;

describe("one field", () => {
  const node = create(NodeSchema, { text: "a", child: create(NodeSchema, { number: 2 }) });
  const full = create(EverythingSchema, { text: "a", number: 5n, words: ["b"], node, choice: text("c"), wrapped: 0n });
  const none = create(EverythingSchema);

  function text(value: string) {
    return { case: "choiceText", value } as const;
  }

  test.each<[field: DescField | undefined, set: string, unset: string | undefined]>([
    [everything.text, '"a"', '""'],
    [everything.number, '"5"', '"0"'],
    [everything.flag, "false", "false"],
    [everything.data, '""', '""'],
    [everything.color, '"COLOR_UNSPECIFIED"', '"COLOR_UNSPECIFIED"'],
    [everything.words, '["b"]', "[]"],
    [everything.labels, "{}", "{}"],
    [everything.node, '{"text":"a","child":{"number":2}}', undefined],
    [everything.wrapped, '"0"', undefined],
    [everything.note, undefined as never, undefined],
    [everything.choiceText, '"c"', undefined],
  ])("%s is %s, and %s where it is not set", (field, set, unset) => {
    const encode = createJsonFieldEncoder(field as DescField, {});
    expect(encode(full)).toBe(set);
    expect(encode(none)).toBe(unset);
  });

  test("is named where it has no JSON", () => {
    const encode = createJsonFieldEncoder(everything.node as DescField, {});
    const bad = create(EverythingSchema, { node: { child: { number: 1.5 } } });
    expect(attemptError(() => encode(bad))).toBe("node.child.number: expected an int32, found 1.5");
  });

  test("is written without what is omitted of it", () => {
    const omitted = [[inNode.text], [inNode.child, inNode.number]] as DescField[][];
    expect(createJsonFieldEncoder(everything.node as DescField, {}, omitted)(full)).toBe('{"child":{}}');
    expect(createJsonFieldEncoder(everything.node as DescField, {})(full)).toContain("text");
  });

  test("may be omitted from its message", () => {
    const omitted = [[everything.text], [everything.node, inNode.child]] as DescField[][];
    const rest = '{"number":"5","words":["b"],"wrapped":"0","choiceText":"c"}';
    expect(createJsonEncoder(EverythingSchema, {}, omitted)(full)).toBe(`{"node":{"text":"a"},${rest.slice(1)}`);
  });
});

describe("values are written as JSON.stringify writes them", () => {
  const character = fc.constantFrom(
    ..."abcdefgh !#[]~\x7f",
    '"',
    "\\",
    "\n",
    "\0",
    "\x1f",
    "é",
    "\u2028",
    "\ud7ff",
    "😀",
  );
  const text = fc.array(character, { maxLength: 60 }).map((characters) => characters.join(""));
  const decimal = fc
    .tuple(fc.integer(), fc.integer({ min: -10, max: 4 }))
    .map(([digits, exponent]) => Number(`${digits}e${exponent}`));
  const double = fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger());
  const long = (number: bigint) => String(number);

  test.each<[field: string, values: fc.Arbitrary<unknown>, jsonOf: (value: never) => unknown]>([
    ["string", text, (value) => value],
    ["double", double.filter((value) => !Object.is(value, -0)), (value) => value],
    ["int64", fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(10n ** 9n), 10n ** 9n)), long],
    ["uint64", fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.maxSafeNat().map(BigInt)), long],
    ["int32", fc.integer(), (value) => value],
    ["uint32", fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => value],
    ["bytes", fc.uint8Array({ maxLength: 120 }), (value: Uint8Array) => Buffer.from(value).toString("base64")],
  ])("%s", (name, values, jsonOf) => {
    const encodeBytes = createJsonBytesEncoder(PlainSchema, { alwaysEmitImplicit: true });
    const property = fc.property(values, (value) => {
      const message = create(PlainSchema, { [name]: value });
      const member = JSON.stringify({ [name]: jsonOf(value as never) }).slice(1, -1);
      const json = write(PlainSchema, message, { alwaysEmitImplicit: true });
      expect(json).toContain(member);
      expect(encodeBytes(message, 5).subarray(5).toString()).toBe(json);
    });
    fc.assert(property, { numRuns: runs.numRuns * 3 });
  });
});
