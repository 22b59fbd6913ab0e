import { createFileRegistry, type DescService, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { Names } from "../../../server/openapi/names.js";
import { Paths } from "../../../server/openapi/paths.js";
import type { PlacedOperation } from "../../../server/openapi/rest-operation.js";

function serviceOf(pack: string): DescService {
  const method: JsonObject = { name: "Get", inputType: `.${pack}.M`, outputType: `.${pack}.M` };
  const file = fromJson(FileDescriptorProtoSchema, {
    ...{ name: `${pack}.proto`, package: pack, syntax: "proto3", messageType: [{ name: "M" }] },
    service: [{ name: "Words", method: [method, { ...method, name: "Get_2" }] }],
  });
  return createFileRegistry(file, () => undefined).getService(`${pack}.Words`) as DescService;
}

const one = serviceOf("one.v1");
const other = serviceOf("other");

describe("names", () => {
  it("are short where they can be, and counted where a method has several operations", () => {
    const names = new Names([one]);
    const [get, second] = one.methods;
    expect([get, get, second, get].map((method) => method && names.operation(method))).toEqual([
      ...["Words_Get", "Words_Get_2", "Words_Get_2_2", "Words_Get_3"],
    ]);
    expect([names.tag(one, "rest"), names.tag(one, "connect")]).toEqual(["Words (REST)", "Words (Connect)"]);
  });

  it("have the package where two services share theirs", () => {
    const names = new Names([one, other]);
    const ids = [one, other].map(({ methods: [get] }) => get && names.operation(get, "_Connect"));
    expect(ids).toEqual(["one_v1_Words_Get_Connect", "other_Words_Get_Connect"]);
    expect(names.tag(other, "rest")).toBe("other.Words (REST)");
  });
});

describe("paths", () => {
  const place = (path: string, isLoose = false, httpMethod = "get"): PlacedOperation => ({
    ...{ path, isLoose, httpMethod },
    // As where the last variable is a part of a field.
    fieldNames: [...path.matchAll(/\{(.*?)\}/g)]
      .map(([, name]) => name)
      .map((name, index) => (index === 0 ? name : undefined)),
    operation: {
      summary: path,
      parameters: [...path.matchAll(/\{(.*?)\}/g)].map(([, name = ""]) => ({ name, in: "path" as const, schema: {} })),
      responses: {},
    },
  });
  const collect = (...places: PlacedOperation[]) => {
    const paths = new Paths();
    for (const one of places) paths.add(one, { operationId: one.operation.summary, tags: [] });
    return paths.toObject();
  };

  it("that differ in names have those of the first, and say which field each is", () => {
    const paths = collect(place("/a/{x}/{y}"), place("/a/{p}/{q}", false, "put"));
    expect(Object.keys(paths)).toEqual(["/a/{x}/{y}"]);
    expect(paths["/a/{x}/{y}"]?.put).toMatchObject({
      operationId: "/a/{p}/{q}",
      parameters: [{ name: "x", description: "The field `p`." }, { name: "y" }],
    });
  });

  it.each([
    ["the first of two that are alike", [place("/a/{x}"), place("/a/{y}")], "/a/{x}"],
    ["the narrower, behind the wider", [place("/a/{x}", true), place("/a/{y}")], "/a/{y}"],
    ["the narrower, before the wider", [place("/a/{x}"), place("/a/{y}", true)], "/a/{x}"],
  ])("have %s", (_, places, operationId) => {
    expect(collect(...places)["/a/{x}"]?.get).toMatchObject({ operationId });
  });
});
