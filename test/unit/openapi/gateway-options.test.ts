// The options of grpc-gateway's protoc-gen-openapiv2, as bytes in a descriptor that has no schema for them.
import { createFileRegistry, type DescService, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorSetSchema, file_google_protobuf_empty } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { documentOf, operationOf } from "./describe.js";

type Value = string | number | Message;
/** A message by field numbers, in the order of its entries. */
type Message = readonly (readonly [number, Value])[];

function bytesOf(message: Message): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of message) {
    if (typeof value === "number") writer.tag(number, WireType.Varint).int32(value);
    else if (typeof value === "string") writer.tag(number, WireType.LengthDelimited).string(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(bytesOf(value));
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
}

/** A service whose two methods have routes, with options. */
function serviceWith({ file, service, method }: Options): DescService {
  const name = "google.protobuf.Empty";
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
        dependency: ["google/protobuf/empty.proto"],
        options: {},
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
  const found = createFileRegistry(proto, () => file_google_protobuf_empty.proto).getService("books.v1.Books");
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

test("an extension with the same number and another shape is ignored", () => {
  const service = serviceWith({});
  const { options } = service.proto;
  if (options) options.$unknown = [{ no: 1042, wireType: WireType.LengthDelimited, data: Uint8Array.of(2, 10, 200) }];
  expect(documentOf([service], { httpRules }).tags[0]?.name).toBe("Books (REST)");
});
