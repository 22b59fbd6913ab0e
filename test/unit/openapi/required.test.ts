import { create, createFileRegistry, type DescMessage, fromJson, setExtension } from "@bufbuild/protobuf";
import { FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { FieldBehavior, field_behavior } from "../../../gen/google/api/field_behavior_pb.js";
import { isRequired, isStricter } from "../../../server/openapi/required.js";
import { FormSchema } from "../../gen/manywire/test/limits/v1/form_pb.js";

/** Messages by name, with the messages that their fields have; a `!` is a text that a request must have. */
function messagesOf(shapes: Record<string, readonly string[]>): (name: string) => DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, field_behavior, [FieldBehavior.REQUIRED]);
  const messageType = Object.entries(shapes).map(([name, parts]) => ({
    name,
    field: parts.map((part, index) => ({
      ...{ name: `f${index}`, jsonName: `f${index}`, number: index + 1, label: "LABEL_OPTIONAL" },
      ...(part === "!" ? { type: "TYPE_STRING" } : { type: "TYPE_MESSAGE", typeName: `.r.${part}` }),
    })),
  }));
  const file = fromJson(FileDescriptorProtoSchema, { name: "r.proto", package: "r", syntax: "proto3", messageType });
  for (const field of file.messageType.flatMap((message) => message.field)) {
    if (field.typeName === "") field.options = options;
  }
  const registry = createFileRegistry(file, () => undefined);
  return (name) => registry.getMessage(`r.${name}`) as DescMessage;
}

const shapes = {
  Own: ["!"],
  Within: ["Deeper"],
  Deeper: ["Plain", "Own"],
  Plain: ["Empty"],
  Empty: [],
  Round: ["About", "Own"],
  About: ["Round"],
  Itself: ["Itself"],
};
const stricter = ["Own", "Within", "Deeper", "Round", "About"];

it("proto2's required fields are required", () => {
  const required = FormSchema.fields.filter(isRequired);
  expect(required.map(({ name }) => name)).toEqual(["name"]);
});

describe("a message that a request must have more of", () => {
  const names = Object.keys(shapes);
  it.each([
    ["in order", names],
    ["from behind", names.toReversed()],
  ])("is one with such a field, or with such a message anywhere within: asked %s", (_, order) => {
    const messages = messagesOf(shapes);
    const found = order.filter((name) => isStricter(messages(name)));
    expect(found.sort()).toEqual(stricter.toSorted());
  });
});
