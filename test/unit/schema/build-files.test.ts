import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, file_google_protobuf_any } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { buildFiles } from "../../../server/schema/build-files.js";
import { knownFiles } from "../../../server/schema/known-files.js";

const string = { type: 9, label: 1 } as const;

function file(name: string, init: MessageInitShape<typeof FileDescriptorProtoSchema> = {}): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, { name, package: "acme", syntax: "proto3", ...init });
}

/** A file with a service whose request and response are the message. */
function service(name: string, message: string, dependency: string[]): FileDescriptorProto {
  const method = [{ name: "Do", inputType: `.acme.${message}`, outputType: `.acme.${message}` }];
  return file(name, { dependency, service: [{ name: `${message}Service`, method }] });
}

const book = file("book.proto", {
  messageType: [{ name: "Book", field: [{ ...string, name: "short_title_2", number: 1 }] }],
});

test("JSON names are filled in as protoc does", () => {
  const { files } = buildFiles([book], knownFiles);
  expect(files.get("book.proto")?.messages[0]?.fields.map(({ jsonName }) => jsonName)).toEqual(["shortTitle2"]);
});

test("a missing import that nothing needs is left out, and said", () => {
  const lacking = file("lacking.proto", {
    ...book,
    $typeName: undefined,
    name: "lacking.proto",
    dependency: ["validate/rules.proto", "google/protobuf/any.proto", "book.proto"],
    publicDependency: [0, 2],
  } as never);
  const other = file("book.proto", { messageType: [{ name: "Other" }] });
  const { files, repairs, refused } = buildFiles([lacking, other], knownFiles);
  const built = files.get("lacking.proto");
  expect(built?.proto.dependency).toEqual(["google/protobuf/any.proto", "book.proto"]);
  expect(built?.proto.publicDependency).toEqual([1]);
  expect(repairs).toEqual(["lacking.proto: left out the import validate/rules.proto, which is not there"]);
  expect(refused).toEqual([]);
});

test("Google's files are ours where they are missing or placeholders", () => {
  const placeholder = file("google/api/annotations.proto", { package: "", syntax: "<unknown:0>" });
  const given = [book, service("a.proto", "Book", ["book.proto", "google/api/annotations.proto"]), placeholder];
  const { files, repairs } = buildFiles(given, knownFiles);
  expect(files.get("google/api/annotations.proto")).toBe(knownFiles.get("google/api/annotations.proto"));
  expect(files.get("a.proto")?.services[0]?.typeName).toBe("acme.BookService");
  expect(repairs).toEqual([]);
});

test("a file that cannot be built takes only its own services with it", () => {
  const given = [
    service("bad.proto", "Missing", ["book.proto"]),
    service("good.proto", "Book", ["book.proto"]),
    service("on-bad.proto", "Book", ["book.proto", "bad.proto"]),
    book,
  ];
  const { files, refused } = buildFiles(given, knownFiles);
  expect([...files.keys()].sort()).toEqual(["book.proto", "good.proto", "on-bad.proto"]);
  expect(refused).toEqual([
    { name: "bad.proto", services: ["acme.MissingService"], reason: expect.stringContaining("acme.Missing") },
  ]);
});

test("files that import each other, or too deeply, are refused, and end", () => {
  const circle = [
    service("a.proto", "A", ["b.proto"]),
    file("b.proto", { dependency: ["a.proto"], messageType: [{ name: "A" }] }),
  ];
  const chain = Array.from({ length: 5000 }, (_, index) =>
    file(`${index}.proto`, { dependency: [`${index + 1}.proto`], messageType: [{ name: `M${index}` }] }),
  );
  expect(buildFiles(circle, knownFiles).files.has("b.proto")).toBe(true);
  expect(buildFiles(chain, knownFiles).refused.length).toBeGreaterThan(0);
});

test("the well-known types are ours, whatever a server has", () => {
  const strange = file("google/protobuf/any.proto", { package: "google.protobuf", messageType: [{ name: "Any" }] });
  const { files } = buildFiles([strange, book], knownFiles);
  expect(files.get("google/protobuf/any.proto")).toBe(file_google_protobuf_any);
});
