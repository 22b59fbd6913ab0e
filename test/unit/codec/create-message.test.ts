import { create, type DescMessage } from "@bufbuild/protobuf";
import { StructSchema, TimestampSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HelloRequestSchema } from "../../../gen/hello_world_pb.js";
import { messageMaker } from "../../../server/codec/create-message.js";
import { MappedSchema, PlainSchema } from "../../gen/manywire/test/codec/v1/codec_pb.js";
import { LegacySchema } from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { ShapesSchema } from "../../gen/manywire/test/codec/v1/shapes_pb.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import { EverythingSchema, NamesSchema, ScalarsSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { messageOf } from "../../support/arbitrary-message.js";
import { expectSame, outcome } from "../../support/expect-same.js";

const types: DescMessage[] = [
  ...[PlainSchema, MappedSchema, ShapesSchema, LegacySchema, EverythingSchema, EditionSchema, NamesSchema],
  ...[ScalarsSchema, StructSchema, ValueSchema, TimestampSchema, HelloRequestSchema],
];

describe.each(types)("a message of type $typeName", (desc) => {
  const make = messageMaker(desc);

  it("is made of its fields as protobuf-es makes it", () => {
    const property = fc.property(messageOf(desc, undefined, 2), ({ $typeName: _, ...init }) => {
      expectSame(make(init), create(desc, init));
    });
    fc.assert(property, { numRuns: 30 });
  });

  it("is returned as it is", () => {
    const message = create(desc);
    expect(make(message)).toBe(message);
  });

  it("shares no list, map or oneof with another", () => {
    const [first, second] = [make({}), make({})].map((message) => Object.values(message));
    const isMutable = (value: unknown) => typeof value === "object" && !(value instanceof Uint8Array);
    for (const [index, value] of (first ?? []).entries()) {
      if (isMutable(value)) expect(value).not.toBe(second?.[index]);
    }
  });
});

describe("a value", () => {
  class Answer {
    readonly text = "a";
    get flag() {
      return true;
    }
  }
  const values: [title: string, value: object][] = [
    ["with fields of null and undefined", { text: null, number: undefined, choice: null, node: undefined }],
    ["with unknown properties", { text: "a", more: 1, $unknown: [] }],
    ["of a class", new Answer()],
    ["with bytes as an array of numbers", { data: [1, 2, 3] }],
    ["with messages as their fields", { node: { text: "a" }, nodes: [{ text: "b" }], labels: { c: { text: "c" } } }],
    ["with a oneof", { choice: { case: "choiceNode", value: { text: "a" } } }],
    ["with a wrapper and a Struct", { wrapped: 1n, object: { a: 1 } }],
    ["with a value that does not fit", { text: 1, words: "a" }],
    ["that is a message of another type", create(HelloRequestSchema, { name: "a" })],
    ["that is null", null as unknown as object],
    ["that is undefined", undefined as unknown as object],
    ["that is text", "text" as unknown as object],
  ];
  const make = messageMaker(EverythingSchema);

  it.each(values)("%s becomes what protobuf-es makes of it", (_, value) => {
    expectSame(
      outcome(() => make(value)),
      outcome(() => create(EverythingSchema, value)),
    );
  });
});
