import { createRegistry, fromJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../server/pages/browser/method.js";
import { listFileFields } from "../../../server/pages/file-fields.js";
import { sampleOf } from "../../../server/pages/sample.js";
import { readRules } from "../../../server/rest/route/rules.js";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
import { LibraryService } from "../../gen/manywire/test/describe/v1/library_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

const services = [DepotService, LibraryService, RestService, TestService];
const registry = createRegistry(...services);
const { bindings } = readRules(services);
const depotSample = (name: keyof typeof DepotService.method) => {
  const method = DepotService.method[name];
  return sampleOf(
    method.input,
    bindings.find((binding) => binding.method === method),
  );
};

describe("the sample of a request", () => {
  it.each(services.flatMap(({ methods }) => methods).map((method) => [`${method.parent.name}.${method.name}`, method]))(
    "%s is valid JSON of its message",
    (_, { input }) => {
      expect(() => fromJson(input, sampleOf(input), { registry })).not.toThrow();
    },
  );

  it.each(bindings.map((binding) => [binding.label, binding] as const))("%s is valid JSON, too", (_, binding) => {
    const { input } = binding.method;
    expect(() => fromJson(input, sampleOf(input, binding), { registry })).not.toThrow();
  });

  it("has messages two levels deep, one member of each oneof, lists and maps of one, and valid times", () => {
    expect(depotSample("createItem")).toEqual({
      parent: "shelves/1",
      item: {
        name: "name",
        weight: 1,
        sizes: [1],
        count: "1",
        checksum: "AQ==",
        state: "STATE_STORED",
        labels: { key: "labels" },
        parts: { 1: { title: "title" } },
        note: "text",
        limit: "1",
        createTime: "2026-01-01T00:00:00Z",
        ttl: "1s",
        shown: "weight",
        extra: { key: "value" },
        part: { title: "title" },
        barCode: "bar_code",
        box: false,
      },
    });
  });

  it("has a mask with a field of the message beside it", () => {
    const { item, updateMask } = depotSample("updateItem") as JsonObject;
    expect([(item as JsonObject).name, updateMask]).toEqual(["shelves/1/items/1", "weight"]);
  });

  it("has an HttpBody with a type", () => {
    expect(depotSample("uploadPicture")).toEqual({
      name: "shelves/1/items/1",
      picture: { contentType: "text/plain", data: "dGV4dA==" },
    });
  });

  it("has no page token, and no field that the server alone sets", () => {
    const { input, output } = LibraryService.method.listBooks;
    expect(Object.keys(sampleOf(input) as JsonObject)).not.toContain("pageToken");
    expect(JSON.stringify(sampleOf(output))).not.toContain("createTime");
  });
});

describe("fields that a file can fill", () => {
  it("are bytes and HttpBody", () => {
    const { createItem, uploadPicture, searchItems } = DepotService.method;
    expect(listFileFields(createItem.input)).toEqual([{ path: ["item", "checksum"], isHttpBody: false }]);
    expect(listFileFields(uploadPicture.input)).toEqual([{ path: ["picture"], isHttpBody: true }]);
    expect(listFileFields(RestService.method.raw.input)).toEqual([{ path: [], isHttpBody: true }]);
    expect(listFileFields(searchItems.input)).toEqual([]);
  });
});
