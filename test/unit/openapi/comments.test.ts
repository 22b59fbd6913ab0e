import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { readComments } from "../../../server/openapi/comments.js";
import { descriptors } from "../../gen/manywire/descriptors.js";

type FileInit = MessageInitShape<typeof FileDescriptorProtoSchema>;

function serialise(...file: FileInit[]): Uint8Array {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

/** A file with a message `m.M`, and the comments of it and its field `f`. */
function fileWith(leadingComments: string, trailingComments = "", path: number[] = [4, 0]): FileInit {
  return {
    name: "m.proto",
    package: "m",
    messageType: [{ name: "M", field: [{ name: "f" }] }],
    sourceCodeInfo: { location: [{ path, leadingComments, trailingComments }] },
  };
}

describe("comments", () => {
  it.each([
    ["manywire.test.describe.v1.LibraryService", "Lends books.\n\nEvery book is on a shelf. *Shelves* are numbered."],
    ["manywire.test.describe.v1.LibraryService.GetBook", "Finds a book."],
    ["manywire.test.describe.v1.LibraryService.CountBooks", "Counts all books."],
    ["manywire.test.describe.v1.Book", "A book."],
    ["manywire.test.describe.v1.Book.key", "What opens it."],
    ["manywire.test.describe.v1.Book.holder", "Who has it."],
    ["manywire.test.describe.v1.Book.State", "States of a book."],
    ["manywire.test.describe.v1.Book.State.STATE_LENT", "Somewhere else."],
    ["manywire.test.describe.v1.ListBooksRequest.Filter.word", "A word of the title."],
    ["manywire.test.rest.v1.Color.COLOR_RED", "Red."],
  ])("of %s are %j", (name, text) => {
    expect(readComments([descriptors]).get(name)).toBe(text);
  });

  it.each([
    [" One.\n Two.\n", "One.\nTwo."],
    [" A list:\n   - item\n", "A list:\n  - item"],
    ["*\n One.\n", "*\nOne."],
    [" One.\n buf:lint:ignore X\n Two.\n", "One.\nTwo."],
    [" One. (-- For us\n only. --)\n Two.\n", "One. \nTwo."],
    [" buf:lint:ignore X\n", undefined],
    ["", undefined],
  ])("%j read as %j", (comment, text) => {
    expect(readComments([serialise(fileWith(comment))]).get("m.M")).toBe(text);
  });

  it("beside a declaration count where there are none above", () => {
    expect(readComments([serialise(fileWith("", " Beside.\n", [4, 0, 2, 0]))]).get("m.M.f")).toBe("Beside.");
    expect(readComments([serialise(fileWith(" Above.\n", " Beside.\n"))]).get("m.M")).toBe("Above.");
  });

  it("come from the first of several sets, which may be one behind the other in one", () => {
    const [one, other] = [serialise(fileWith(" One.\n")), serialise(fileWith(" Other.\n"))];
    expect(readComments([one, other]).get("m.M")).toBe("One.");
    expect(readComments([Buffer.concat([one, other])]).get("m.M")).toBe("One.");
  });

  it("are empty for a set without source info, and an invalid set is rejected", () => {
    expect(readComments([serialise({ name: "m.proto", messageType: [{ name: "M" }] }), new Uint8Array()]).size).toBe(0);
    expect(() => readComments([new Uint8Array([0xff])])).toThrow();
  });
});
