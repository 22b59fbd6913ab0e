// The options of grpc-gateway's protoc-gen-openapiv2, as bytes in a descriptor that has no schema for them.
import { createFileRegistry, type DescService, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { documentOf, operationOf, schemaOf } from "./describe.js";

type Value = string | number | { readonly double: number } | Message;
/** A message by field numbers, in the order of its entries. */
type Message = readonly (readonly [number, Value])[];

function bytesOf(message: Message): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of message) {
    if (typeof value === "number") writer.tag(number, WireType.Varint).int32(value);
    else if ("double" in Object(value)) writer.tag(number, WireType.Bit64).double((value as { double: number }).double);
    else if (typeof value === "string") writer.tag(number, WireType.LengthDelimited).string(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(bytesOf(value as Message));
  }
  return writer.finish();
}

const unknown = (option: Message) => [
  { no: 1042, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(bytesOf(option)).finish() },
];

const entry = (name: string, value: Value): Message => [
  [1, name],
  [2, value],
];

interface Options {
  file?: Message;
  service?: Message;
  method?: Message;
  /** Of the message of the requests, and of its fields by name. */
  message?: Message;
  fields?: Readonly<Record<string, Message>>;
}

const fieldTypes = { name: "TYPE_STRING", pages: "TYPE_INT32", price: "TYPE_DOUBLE", size: "TYPE_INT64" };

/** A service whose two methods have routes, with options. */
function serviceWith({ file, service, method, message, fields = {} }: Options): DescService {
  const name = "books.v1.Book";
  const methods = ["Get", "Put"].map((methodName) => ({
    name: methodName,
    inputType: name,
    outputType: name,
    options: {},
  }));
  const json: JsonValue = {
    file: [
      {
        name: "books.proto",
        package: "books.v1",
        syntax: "proto3",
        options: {},
        messageType: [
          {
            name: "Book",
            options: {},
            field: [
              ...Object.entries(fieldTypes).map(([field, type], index) => ({
                ...{ name: field, jsonName: field, type, number: index + 1, label: "LABEL_OPTIONAL", options: {} },
              })),
              {
                name: "words",
                jsonName: "words",
                type: "TYPE_STRING",
                number: 9,
                label: "LABEL_REPEATED",
                options: {},
              },
            ],
          },
        ],
        service: [{ name: "Books", options: {}, method: methods }],
      },
    ],
  };
  const [proto] = fromJson(FileDescriptorSetSchema, json).file as [FileDescriptorProto];
  const [own] = proto.service;
  if (file !== undefined && proto.options) proto.options.$unknown = unknown(file);
  if (service !== undefined && own?.options) own.options.$unknown = unknown(service);
  const options = own?.method[0]?.options;
  if (method !== undefined && options) options.$unknown = unknown(method);
  const [book] = proto.messageType;
  if (message !== undefined && book?.options) book.options.$unknown = unknown(message);
  for (const field of book?.field ?? []) {
    const own = fields[field.name];
    if (own !== undefined && field.options) field.options.$unknown = unknown(own);
  }
  const found = createFileRegistry(proto, () => undefined).getService("books.v1.Books");
  if (found === undefined) throw new Error("no service");
  return found;
}

const httpRules = {
  rules: [
    { selector: "books.v1.Books.Get", get: "/v1/books", additional_bindings: [{ get: "/v1/volumes" }] },
    { selector: "books.v1.Books.Put", put: "/v1/books" },
  ],
};

const document = (options: Options, docs = {}) => documentOf([serviceWith(options)], { httpRules, docs });

const api: Message = [
  [
    2,
    [
      [1, "Books"],
      [2, "All books."],
      [3, "https://x/terms"],
      [4, [[3, "a@x"]]],
      [5, entry("MIT", "https://x/license")],
      [6, "2.1"],
    ],
  ],
  [
    11,
    [
      [1, entry("basic", [[1, 1]])],
      [
        1,
        entry("key", [
          [1, 2],
          [2, "A key."],
          [3, "X-Key"],
          [4, 2],
        ]),
      ],
      [
        1,
        entry("sign-in", [
          [1, 3],
          [5, 4],
          [6, "https://x/a"],
          [7, "https://x/t"],
          [8, [[1, entry("r", "read")]]],
        ]),
      ],
      [1, entry("later", [[1, 9]])],
    ],
  ],
  [
    12,
    [
      [1, entry("key", [])],
      [1, entry("basic", [])],
    ],
  ],
  [
    13,
    [
      [1, "more"],
      [2, "More."],
      [3, [[2, "https://x/more"]]],
    ],
  ],
  [14, entry("Manual", "https://x/docs")],
];

describe("options of a file", () => {
  test("are title, texts, security and tags of the document", () => {
    const { info, security, components, tags, externalDocs } = document({ file: api });
    expect(info).toEqual({
      title: "Books",
      description: "All books.",
      termsOfService: "https://x/terms",
      contact: { email: "a@x" },
      license: { name: "MIT", url: "https://x/license" },
      version: "2.1",
    });
    expect(components.securitySchemes).toEqual({
      basic: { type: "http", scheme: "basic" },
      key: { type: "apiKey", name: "X-Key", in: "header", description: "A key." },
      "sign-in": {
        type: "oauth2",
        flows: {
          authorizationCode: { authorizationUrl: "https://x/a", tokenUrl: "https://x/t", scopes: { r: "read" } },
        },
      },
    });
    expect(security).toEqual([{ key: [], basic: [] }]);
    expect(tags[0]).toEqual({ name: "more", description: "More.", externalDocs: { url: "https://x/more" } });
    expect(externalDocs).toEqual({ description: "Manual", url: "https://x/docs" });
  });

  test("give way to options of the server", () => {
    const docs = {
      title: "T",
      version: "3",
      security: [],
      license: { name: "L" },
      securitySchemes: { key: { type: "x" } },
    };
    const { info, security, components } = document({ file: api }, docs);
    expect(info).toMatchObject({ title: "T", version: "3", description: "All books.", license: { name: "L" } });
    expect([security, components.securitySchemes?.key]).toEqual([[], { type: "x" }]);
  });
});

test("the option of a service is the tag of its routes", () => {
  const own = document({
    service: [
      [1, "Shelf"],
      [2, "The shelf."],
    ],
  });
  expect(own.tags.map(({ name }) => name)).toEqual(["Shelf", "Books (Connect)"]);
  expect(own.tags[0]?.description).toMatch(/^The shelf\./);
  expect(operationOf(own, "get /v1/books").tags).toEqual(["Shelf"]);
});

test("the option of a method is its id, texts, tags, mark and security", () => {
  const own = document({
    method: [
      [1, "more"],
      [2, "Gets."],
      [3, "At length."],
      [4, [[2, "https://x/get"]]],
      [5, "getBook"],
      [11, 1],
      [
        12,
        [
          [
            1,
            entry("sign-in", [
              [1, "r"],
              [1, "w"],
            ]),
          ],
        ],
      ],
    ],
  });
  const texts = { summary: "Gets.", description: "At length.", deprecated: true };
  const operation = operationOf(own, "get /v1/books");
  expect(operation).toMatchObject({ operationId: "getBook", tags: ["more"], ...texts });
  expect([operation.security, operation.externalDocs]).toEqual([[{ "sign-in": ["r", "w"] }], { url: "https://x/get" }]);
  expect(operationOf(own, "get /v1/volumes").operationId).toBe("getBook_2");
  expect(operationOf(own, "post /books.v1.Books/Get")).toMatchObject({ operationId: "getBook_Connect", ...texts });
  expect(operationOf(own, "put /v1/books")).toMatchObject({ operationId: "Books_Put", summary: "Put" });
  expect(operationOf(own, "put /v1/books").security).toBeUndefined();
});

describe("responses in options", () => {
  const responses = (number: number, ...entries: [string, Message][]): Message =>
    entries.map(([status, response]) => [number, entry(status, response)]);
  const own = document({
    file: responses(
      10,
      ["403", [[1, "Not yours: shelves/*/b."]]],
      ["404", [[1, "No book."]]],
      ["x", [[1, "No status."]]],
    ),
    method: responses(
      9,
      [
        "200",
        [
          [1, "Found."],
          [4, entry("application/json", '{"name":"a"}')],
          [4, entry("text/plain", "a")],
        ],
      ],
      [
        "201",
        [
          [1, "Made."],
          [
            3,
            entry("Location", [
              [1, "Where."],
              [2, "string"],
              [3, "uri"],
              [13, "^/"],
            ]),
          ],
        ],
      ],
      ["204", [[1, "Gone."]]],
      ["404", [[1, "No such book."]]],
    ),
  });
  const { responses: found } = operationOf(own, "get /v1/books");
  const book = { schema: { $ref: "#/components/schemas/books.v1.Book" } };
  const error = { "application/json": { schema: { $ref: "#/components/schemas/rest-error" } } };

  test("have descriptions, headers and examples, and the content that is sent", () => {
    expect(found).toMatchObject({
      200: { description: "Found.", content: { "application/json": { ...book, example: { name: "a" } } } },
      201: {
        description: "Made.",
        headers: { Location: { description: "Where.", schema: { type: "string", format: "uri", pattern: "^/" } } },
        content: { "application/json": book },
      },
      403: { description: "Not yours: shelves/{shelf}/b.", content: error },
      404: { description: "No such book.", content: error },
      default: { content: error },
    });
    expect(found[204]).toEqual({ description: "Gone." });
    expect(Object.keys(found).sort()).toEqual(["200", "201", "204", "400", "403", "404", "default"]);
  });

  test("of the file are those of all routes, and not of Connect", () => {
    expect(operationOf(own, "put /v1/books").responses[404]).toEqual({ description: "No book.", content: error });
    expect(operationOf(own, "post /books.v1.Books/Get").responses[403]).toBeUndefined();
  });
});

describe("options of messages and fields", () => {
  const own = document({
    message: [
      [
        1,
        [
          [5, "A book"],
          [6, "What shelves hold."],
          [25, 1],
          [26, "name"],
        ],
      ],
      [5, [[2, "https://x/book"]]],
      [6, '{"name":"b"}'],
    ],
    fields: {
      name: [
        [5, "Name"],
        [6, "Its name, shelves/*/books/*."],
        [7, "none"],
        [9, '"b"'],
        [15, 9],
        [16, 1],
        [17, "^b"],
      ],
      pages: [
        [9, "7"],
        [10, { double: 7 }],
        [11, { double: 70 }],
        [13, { double: 0.5 }],
        [14, 1],
        [15, 9],
        [26, "pages"],
      ],
      price: [
        [8, 1],
        [9, "a lot"],
        [11, { double: 9.5 }],
        [12, 1],
      ],
      size: [
        [9, "12"],
        [11, { double: 3 }],
      ],
      words: [
        [9, '["a"]'],
        [20, 3],
        [21, 1],
        [22, 1],
        [36, "word"],
      ],
    },
  });

  test("are texts, examples and limits of schemas", () => {
    const { properties, ...schema } = schemaOf(own, "books.v1.Book-input");
    expect(schema).toEqual({
      ...{ type: "object", title: "A book", description: "What shelves hold.", minProperties: 1 },
      ...{ required: ["name", "pages"], externalDocs: { url: "https://x/book" }, example: { name: "b" } },
    });
    expect(properties).toEqual({
      name: {
        ...{ type: "string", title: "Name", description: "Its name, shelves/{shelf}/books/{book}." },
        ...{ default: "none", example: "b", maxLength: 9, minLength: 1, pattern: "^b" },
      },
      pages: {
        ...{ type: "integer", format: "int32", example: 7, multipleOf: 7, maximum: 70 },
        ...{ minimum: -(2 ** 31), exclusiveMinimum: 0.5 },
      },
      price: { type: "number", format: "double", readOnly: true, exclusiveMaximum: 9.5 },
      size: { type: "string", format: "int64", example: "12" },
      words: { type: "array", items: { type: "string" }, example: ["a"], maxItems: 3, minItems: 1, uniqueItems: true },
    });
    expect(schemaOf(own, "books.v1.Book").required).toBeUndefined();
  });

  test("are those of parameters", () => {
    const { parameters = [] } = operationOf(own, "get /v1/books");
    expect(parameters[0]).toEqual({
      ...{ name: "name", in: "query", required: true, description: "Its name, shelves/{shelf}/books/{book}." },
      schema: {
        ...{ type: "string", title: "Name", default: "none", example: "b" },
        ...{ maxLength: 9, minLength: 1, pattern: "^b" },
      },
    });
  });
});

test("an extension with the same number and another shape is ignored", () => {
  const service = serviceWith({});
  const { options } = service.proto;
  if (options) options.$unknown = [{ no: 1042, wireType: WireType.LengthDelimited, data: Uint8Array.of(2, 10, 200) }];
  expect(documentOf([service], { httpRules }).tags[0]?.name).toBe("Books (REST)");
});
