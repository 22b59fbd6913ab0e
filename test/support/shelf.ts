// Three proto files with one of each thing that has a name or extends something, for tests of what finds them by name.
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

const shelf = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "shelf/shelf.proto",
        package: "shelf",
        syntax: "proto2",
        messageType: [
          {
            name: "Book",
            field: [
              { name: "title", number: 1, type: Type.STRING, label: Label.OPTIONAL, oneofIndex: 0 },
              { name: "tags", number: 2, type: Type.MESSAGE, label: Label.REPEATED, typeName: ".shelf.Book.TagsEntry" },
            ],
            oneofDecl: [{ name: "name" }],
            extensionRange: [{ start: 100, end: 200 }],
            nestedType: [
              {
                name: "TagsEntry",
                field: [
                  { name: "key", number: 1, type: Type.STRING, label: Label.OPTIONAL },
                  { name: "value", number: 2, type: Type.STRING, label: Label.OPTIONAL },
                ],
                options: { mapEntry: true },
              },
              {
                name: "Page",
                field: [{ name: "number", number: 1, type: Type.INT32, label: Label.OPTIONAL }],
                enumType: [{ name: "Side", value: [{ name: "LEFT", number: 0 }] }],
              },
            ],
          },
        ],
        enumType: [{ name: "Order", value: [{ name: "BY_TITLE", number: 0 }] }],
        extension: [extension("colour", 101)],
        service: [
          { name: "Shelf", method: [{ name: "Lend", inputType: ".shelf.Book", outputType: ".shelf.Book.Page" }] },
          { name: "Empty" },
        ],
      },
      {
        name: "shelf/more.proto",
        package: "shelf.more",
        syntax: "proto2",
        dependency: ["shelf/shelf.proto"],
        messageType: [{ name: "Ribbon", extension: [extension("ribbon", 100)] }],
        extension: [extension("weight", 199)],
        service: [{ name: "Loans", method: [{ name: "Lend", inputType: ".shelf.Book", outputType: ".shelf.Book" }] }],
      },
      {
        name: "bare.proto",
        syntax: "proto3",
        messageType: [
          {
            name: "Bare",
            field: [
              {
                name: "skin",
                number: 1,
                type: Type.STRING,
                label: Label.OPTIONAL,
                oneofIndex: 0,
                proto3Optional: true,
              },
            ],
            oneofDecl: [{ name: "_skin" }],
          },
        ],
        enumType: [{ name: "Kind", value: [{ name: "NONE", number: 0 }] }],
        service: [{ name: "BareService", method: [{ name: "Do", inputType: ".Bare", outputType: ".Bare" }] }],
      },
    ],
  }),
);

function extension(name: string, number: number) {
  return { name, number, type: Type.STRING, label: Label.OPTIONAL, extendee: ".shelf.Book" };
}

/** The service of that full name in the fixture. */
export function serviceOf(name: string): DescService {
  const service = shelf.getService(name);
  if (service === undefined) throw new Error(`the fixture has no ${name}`);
  return service;
}
