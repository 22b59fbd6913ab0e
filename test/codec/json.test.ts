import {
  create,
  createRegistry,
  type DescMessage,
  fromJsonString,
  type JsonReadOptions,
  toJsonString,
} from "@bufbuild/protobuf";
import { StructSchema, TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { HelloRequestSchema } from "../../gen/hello_world_pb.js";
import { readJson } from "../../server/codec/json-read.js";
import { Color, MappedSchema, PlainSchema } from "../gen/manywire/test/codec/v1/codec_pb.js";
import { EverythingSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";
import { TestReplySchema, TestRequestSchema } from "../gen/manywire/test/v1/test_pb.js";
import { messageOf } from "../rest/arbitrary.js";
import { expectSame, outcome } from "../support/expect-same.js";
import { readSent, received } from "./read-json.js";

const types: DescMessage[] = [
  PlainSchema,
  MappedSchema,
  EverythingSchema,
  HelloRequestSchema,
  TestRequestSchema,
  TestReplySchema,
  HttpRuleSchema,
  StructSchema,
  TimestampSchema,
];
const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 400) };

const registry = createRegistry(EverythingSchema.file);
const readOptions: fc.Arbitrary<Partial<JsonReadOptions>> = fc.constantFrom(
  { registry },
  { registry, ignoreUnknownFields: true },
);
function hasFailed(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

describe.each(types.map((desc) => [desc.typeName, desc] as const))("the JSON of %s", (_, desc) => {
  const messages = messageOf(desc, undefined, 3);

  // Not all that can be made can be written: an Any of a type that is not known, a number that is none in a Value.
  const writable = messages.filter((message) => !hasFailed(() => toJsonString(desc, message, { registry })));

  it("is read as protobuf-es reads it", () => {
    const property = fc.property(writable, readOptions, (message, options) => {
      const text = toJsonString(desc, message, { registry });
      expectSame(readSent(desc, options, text), fromJsonString(desc, text, options));
    });
    fc.assert(property, runs);
  });

  it("is read as protobuf-es reads it, or fails in its words, where it is spoilt", () => {
    const property = fc.property(writable, spoilers, readOptions, (message, spoil, options) => {
      const text = spoil(toJsonString(desc, message, { registry }));
      const expected = outcome(() => fromJsonString(desc, received(text), options));
      expectSame(
        outcome(() => readSent(desc, options, text)),
        expected,
      );
    });
    fc.assert(property, { numRuns: runs.numRuns * 3 });
  });
});

const odd = [
  "null",
  "-0",
  "1.5",
  "1e400",
  "4294967296",
  '"1"',
  '"01"',
  '"\\ud800"',
  '"\\u003a"',
  '"a:b"',
  '"NaN"',
  "[]",
];
const odder = ["{}", "[null]", "true", '"AQ"', '"COLOR_RED"', '"NONE"', '{"prototype":{"a":1}}', '{"a":1,"a":2}', ""];

/** Ways to spoil a text: put something in the place of a value, or anywhere; double a member; cut. */
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

describe("plans", () => {
  const message = create(PlainSchema, {
    string: 'a "quoted": text, äöü €, 😀',
    optionalString: "",
    bytes: new Uint8Array([1, 2, 3]),
    bool: true,
    int32: -1,
    uint32: 0xffffffff,
    sint32: -5,
    int64: -(10n ** 17n),
    uint64: 10n ** 18n,
    double: Math.PI,
    float: 0.5,
    color: Color.RED,
    colors: [Color.UNSPECIFIED, Color.RED],
    strings: ["", "x"],
    plain: { string: "deep", choice: { case: "choicePlain", value: { bool: true } } },
  });

  it("serve ordinary messages without help from protobuf-es", () => {
    expectSame(readJson(PlainSchema, Buffer.from(toJsonString(PlainSchema, message))), message);
  });

  it("serve maps, and the well-known types whose JSON is text", () => {
    const everything = create(EverythingSchema, { moment: timestampFromMs(1.5e12), trees: { texts: { "a:b": "c" } } });
    expectSame(readJson(EverythingSchema, Buffer.from(toJsonString(EverythingSchema, everything))), everything);
  });

  it.each([
    ['{"string":"a","string":"b"}', "the same member twice"],
    ['{"plain":{"bool":true,"bool":true}}', "the same member twice, further down"],
    ['{"string":"a","string":"b\\u003a"}', "the same member twice, with a colon that is hidden"],
    ['{"optional_string":"a","optionalString":"b"}', "a field under both of its names"],
    ['{"choiceString":"a","choiceInt64":"1"}', "two of a oneof"],
    ['{"string":null}', "null"],
    ['{"nothing":1}', "an unknown field"],
  ])("leave %s to protobuf-es: %s", (text) => {
    expect(() => readJson(PlainSchema, Buffer.from(text))).toThrow("unusual");
  });

  it("keep the limit on recursion that was asked for", () => {
    const options = { recursionLimit: 1 };
    const deep = '{"plain":{"plain":{}}}';
    const expected = outcome(() => fromJsonString(PlainSchema, deep, options));
    expect(outcome(() => readSent(PlainSchema, options, deep))).toBe(expected);
  });
});
