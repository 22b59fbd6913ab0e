import { createRegistry } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { LibraryService } from "../../gen/manywire/test/describe/v1/library_pb.js";
import { NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { documentOf, schemaOf } from "./describe.js";

const rest = documentOf([RestService]);
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const named = (name: string) => schemaOf(rest, `manywire.test.rest.v1.${name}`);
/** A schema without its comment. */
const bare = ({ description: _, ...schema }: Record<string, unknown> = {}) => schema;

describe("the schema of a scalar", () => {
  const { properties } = named("Scalars");
  const notFinite = { type: "string", enum: ["NaN", "Infinity", "-Infinity"] };
  it.each([
    ["doubleValue", { anyOf: [{ type: "number", format: "double" }, notFinite] }],
    ["int32Value", { type: "integer", format: "int32", minimum: -2147483648, maximum: 2147483647 }],
    ["sfixed32Value", { type: "integer", format: "int32", minimum: -2147483648, maximum: 2147483647 }],
    ["uint32Value", { type: "integer", format: "uint32", minimum: 0, maximum: 4294967295 }],
    ["int64Value", { type: "string", format: "int64", pattern: "^-?[0-9]{1,19}$" }],
    ["fixed64Value", { type: "string", format: "uint64", pattern: "^[0-9]{1,20}$" }],
    ["textValue", { type: "string", format: "int64", pattern: "^-?[0-9]{1,19}$" }],
    ["boolValue", { type: "boolean" }],
    ["stringValue", { type: "string" }],
    ["colorValue", ref("manywire.test.rest.v1.Color")],
    ["other name[1]", { type: "string" }],
  ])("is that of its JSON: %s", (name, schema) => {
    expect(bare(properties[name])).toEqual(schema);
  });

  it("of bytes takes base64 with its padding", () => {
    const { format, contentEncoding, pattern } = properties.bytesValue as Record<string, string>;
    expect([format, contentEncoding]).toEqual(["byte", "base64"]);
    const isMatch = (text: string) => new RegExp(pattern as string, "u").test(text);
    expect(["", "AA==", "AAA=", "A+/A"].map(isMatch)).toEqual([true, true, true, true]);
    expect(["A", "AA", "A-_A", "A===", "AA==AA=="].map(isMatch)).toEqual([false, false, false, false, false]);
  });
});

describe("the schema of a well-known type", () => {
  const { properties } = named("WellKnown");
  it.each([
    ["timestamp", ref("google.protobuf.Timestamp")],
    ["duration", ref("google.protobuf.Duration")],
    ["fieldMask", ref("google.protobuf.FieldMask")],
    ["boolValue", { type: "boolean" }],
    ["uint64Value", { type: "string", format: "uint64", pattern: "^[0-9]{1,20}$" }],
    ["nullValue", { type: "null" }],
  ])("is that of its JSON: %s", (name, schema) => {
    expect(bare(properties[name])).toEqual(schema);
  });

  it("is anything, an object or an array, for values of any JSON", () => {
    const schemas = ["Value", "Struct", "ListValue"].map((name) => bare(schemaOf(rest, `google.protobuf.${name}`)));
    expect(schemas).toEqual([{}, { type: "object", additionalProperties: true }, { type: "array", items: {} }]);
  });

  const anyMessage = { type: "object", properties: { "@type": { type: "string" } }, additionalProperties: true };

  it("is an object with a type, for an Any", () => {
    expect(bare(schemaOf(rest, "google.protobuf.Any"))).toEqual(anyMessage);
  });

  it("lists the types of a registry, for an Any", () => {
    const document = documentOf([RestService], { rest: { registry: createRegistry(NodeSchema, DurationSchema) } });
    const type = (name: string) => ({ "@type": { const: `type.googleapis.com/${name}` } });
    expect(schemaOf(document, "google.protobuf.Any").anyOf).toEqual([
      {
        allOf: [
          ref("manywire.test.rest.v1.Node"),
          { type: "object", properties: type("manywire.test.rest.v1.Node"), required: ["@type"] },
        ],
      },
      {
        type: "object",
        properties: { ...type("google.protobuf.Duration"), value: ref("google.protobuf.Duration") },
        required: ["@type", "value"],
      },
      anyMessage,
    ]);
  });
});

describe("the schema of a message", () => {
  it("has its comment, and those of its fields", () => {
    const { description, properties } = named("Node");
    expect([description, properties.text]).toEqual(["A tree.", { type: "string", description: "A text." }]);
  });

  it("refers to itself where it contains itself", () => {
    expect(bare(named("Node").properties.child)).toEqual(ref("manywire.test.rest.v1.Node"));
  });

  it("has maps by the text of their keys", () => {
    const { texts, numbers, branches } = named("Trees").properties;
    expect([texts, numbers, branches].map((schema) => bare(schema))).toMatchObject([
      { type: "object", additionalProperties: { type: "string" } },
      { type: "object", additionalProperties: { format: "int64" }, propertyNames: { pattern: "^-?[0-9]+$" } },
      { additionalProperties: ref("manywire.test.rest.v1.Node"), propertyNames: { enum: ["true", "false"] } },
    ]);
    expect(texts).not.toHaveProperty("propertyNames");
  });

  it("has at most one member of a oneof", () => {
    const { oneOf } = named("Everything") as unknown as { oneOf: { title: string; required?: string[] }[] };
    expect(oneOf.map(({ title, required }) => required ?? title)).toEqual([
      ...[["choiceText"], ["choiceNumber"], ["choiceNode"], ["choiceWrapped"], ["choiceMoment"], ["choiceColor"]],
      "no choice",
    ]);
    expect(oneOf.at(-1)).toMatchObject({ properties: { choiceText: { not: {} }, choiceColor: { not: {} } } });
  });

  it("has at most one member of each of several oneofs", () => {
    const { allOf } = schemaOf(documentOf([LibraryService]), "manywire.test.describe.v1.Book");
    expect(allOf).toMatchObject([
      { oneOf: [{ title: "reader" }, { title: "library" }, { title: "no holder" }] },
      { oneOf: [{ title: "volumes" }, { title: "leather" }, { title: "no binding" }] },
    ]);
  });

  it("keeps a property whose name JavaScript gives a meaning", () => {
    expect(Object.keys(named("Names").properties)).toEqual(["constructor", "toString", "__proto__", "$dollar", "a.b"]);
  });
});

describe("the schema of an enumeration", () => {
  it("has its names, and says what they mean", () => {
    expect(named("Color")).toEqual({
      type: "string",
      enum: ["COLOR_UNSPECIFIED", "COLOR_RED", "COLOR_GREEN"],
      description:
        "An open enumeration.\n\n- `COLOR_UNSPECIFIED`: No colour.\n- `COLOR_RED`: Red.\n- `COLOR_GREEN`: Green.",
    });
  });
});

describe("what a request must have", () => {
  const library = documentOf([LibraryService]);
  const book = "manywire.test.describe.v1.Book";

  it("is said of requests, and not of replies, which leave out what is empty", () => {
    expect(schemaOf(library, book)).not.toHaveProperty("required");
    expect(schemaOf(library, `${book}-input`).required).toEqual(["shelf", "title"]);
    expect(bare(schemaOf(library, `${book}-input`).properties.sequels)).toMatchObject({ items: ref(`${book}-input`) });
  });

  it("is not said of types that are the same both ways", () => {
    const types = Object.keys(library.components.schemas ?? {});
    const sent = types.filter((name) => name.endsWith("-input"));
    const prefix = "manywire.test.describe.v1.";
    const expected = ["Book", "CreateBookRequest", "GetBookRequest", "ListBooksRequest", "ListBooksRequest.Filter"];
    expect(sent).toEqual(expected.map((name) => `${prefix}${name}-input`));
  });

  it("stands beside what only goes one way", () => {
    const { createTime, key } = schemaOf(library, book).properties;
    expect([createTime, key]).toMatchObject([{ readOnly: true }, { writeOnly: true }]);
  });
});

describe("another form of JSON", () => {
  it("has schemas of its own, beside those of Connect", () => {
    const document = documentOf([RestService], { rest: { useProtoNames: true, enumsAsNumbers: true } });
    const { properties } = schemaOf(document, "manywire.test.rest.v1.Scalars-proto-names-numbers");
    expect(properties.color_value).toMatchObject(ref("manywire.test.rest.v1.Color-numbers"));
    expect(bare(schemaOf(document, "manywire.test.rest.v1.Color-numbers"))).toEqual({
      type: "integer",
      enum: [0, 1, 2],
    });
    expect(schemaOf(document, "manywire.test.rest.v1.Scalars").properties).toHaveProperty("colorValue");
  });
});
