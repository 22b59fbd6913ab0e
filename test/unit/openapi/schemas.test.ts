import { createRegistry } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { Components } from "../../../server/openapi/components.js";
import { MessageSchemas } from "../../../server/openapi/message-schema.js";
import type { Operation, Parameter } from "../../../server/openapi/types.js";
import { runAtOnce } from "../../../server/slices.js";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
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
  it.each([
    ["doubleValue", { type: "number", format: "double" }],
    ["int32Value", { type: "integer", format: "int32", minimum: -2147483648, maximum: 2147483647 }],
    ["sfixed32Value", { type: "integer", format: "int32", minimum: -2147483648, maximum: 2147483647 }],
    ["uint32Value", { type: "integer", format: "uint32", minimum: 0, maximum: 4294967295 }],
    ["int64Value", { type: "string", format: "int64", example: "1" }],
    ["fixed64Value", { type: "string", format: "uint64", example: "1" }],
    ["textValue", { type: "string", format: "int64", example: "1" }],
    ["boolValue", { type: "boolean" }],
    ["stringValue", { type: "string" }],
    ["colorValue", ref("manywire.test.rest.v1.Color")],
    ["other name[1]", { type: "string" }],
  ])("is that of its JSON: %s", (name, schema) => {
    expect(bare(properties[name])).toEqual(schema);
  });

  it("of bytes is base64", () => {
    const bytes = { type: "string", format: "byte", contentEncoding: "base64", example: "aGVsbG8=" };
    expect(bare(properties.bytesValue)).toEqual(bytes);
  });
});

describe("the schema of a well-known type", () => {
  const { properties } = named("WellKnown");
  it.each([
    ["timestamp", ref("google.protobuf.Timestamp")],
    ["duration", ref("google.protobuf.Duration")],
    ["fieldMask", ref("google.protobuf.FieldMask")],
    ["boolValue", { type: "boolean" }],
    ["uint64Value", { type: "string", format: "uint64", example: "1" }],
    ["nullValue", { type: "null" }],
  ])("is that of its JSON: %s", (name, schema) => {
    expect(bare(properties[name])).toEqual(schema);
  });

  it("is anything, an object or an array, for values of any JSON", () => {
    const schemas = ["Value", "Struct", "ListValue"].map((name) => bare(schemaOf(rest, `google.protobuf.${name}`)));
    expect(schemas).toEqual([
      { example: "value" },
      { type: "object", additionalProperties: true, example: { key: "value" } },
      { type: "array", items: {}, example: ["value"] },
    ]);
  });

  it("is an object with a type for an Any, which lists no types of a registry", () => {
    const registry = createRegistry(NodeSchema, DurationSchema);
    const document = documentOf([RestService], { rest: { registry }, jsonOptions: { registry } });
    expect(bare(schemaOf(document, "google.protobuf.Any"))).toEqual({
      type: "object",
      properties: { "@type": { type: "string" } },
      additionalProperties: true,
      example: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" },
    });
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

  it("has no two members of a oneof", () => {
    const { not } = named("Everything");
    const names = ["choiceText", "choiceNumber", "choiceNode", "choiceWrapped", "choiceMoment", "choiceColor"];
    const pairs = names.flatMap((name, index) => names.slice(index + 1).map((other) => [name, other]));
    expect(not).toEqual({ anyOf: pairs.map((required) => ({ required })) });
  });

  it("has no two members of each of several oneofs", () => {
    const { not } = schemaOf(documentOf([LibraryService]), "manywire.test.describe.v1.Book");
    expect(not).toEqual({ anyOf: [{ required: ["reader", "library"] }, { required: ["volumes", "leather"] }] });
  });

  it("has neither `oneOf` nor `anyOf` nor `allOf`, by which generators would lose its fields", () => {
    for (const document of [rest, documentOf([DepotService]), documentOf([LibraryService])]) {
      for (const [name, schema] of Object.entries(document.components.schemas ?? {})) {
        expect([name, Object.keys(schema as object).filter((key) => /Of$/.test(key))]).toEqual([name, []]);
      }
    }
  });

  it("keeps a property whose name JavaScript gives a meaning", () => {
    expect(Object.keys(named("Names").properties)).toEqual(["constructor", "toString", "__proto__", "$dollar", "a.b"]);
  });
});

describe("examples", () => {
  const depot = documentOf([DepotService]);

  it("of a message with oneofs have one member of each, and are simple", () => {
    expect(schemaOf(depot, "manywire.test.describe.v1.Item").example).toEqual({
      ...{ name: "text", weight: 1, sizes: [1], count: "1", checksum: "aGVsbG8=", state: "STATE_STORED" },
      ...{ parts: { "1": {} }, note: "text", limit: "1", createTime: "2024-02-29T12:00:00.500Z", ttl: "1.500s" },
      ...{ shown: "name", extra: { key: "value" }, barCode: "text", box: true },
      source: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" },
    });
  });

  it("have what is required, and not what the server sets", () => {
    const library = documentOf([LibraryService]);
    const { example } = schemaOf(library, "manywire.test.describe.v1.Book-input");
    expect(example).toMatchObject({ shelf: "text", title: "text", reader: "text" });
    expect(example).not.toHaveProperty("createTime");
  });

  it("of optional parameters in the query are absent, since Swagger UI would send them all", () => {
    const parameters = Object.values(rest.paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => ((operation as Operation).parameters ?? []) as Parameter[]),
    );
    const inQuery = parameters.filter((parameter) => parameter.in === "query" && parameter.required !== true);
    expect(inQuery.length).toBeGreaterThan(10);
    expect(JSON.stringify(inQuery)).not.toContain('"example"');
  });
});

describe("definitions", () => {
  it("can be elsewhere than among the components", () => {
    const components = new Components("#/$defs/");
    const form = { useProtoNames: false, enumsAsNumbers: false };
    const schemas = new MessageSchemas(form, components, new Map(), true);
    expect(schemas.message(NodeSchema)).toEqual({ $ref: "#/$defs/manywire.test.rest.v1.Node" });
    const made = runAtOnce(components.schemas())["manywire.test.rest.v1.Node"];
    expect(made).toMatchObject({ properties: { child: { $ref: "#/$defs/manywire.test.rest.v1.Node" } } });
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
