// The JSON of browsers, where it could differ from our own codec.
import { create, type Message, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { browserJson } from "../../../client/browser/json.js";
import { ownJson } from "../../../server/codec/json.js";
import { EverythingSchema, ScalarsSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";

const codecs = [
  ["our own codec", ownJson],
  ["that of browsers", browserJson],
] as const;

describe.each(codecs)("%s", (_, codec) => {
  const decode = (desc: typeof EverythingSchema | typeof ScalarsSchema, text: string) =>
    codec.createDecoder(desc, {})(new TextEncoder().encode(text)) as Message & Record<string, unknown>;

  test.each([
    ["9223372036854775807", 9223372036854775807n],
    ["-9223372036854775808", -9223372036854775808n],
    ['"9223372036854775807"', 9223372036854775807n],
    ["12", 12n],
  ])("reads all digits of %s", (json, value) => {
    const { int64Value, stringValue } = decode(
      ScalarsSchema,
      `{"stringValue":"\\" 12345678901234567890","int64Value":${json}}`,
    );
    expect([int64Value, stringValue]).toEqual([value, '" 12345678901234567890']);
  });

  test("reads numbers that have many digits and are no integers", () => {
    const { doubleValue } = decode(ScalarsSchema, '{"doubleValue":-0.12345678901234567890e-12}');
    expect(doubleValue).toBe(Number("-0.12345678901234567890e-12"));
  });

  test("keeps numbers in a Struct numbers", () => {
    const { object } = decode(EverythingSchema, '{"object":{"id":12345678901234567890}}');
    expect(object).toEqual({ id: Number("12345678901234567890") });
  });

  test("keeps the sign of zero", () => {
    const write = codec.createEncoder(ScalarsSchema, {});
    expect(write(create(ScalarsSchema, { doubleValue: -0, stringValue: "-0" }))).toBe(
      '{"doubleValue":-0,"stringValue":"-0"}',
    );
  });

  test.each(["{", '{"int64Value":1.5}', '{"unknown":1}', "\xff"])("refuses %j", (text) => {
    const bytes = Buffer.from(text, "latin1");
    expect(() => codec.createDecoder(ScalarsSchema, {})(bytes)).toThrow(Error);
  });

  test("leaves fields out, at any depth", () => {
    const { field } = EverythingSchema;
    const node = field.node.message;
    const name = node?.fields.find(({ localName }) => localName === "text");
    if (name === undefined) throw new Error("there is no node.text");
    const write = codec.createEncoder(EverythingSchema, {}, [[field.text], [field.node, name]]);
    const message = create(EverythingSchema, { text: "a", words: ["b"], node: { text: "c" } });
    const before = toBinary(EverythingSchema, message);
    expect(JSON.parse(write(message))).toEqual({ words: ["b"], node: {} });
    expect(toBinary(EverythingSchema, message)).toEqual(before);
  });
});
