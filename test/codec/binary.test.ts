import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, StructSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { HelloRequestSchema } from "../../gen/hello_world_pb.js";
import { createBinaryCodec } from "../../server/codec/binary.js";
import { decodePlain } from "../../server/codec/decode.js";
import { encodePlain } from "../../server/codec/encode.js";
import { isPlainType } from "../../server/codec/support.js";
import { MappedSchema, PlainSchema } from "../gen/manywire/test/codec/v1/codec_pb.js";
import { EverythingSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";
import { TestReplySchema, TestRequestSchema } from "../gen/manywire/test/v1/test_pb.js";
import { messageOf } from "../rest/arbitrary.js";
import { expectSame, outcome } from "../support/expect-same.js";

const plain: DescMessage[] = [
  PlainSchema,
  HelloRequestSchema,
  TestRequestSchema,
  TestReplySchema,
  StatusSchema,
  BadRequestSchema,
  HttpRuleSchema,
  TimestampSchema,
];
const others: DescMessage[] = [MappedSchema, EverythingSchema, StructSchema];
const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 400) };

describe.each([...plain, ...others].map((desc) => [desc.typeName, desc] as const))("the codec of %s", (_, desc) => {
  const codec = createBinaryCodec(desc);
  const messages = messageOf(desc, undefined, 3);

  it("writes what protobuf-es writes, after the bytes that it leaves free", () => {
    const property = fc.property(messages, fc.integer({ min: 0, max: 9 }), (message, reserve) => {
      const encoded = codec.encode(message, reserve);
      expect(encoded.subarray(reserve).equals(toBinary(desc, message))).toBe(true);
    });
    fc.assert(property, runs);
  });

  it("reads what protobuf-es reads, down to the descriptors of the properties", () => {
    const property = fc.property(messages, (message) => {
      const bytes = toBinary(desc, message);
      expectSame(codec.decode(bytes), fromBinary(desc, bytes));
    });
    fc.assert(property, runs);
  });

  it("reads damaged, doubled and foreign bytes as protobuf-es does, or fails in its words", () => {
    const property = fc.property(messages, messages, damage, (a, b, mend) => {
      const bytes = mend(Buffer.concat([toBinary(desc, a), toBinary(desc, b)]));
      const expected = outcome(() => fromBinary(desc, bytes));
      expectSame(
        outcome(() => codec.decode(bytes)),
        expected,
      );
    });
    fc.assert(property, runs);
  });
});

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
  it("are made for plain types, and for no others", () => {
    expect(plain.filter((desc) => !isPlainType(desc))).toEqual([]);
    expect([...others, FileDescriptorProtoSchema].filter((desc) => isPlainType(desc))).toEqual([]);
  });

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
    const bytes = encodePlain(PlainSchema, message, 0);
    expect(bytes.equals(toBinary(PlainSchema, message))).toBe(true);
    expect(decodePlain(PlainSchema, Uint8Array.from(bytes))).toStrictEqual(message);
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
    expect(outcome(() => codec.decode(deep))).toBe(outcome(() => fromBinary(PlainSchema, deep, { recursionLimit: 1 })));
  });
});

describe("messages that are none", () => {
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
