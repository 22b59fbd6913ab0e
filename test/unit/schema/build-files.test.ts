import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, file_google_protobuf_any } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { buildFiles as buildSources } from "../../../server/schema/build-files.js";
import { parseFile, serialisedOf } from "../../../server/schema/file-source.js";
import { knownFiles } from "../../../server/schema/known-files.js";
import { craftFile, type FileInit, serialise } from "../../support/crafted-schema.js";

const buildFiles = (protos: readonly FileDescriptorProto[], known: typeof knownFiles) =>
  buildSources(
    protos.map((proto) => parseFile(serialise(proto))),
    known,
  );

const string = { type: 9, label: 1 } as const;

const file = craftFile;

/** A file with a service whose request and response are the message. */
function service(name: string, message: string, dependency: string[] = []): FileDescriptorProto {
  const method = [{ name: "Do", inputType: `.acme.${message}`, outputType: `.acme.${message}` }];
  return file(name, { dependency, service: [{ name: `${message}Service`, method }] });
}

type MessageOf = NonNullable<FileInit["messageType"]>[number] & { name?: string };

function anEnum(name: string) {
  return { name: name.replace(/\W/g, "_"), value: [{ name: `${name.replace(/\W/g, "_")}_NONE`, number: 0 }] };
}

/** The parts of a file, for a file with another name. */
function content({ package: scope, messageType }: FileDescriptorProto): FileInit {
  return { package: scope, messageType };
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
    messageType: book.messageType,
    dependency: ["validate/rules.proto", "google/protobuf/any.proto", "book.proto"],
    publicDependency: [0, 2],
  });
  const other = file("book.proto", { messageType: [{ name: "Other" }] });
  const { files, repairs, refused } = buildFiles([lacking, other], knownFiles);
  const built = files.get("lacking.proto");
  expect(built?.proto.dependency).toEqual(["google/protobuf/any.proto", "book.proto"]);
  expect(built?.proto.publicDependency).toEqual([1]);
  expect(repairs).toEqual(["lacking.proto: left out the import validate/rules.proto, which is not there"]);
  expect(refused).toEqual([]);
  // Tools that get it from us would miss the import as well.
  const passedOn = built && fromBinary(FileDescriptorProtoSchema, serialisedOf(built) ?? new Uint8Array());
  expect(passedOn?.dependency).toEqual(["google/protobuf/any.proto", "book.proto"]);
  expect(passedOn?.messageType[0]?.field[0]?.jsonName).toBe("");
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
  const chain = Array.from({ length: 1000 }, (_, index) =>
    file(`${index}.proto`, { dependency: [`${index + 1}.proto`], messageType: [{ name: `M${index}` }] }),
  );
  expect(buildFiles(circle, knownFiles).files.has("b.proto")).toBe(true);
  for (const files of [chain, chain.toReversed()]) {
    const { refused } = buildFiles(files, knownFiles);
    expect(refused[0]?.reason).toBe("expected at most 200 imports, one below the other, found more");
  }
});

test("files that reach each other by exponentially many ways are built in a moment", () => {
  const layers = Array.from({ length: 100 }, (_, layer) => ["a", "b"].map((name) => `${name}${layer}.proto`));
  const diamond = layers.flatMap((names, layer) =>
    names.map((name) => file(name, { dependency: layers[layer - 1] ?? [] })),
  );
  const typed = diamond.map((proto) =>
    file(proto.name, { dependency: proto.dependency, enumType: [anEnum(proto.name)] }),
  );
  const { files, refused } = buildFiles([...typed, service("on-top.proto", "Missing", layers.at(-1))], knownFiles);
  expect([files.size, refused.map(({ name }) => name)]).toEqual([200, ["on-top.proto"]]);
});

test("types count also where their files are imported by way of others, or by none", () => {
  const around = file("around.proto", { dependency: ["book.proto"], publicDependency: [0] });
  const given = [service("public.proto", "Book", ["around.proto"]), around, book];
  for (const files of [given, [service("alone.proto", "Book"), book]]) {
    const { files: built, refused } = buildFiles(files, knownFiles);
    expect(refused).toEqual([]);
    expect(built.get(files[0]?.name ?? "")?.services[0]?.methods[0]?.input.fields[0]?.name).toBe("short_title_2");
  }
});

test("names of types may be relative, names of extensions absolute, and messages called entries of maps", () => {
  const relative = file("relative.proto", {
    syntax: "proto2",
    messageType: [
      {
        name: "Outer",
        options: { mapEntry: true },
        nestedType: [{ name: "Inner" }, { name: "Book" }],
        field: [
          { name: "inner", number: 1, type: 11, label: 1, typeName: "Inner" },
          { name: "book", number: 2, type: 11, label: 1, typeName: "Book" },
          { name: "other", number: 3, type: 11, label: 1, typeName: "acme.Book" },
          { ...string, name: ".acme.Outer.note", number: 100, extendee: "Outer" },
        ],
        extensionRange: [{ start: 100, end: 200 }],
        extension: [{ ...string, name: ".acme.Outer.note", number: 100, extendee: "Outer" }],
      },
    ],
    service: [{ name: "S", method: [{ name: "Do", inputType: "Outer.Inner", outputType: "Book" }] }],
  });
  const built = buildFiles([relative, book], knownFiles);
  const [outer] = built.files.get("relative.proto")?.messages ?? [];
  expect(built.refused).toEqual([]);
  expect(outer?.fields.map(({ message }) => message?.typeName)).toEqual([
    "acme.Outer.Inner",
    "acme.Outer.Book",
    "acme.Book",
  ]);
  expect(outer?.nestedExtensions.map(({ typeName }) => typeName)).toEqual(["acme.Outer.note"]);
  const [method] = built.files.get("relative.proto")?.services[0]?.methods ?? [];
  expect([method?.input.typeName, method?.output.typeName]).toEqual(["acme.Outer.Inner", "acme.Book"]);
});

test("types of Google are ours where a server has them in another file", () => {
  const all = file("google/protobuf/wrappers.proto", {
    package: "google.protobuf",
    messageType: [{ name: "MethodOptions" }, { name: "Any" }],
  });
  const extending = file("extending.proto", {
    syntax: "proto2",
    extension: [{ ...string, name: "note", number: 50_000, extendee: ".google.protobuf.MethodOptions" }],
  });
  const { files, refused } = buildFiles([all, extending], knownFiles);
  expect(refused).toEqual([]);
  expect(files.get("extending.proto")?.extensions[0]?.extendee.fields.length).toBeGreaterThan(2);
});

test("a file is passed on as it came, but for its comments", () => {
  const commented = file("commented.proto", {
    ...content(book),
    sourceCodeInfo: { location: [{ leadingComments: "!" }] },
  });
  // A field that no version of protobuf-es knows.
  const bytes = Uint8Array.of(...serialise(commented), 0xba, 0x3e, 1, 7);
  const built = buildSources([parseFile(bytes)], knownFiles).files.get("commented.proto");
  const expected = Uint8Array.of(...serialise(file("commented.proto", content(book))), 0xba, 0x3e, 1, 7);
  expect(built && serialisedOf(built)).toEqual(expected);
});

describe("a file is refused, with its own services only, if", () => {
  const message = (init: MessageOf): FileInit => ({ messageType: [{ name: "M", ...init }] });
  const field = { ...string, name: "a", number: 1 };
  test.each<[string, FileInit, string]>([
    ["a message is there twice", { messageType: [{ name: "M" }, { name: "M" }] }, 'each name once, found "M" twice'],
    ["a message and an enum share a name", { ...message({}), enumType: [anEnum("M")] }, 'found "M" twice'],
    ["a field is there twice", message({ field: [field, { ...field, number: 2 }] }), 'found "a" twice'],
    [
      "a number is there twice",
      message({ field: [field, { ...field, name: "b" }] }),
      "each number once, found 1 twice",
    ],
    ["a number is 0", message({ field: [{ ...field, number: 0 }] }), "a number from 1 to 536870911, found 0"],
    ["a number is too high", message({ field: [{ ...field, number: 2 ** 29 }] }), "found 536870912"],
    [
      "a type is unknown",
      message({ field: [{ ...field, type: 19 as never }] }),
      "expected a type, found none or an unknown one",
    ],
    ["a name has a line break", message({ name: "M\nevil" }), 'found "M\\nevil"'],
    ["a name is empty", message({ field: [{ ...field, name: "" }] }), 'found ""'],
    ["a method has a path as its name", { service: [{ name: "S2", method: [{ name: "../x" }] }] }, 'found "../x"'],
    ["an enum has no value", { enumType: [{ name: "E" }] }, 'enum "E": expected a value, found none'],
    ["a nested message has a wrong name", message({ nestedType: [{ name: "1" }] }), 'found "1"'],
    ["a oneof is not there", message({ field: [{ ...field, oneofIndex: 3 }] }), ""],
    ["the package has a wrong name", { package: "a..b" }, 'expected the name of a package, found "a..b"'],
    ["the syntax is unknown", { syntax: "proto9" }, 'unsupported syntax "proto9"'],
    ["it imports very much", { dependency: Array.from({ length: 10_001 }, (_, at) => `${at}.proto`) }, "10000 imports"],
  ])("%s", (_, init, reason) => {
    const bad = file("bad.proto", { ...init, service: [{ name: "Bad" }, ...(init.service ?? [])] });
    const { files, refused } = buildFiles([bad, service("good.proto", "Book", ["book.proto"]), book], knownFiles);
    expect([...files.keys()].sort()).toEqual(["book.proto", "good.proto"]);
    expect(refused).toMatchObject([{ name: "bad.proto", reason: expect.stringContaining(reason) }]);
    expect(refused[0]?.services[0]).toBe(`${init.package ?? "acme"}.Bad`);
  });
});

test("the well-known types are ours, whatever a server has", () => {
  const strange = file("google/protobuf/any.proto", { package: "google.protobuf", messageType: [{ name: "Any" }] });
  const { files } = buildFiles([strange, book], knownFiles);
  expect(files.get("google/protobuf/any.proto")).toBe(file_google_protobuf_any);
});
