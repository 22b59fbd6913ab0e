import { create, type DescMessage, fromBinary, type JsonObject, type Message, toBinary } from "@bufbuild/protobuf";
import { StructSchema, TimestampSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.js";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { HelloRequestSchema } from "../../../gen/hello_world_pb.js";
import { createBinaryCodec } from "../../../server/codec/binary.js";
import { BinaryError } from "../../../server/codec/binary-input.js";
import { createDecoder } from "../../../server/codec/binary-read.js";
import { createStrictEncoder } from "../../../server/codec/binary-write.js";
import { elementCost } from "../../../server/codec/element-limit.js";
import { MappedSchema, PlainSchema } from "../../gen/manywire/test/codec/v1/codec_pb.js";
import { LegacySchema } from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { ShapesSchema } from "../../gen/manywire/test/codec/v1/shapes_pb.js";
import { BulkSchema, TakenSchema, WideSchema } from "../../gen/manywire/test/limits/v1/bulk_pb.js";
import { Form_ItemSchema, FormSchema } from "../../gen/manywire/test/limits/v1/form_pb.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import {
  type Everything,
  EverythingSchema,
  NodeSchema,
  TreesSchema,
} from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { TestReplySchema, TestRequestSchema } from "../../gen/manywire/test/v1/test_pb.js";
import { messageOf, withRequired } from "../../support/arbitrary-message.js";
import { breaksRule } from "../../support/broken-rules.js";
import { expectSame, outcome } from "../../support/expect-same.js";

// Code at once, instead of after some messages.
vi.mock("../../../server/codec/code-threshold.js", () => ({ messagesBeforeCode: 0 }));

const types: DescMessage[] = [
  PlainSchema,
  MappedSchema,
  ShapesSchema,
  LegacySchema,
  EverythingSchema,
  EditionSchema,
  FormSchema,
  StructSchema,
  HelloRequestSchema,
  TestRequestSchema,
  TestReplySchema,
  StatusSchema,
  BadRequestSchema,
  HttpRuleSchema,
  TimestampSchema,
];
/** By code made of plans, and by the plans themselves. */
const ways = [true, false].flatMap((compiles) => types.map((desc) => ({ compiles, desc, typeName: desc.typeName })));
const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 200) };

describe.each(ways)("the codec of $typeName, compiled: $compiles", ({ desc, compiles }) => {
  const codec = createBinaryCodec(desc, { compiles });
  const messages = messageOf(desc, undefined, 3).map((message) => withRequired(desc, message));

  it("writes what protobuf-es writes, and without its help", () => {
    const encode = createStrictEncoder(desc, { compiles });
    const property = fc.property(messages, (message) => {
      expect(encode(message, 0).equals(toBinary(desc, message))).toBe(true);
    });
    fc.assert(property, runs);
  });

  it("writes the bytes after those that it leaves free, with and without unknown fields", () => {
    const property = fc.property(
      messages,
      unknownFields,
      fc.integer({ min: 0, max: 9 }),
      fc.boolean(),
      (known, unknown, reserve, writeUnknownFields) => {
        const message = fromBinary(desc, Uint8Array.from(Buffer.concat([toBinary(desc, known), unknown])));
        const options = { compiles, writeUnknownFields };
        const encoded = createBinaryCodec(desc, options).encode(message, reserve);
        expect(encoded.subarray(reserve).equals(toBinary(desc, message, options))).toBe(true);
      },
    );
    fc.assert(property, runs);
  });

  it("reads what protobuf-es reads, down to the descriptors of the properties", () => {
    const property = fc.property(messages, (message) => {
      const bytes = toBinary(desc, message);
      expectSame(codec.decode(bytes), fromBinary(desc, bytes));
    });
    fc.assert(property, runs);
  });

  it("merges messages, and keeps unknown fields, as protobuf-es does", () => {
    const property = fc.property(messages, messages, unknownFields, unknownFields, (a, b, before, after) => {
      const bytes = Uint8Array.from(Buffer.concat([before, toBinary(desc, a), toBinary(desc, b), after]));
      expect(codec.decode(bytes)).toStrictEqual(fromBinary(desc, bytes));
    });
    fc.assert(property, runs);
  });

  it("reads damaged bytes as protobuf-es does, or is stricter where they break a rule", () => {
    const property = fc.property(messages, messages, damage, (a, b, mend) => {
      const bytes = mend(Buffer.concat([toBinary(desc, a), toBinary(desc, b)]));
      const found = outcome(() => codec.decode(bytes));
      const expected = outcome(() => fromBinary(desc, bytes));
      const haveBothFailed = typeof found === "string" && typeof expected === "string";
      if (haveBothFailed || breaksRule(desc, bytes)) return;
      expect(found).toStrictEqual(expected);
    });
    fc.assert(property, runs);
  });
});

/** Fields that no type has: number 999, of every wire type. */
const unknownFields: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.constantFrom(
      [0xb8, 0x3e, 0x01],
      [0xb9, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xba, 0x3e, 0x02, 0xff, 0xff],
      [0xbb, 0x3e, 0x0b, 0x08, 0x01, 0x0c, 0xbc, 0x3e],
      [0xbd, 0x3e, 1, 2, 3, 4],
    ),
    { maxLength: 3 },
  )
  .map((fields) => Uint8Array.from(fields.flat()));

/** Ways to spoil a row of bytes. */
const damage: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.constant((bytes: Uint8Array) => Uint8Array.from(bytes)),
  fc.nat().map((cut) => (bytes: Uint8Array) => bytes.slice(0, cut % (bytes.length + 1))),
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, value]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  }),
  fc.uint8Array({ maxLength: 12 }).map((extra) => (bytes: Uint8Array) => Uint8Array.from([...extra, ...bytes])),
  // A field that no type has: number 999, as a varint.
  fc.constant((bytes: Uint8Array) => Uint8Array.from([...bytes, 0xb8, 0x3e, 0x01])),
);

describe("plans", () => {
  it("serve ordinary messages without help from protobuf-es", () => {
    const text = "long enough that it is not copied character by character, äöü €, 😀";
    const message = create(PlainSchema, {
      string: "you",
      optionalString: "",
      int32: -1,
      uint32: 0xffffffff,
      sint32: -5,
      int64: -(2n ** 63n),
      uint64: 2n ** 64n - 1n,
      double: Math.PI,
      float: -0,
      strings: ["", text],
      int32s: [-1, 0, 1],
      plain: { string: text.repeat(9), choice: { case: "choicePlain", value: { bool: true } } },
      far: new Uint8Array([1, 2, 3]),
    });
    const bytes = createBinaryCodec(PlainSchema).encode(message, 0);
    expect(bytes.equals(toBinary(PlainSchema, message))).toBe(true);
    expect(createDecoder(PlainSchema)(Uint8Array.from(bytes))).toStrictEqual(message);
  });

  it("hand out memory that no later message touches", () => {
    const codec = createBinaryCodec(HelloRequestSchema);
    const first = codec.encode(create(HelloRequestSchema, { name: "first" }), 0);
    const before = Buffer.from(first);
    for (let index = 0; index < 1000; index++) codec.encode(create(HelloRequestSchema, { name: "x".repeat(index) }), 5);
    expect(first.equals(before)).toBe(true);
  });

  it("keep the limit on recursion that was asked for", () => {
    const codec = createBinaryCodec(PlainSchema, { recursionLimit: 1 });
    const deep = toBinary(PlainSchema, create(PlainSchema, { plain: { plain: {} } }));
    expect(() => codec.decode(deep)).toThrow("plain: nested more than 1 deep");
    expect(() => fromBinary(PlainSchema, deep, { recursionLimit: 1 })).toThrow("maximum recursion depth of 1 reached");
  });
});

describe("invalid messages", () => {
  const codec = createBinaryCodec(PlainSchema);
  it.each<[string, Record<string, unknown>]>([
    ["a number where a string belongs", { string: 5 }],
    ["a number that is no int32", { int32: 2 ** 31 }],
    ["a fraction", { uint32: 0.5 }],
    ["a negative uint64", { uint64: -1n }],
    ["a float that is too large", { float: 1e39 }],
    ["a list that is none", { strings: "x" }],
    ["a message of another type", { plain: create(HelloRequestSchema) }],
  ])("fail in the words of protobuf-es: %s", (_, fields) => {
    const message = Object.assign(create(PlainSchema), fields) as Message;
    const expected = outcome(() => Buffer.from(toBinary(PlainSchema, message as never)));
    expect(outcome(() => codec.encode(message, 0))).toStrictEqual(expected);
  });
});

describe("bytes that are no message", () => {
  it.each<[DescMessage, string, string]>([
    [PlainSchema, "0a05 61", "string: expected 5 bytes, found 1"],
    [PlainSchema, "0aff ffff ffff 01", "string: expected 68719476735 bytes, found 0"],
    [PlainSchema, "0a01 ff", "string: invalid UTF-8"],
    [PlainSchema, "0a03 eda080", "string: invalid UTF-8"],
    [PlainSchema, "8201 00 8201 01 ff", "strings[1]: invalid UTF-8"],
    [PlainSchema, "b201 00 b201 03 0a01ff", "plains[1].string: invalid UTF-8"],
    [PlainSchema, "ca01 03 0a01ff", "choice_plain.string: invalid UTF-8"],
    [PlainSchema, "6203 6201 0a", "plain.plain.string: unexpected end of the message"],
    [PlainSchema, "8a01 02 0180", "int32s[1]: unexpected end of the message"],
    [PlainSchema, "9a01 03 000000 0000000000", "doubles[0]: extends past the end of its list"],
    [PlainSchema, "49 000000", "double: expected 8 bytes, found 3"],
    [PlainSchema, "62 01 0a00", "plain.string: extends past the end of its message"],
    [PlainSchema, "20 ffffffffffffffffffff01", "int32: invalid varint: more than 10 bytes"],
    [PlainSchema, "ffffffff7f", "manywire.test.codec.v1.Plain: invalid tag at byte 0"],
    [PlainSchema, "00", "manywire.test.codec.v1.Plain: invalid field number 0 before byte 1"],
    [PlainSchema, "0c", "manywire.test.codec.v1.Plain: unexpected wire type 4 before byte 1"],
    [PlainSchema, "bb3e 0b 14", "manywire.test.codec.v1.Plain: end of another group before byte 4"],
    [MappedSchema, "0a08 0a016b 1203 0a01ff", 'plains["k"].string: invalid UTF-8'],
    [TreesSchema, "1208 0a06 0a0161 1201 1a", 'struct["a"]: unexpected end of the message'],
    [TreesSchema, "120d 0a0b 0a0161 1206 3204 0a00 0a01", 'struct["a"][1]: expected 1 bytes, found 0'],
    [TreesSchema, "120a 0a08 0a0161 1203 1a01 ff", 'struct["a"]: invalid UTF-8'],
    [FormSchema, "1b 0a0161", "item[0]: group without an end"],
    [FormSchema, "1b 0a05 61", "item[0].title: expected 5 bytes, found 1"],
  ])("of %s are refused with the field: %s", (desc, hex, message) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    expect(() => createDecoder(desc)(Uint8Array.from(bytes))).toThrow(new BinaryError(message));
  });

  it.each([
    ["0x0b", 11],
    ["an unknown group", 0x7b],
  ])("are refused if they nest too deep: %s", (_, byte) => {
    expect(() => createDecoder(FormSchema)(new Uint8Array(1000).fill(byte))).toThrow(BinaryError);
  });
});

describe("a map", () => {
  it("has the key __proto__ as any other, read and written", () => {
    const message = create(EverythingSchema, { object: {} });
    const own = { enumerable: true, writable: true, configurable: true };
    Object.defineProperty(message.labels, "__proto__", { ...own, value: create(NodeSchema, { text: "a" }) });
    message.trees = create(TreesSchema, { struct: {} });
    Object.defineProperty(message.trees.texts, "__proto__", { ...own, value: "b" });
    const codec = createBinaryCodec(EverythingSchema);
    const bytes = codec.encode(message, 0);
    const decoded = codec.decode(Uint8Array.from(bytes)) as typeof message;
    expect(decoded).toStrictEqual(message);
    expect(Object.keys(decoded.labels)).toEqual(["__proto__"]);
    expect(Object.entries(decoded.trees?.texts ?? {})).toEqual([["__proto__", "b"]]);
    expect(Object.getPrototypeOf(decoded.labels)).toBe(Object.prototype);
    expect(codec.encode(decoded, 0)).toEqual(bytes);
  });
});

describe("a field of type Struct", () => {
  it("has the key __proto__ as any other, read and written, at whatever depth", () => {
    const object = JSON.parse('{"__proto__":1,"a":{"__proto__":[{"__proto__":2}]},"b":"__proto__"}') as JsonObject;
    const codec = createBinaryCodec(EverythingSchema);
    const bytes = codec.encode(create(EverythingSchema, { object, trees: { struct: object } }), 3);
    const { object: found, trees } = codec.decode(Uint8Array.from(bytes.subarray(3))) as Everything;
    expect([JSON.stringify(found), JSON.stringify(trees?.struct)]).toEqual(Array(2).fill(JSON.stringify(object)));
  });
});

describe("the limit on elements", () => {
  const cost = (desc: DescMessage, hex: string): number => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    for (let maxElements = 0; ; maxElements++) {
      const found = outcome(() => createDecoder(desc, { maxElements })(bytes));
      if (typeof found !== "string") return maxElements;
      expect(found).toBe(`ElementLimitError: message has more than ${maxElements} elements`);
    }
  };

  it.each<[DescMessage, string, number, string]>([
    [BulkSchema, "", 0, "nothing"],
    [TestRequestSchema, "0a0161 0a0162 1801", 0, "values of singular fields"],
    [BulkSchema, "12020001 1200 1001", 3, "items of packed lists and others"],
    [BulkSchema, "4a00 4a0161", 2, "strings"],
    [BulkSchema, "5200 5200", 10, "bytes, which take more memory"],
    [TestRequestSchema, "1200", 4, "bytes in a field of their own"],
    [BulkSchema, "5a00", 2, "an entry of a map"],
    [BulkSchema, "ba0100", 1 + elementCost(TakenSchema), "an item that is a message"],
    [BulkSchema, "7200", 2 + elementCost(WideSchema), "an entry without its message"],
    [BulkSchema, "7202 1200", 2 + elementCost(WideSchema), "an entry with its message"],
    [BulkSchema, "aa0100", elementCost(WideSchema), "a message"],
    [BulkSchema, "aa0100 aa0100", elementCost(WideSchema), "a message in two parts"],
    [BulkSchema, "aa0100 b20100", 2 * elementCost(WideSchema), "a message, and another in its place"],
    [BulkSchema, "9806 01", 4, "an unknown field"],
    [FormSchema, "1b1c", 1 + elementCost(Form_ItemSchema), "a group"],
    [FormSchema, "2863", 4, "an unknown value of a closed enum"],
    [TreesSchema, "1207 0a05 0a0161 1200", 2 + 2, "a JSON object"],
  ])("counts in %s %s as %i: %s", (desc, hex, count) => {
    expect(cost(desc, hex)).toBe(count);
  });

  it("weighs a message by the properties that it is created with", () => {
    expect(elementCost(TakenSchema)).toBe(2);
    expect(elementCost(ValueSchema)).toBe(3);
    expect(elementCost(TestRequestSchema)).toBe(10);
    expect(elementCost(WideSchema)).toBe(1 + (120 / 8) * (1 + 1 + 4 + 2 + 2 + 1));
  });

  it("does not count unknown fields that are not kept", () => {
    const options = { maxElements: 0, readUnknownFields: false };
    expect(createDecoder(BulkSchema, options)(Uint8Array.of(0x98, 0x06, 1))).toEqual(create(BulkSchema));
  });
});
