// Types that no proto of ours has: thousands of fields, and edition 2024. And what protobuf-es does with messages of ours.
import {
  clone,
  create,
  createFileRegistry,
  createRegistry,
  type DescField,
  type DescMessage,
  equals,
  fromBinary,
  fromJsonString,
  isMessage,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import {
  DurationSchema,
  Edition,
  FeatureSet_EnumType,
  FeatureSet_FieldPresence,
  FeatureSet_MessageEncoding,
  FeatureSet_RepeatedFieldEncoding,
  FeatureSet_Utf8Validation,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../server/codec/binary-read.js";
import { createStrictEncoder } from "../../../server/codec/binary-write.js";
import { createJsonDecoder } from "../../../server/codec/json-read.js";
import { createJsonEncoder } from "../../../server/codec/json-write.js";
import { MappedSchema, PlainSchema } from "../../gen/manywire/test/codec/v1/codec_pb.js";
import { LegacySchema } from "../../gen/manywire/test/codec/v1/legacy_pb.js";
import { ShapesSchema } from "../../gen/manywire/test/codec/v1/shapes_pb.js";
import { EditionSchema } from "../../gen/manywire/test/rest/v1/edition_pb.js";
import { NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { messageOf, withRequired } from "../../support/arbitrary-message.js";
import { expectSame } from "../../support/expect-same.js";
import { inFloats } from "../../support/json-floats.js";

const runs = { numRuns: Number(process.env.MANYWIRE_CODEC_RUNS ?? 20) };

/** The types of a random Any. */
const registry = createRegistry(NodeSchema, DurationSchema);

type FileInit = MessageInitShape<typeof FileDescriptorProtoSchema>;

/** The message type `test.Message` of a file. */
function typeIn(file: FileInit): DescMessage {
  const proto = create(FileDescriptorProtoSchema, { name: "test.proto", package: "test", ...file });
  // As protoc does.
  for (const field of proto.messageType.flatMap((type) => type.field)) field.jsonName = field.name.replace("_", "");
  const desc = createFileRegistry(proto, () => undefined).getMessage("test.Message");
  if (desc === undefined) throw new Error("expected test.Message");
  return desc;
}

const scalarTypes = [Type.STRING, Type.INT32, Type.INT64, Type.DOUBLE, Type.BOOL, Type.BYTES, Type.FIXED64];
const wide = typeIn({
  syntax: "proto3",
  messageType: [
    {
      name: "Message",
      field: Array.from({ length: 3000 }, (_, index) => ({
        name: `field_${index}`,
        number: index + 1,
        label: index % 5 === 0 ? Label.REPEATED : Label.OPTIONAL,
        type: scalarTypes[index % scalarTypes.length] as Type,
      })),
    },
  ],
});

const edition2024 = typeIn({
  syntax: "editions",
  edition: Edition.EDITION_2024,
  enumType: [
    {
      name: "Mood",
      value: [
        { name: "MOOD_UNSET", number: 0 },
        { name: "MOOD_GOOD", number: 1 },
      ],
    },
  ],
  messageType: [
    {
      name: "Message",
      field: [
        { name: "explicit", number: 1, type: Type.STRING },
        {
          name: "implicit",
          number: 2,
          type: Type.INT32,
          options: { features: { fieldPresence: FeatureSet_FieldPresence.IMPLICIT } },
        },
        {
          name: "required",
          number: 3,
          type: Type.INT64,
          options: { features: { fieldPresence: FeatureSet_FieldPresence.LEGACY_REQUIRED } },
        },
        {
          name: "delimited",
          number: 4,
          type: Type.MESSAGE,
          typeName: ".test.Message",
          options: { features: { messageEncoding: FeatureSet_MessageEncoding.DELIMITED } },
        },
        { name: "nested", number: 5, type: Type.MESSAGE, typeName: ".test.Message", label: Label.REPEATED },
        {
          name: "expanded",
          number: 6,
          type: Type.SINT32,
          label: Label.REPEATED,
          options: { features: { repeatedFieldEncoding: FeatureSet_RepeatedFieldEncoding.EXPANDED } },
        },
        { name: "packed", number: 7, type: Type.FIXED32, label: Label.REPEATED },
        { name: "mood", number: 8, type: Type.ENUM, typeName: ".test.Mood" },
        {
          name: "lenient",
          number: 9,
          type: Type.STRING,
          options: { features: { utf8Validation: FeatureSet_Utf8Validation.NONE } },
        },
        { name: "default", number: 10, type: Type.DOUBLE, defaultValue: "1.5" },
      ],
    },
  ],
  options: { features: { enumType: FeatureSet_EnumType.OPEN } },
});

const rare = [
  { name: "3,000 fields", desc: wide, numRuns: 3, isWanted: ({ number }: DescField) => number % 30 === 1 },
  { name: "edition 2024", desc: edition2024, numRuns: runs.numRuns, isWanted: () => true },
];
const ordinary = [PlainSchema, MappedSchema, ShapesSchema, LegacySchema, EditionSchema];
const all = [{ name: "edition 2024", desc: edition2024 }, ...ordinary.map((desc) => ({ name: desc.typeName, desc }))];
const ways = [true, false];

describe.each(ways.flatMap((compiles) => rare.map((type) => ({ compiles, ...type }))))(
  "a type of $name, compiled: $compiles",
  ({ desc, compiles, numRuns, isWanted }) => {
    const messages = messageOf(desc, isWanted, 3).map((message) => withRequired(desc, message));

    test("is written and read as protobuf-es does it, in binary and JSON", () => {
      const write = createStrictEncoder(desc, { compiles });
      const read = createDecoder(desc, {}, compiles);
      const writeJson = createJsonEncoder(desc, { registry, compiles });
      const readJson = createJsonDecoder(desc, { registry, compiles });
      const property = fc.property(messages, (message) => {
        const bytes = toBinary(desc, message);
        expect(write(message, 0).equals(bytes)).toBe(true);
        expectSame(read(bytes), fromBinary(desc, bytes));
        const json = toJsonString(desc, message, { registry });
        expect(inFloats(writeJson(message))).toBe(inFloats(json));
        expectSame(readJson(Buffer.from(json)), fromJsonString(desc, json, { registry }));
      });
      fc.assert(property, { numRuns, endOnFailure: true });
    });
  },
);

describe.each(ways.flatMap((compiles) => all.map((type) => ({ compiles, ...type }))))(
  "to protobuf-es, a message that was read is one of its own: $name, compiled: $compiles",
  ({ desc, compiles }) => {
    test("isMessage, equals, clone, toBinary, toJson", () => {
      const messages = messageOf(desc, undefined, 2).map((message) => withRequired(desc, message));
      const readBinary = createDecoder(desc, {}, compiles);
      const readJson = createJsonDecoder(desc, { registry, compiles });
      const property = fc.property(messages, (message) => {
        const bytes = toBinary(desc, message);
        const json = toJsonString(desc, message, { registry });
        const expected = [fromBinary(desc, bytes), fromJsonString(desc, json, { registry })] as const;
        [readBinary(bytes), readJson(Buffer.from(json))].forEach((found, index) => {
          const own = expected[index as 0 | 1];
          expect(isMessage(found, desc)).toBe(true);
          expect(equals(desc, found, own)).toBe(equals(desc, clone(desc, own), own));
          expectSame(clone(desc, found), clone(desc, own));
          expect(toBinary(desc, found)).toEqual(toBinary(desc, own));
          expect(toJsonString(desc, found, { registry })).toBe(toJsonString(desc, own, { registry }));
        });
      });
      fc.assert(property, runs);
    });
  },
);
