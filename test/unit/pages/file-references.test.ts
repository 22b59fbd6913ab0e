import { expect, it } from "vitest";
import { placeFile, type ReadFile, resolveFiles } from "../../../server/pages/browser/file-references.js";
import type { JsonValue } from "../../../server/pages/browser/method.js";

const file: ReadFile = { name: "a b.png", type: "image/png", base64: "AQID" };
const body = { contentType: "image/png", data: "file:a b.png" };

it.each<[string, JsonValue, string[], boolean, JsonValue]>([
  ["bytes", { name: "n", data: "AQ==" }, ["data"], false, { name: "n", data: "file:a b.png" }],
  ["bytes within a message that is missing", {}, ["item", "data"], false, { item: { data: "file:a b.png" } }],
  ["an HttpBody", { name: "n" }, ["picture"], true, { name: "n", picture: body }],
  ["a request that is an HttpBody", { content_type: "text/plain", data: "AQ==" }, [], true, body],
])("a file fills %s", (_, message, path, isHttpBody, expected) => {
  expect(placeFile(message, { path, isHttpBody }, file)).toEqual(expected);
});

it("a file without a type is application/octet-stream", () => {
  const placed = placeFile({}, { path: [], isHttpBody: true }, { ...file, type: "" });
  expect(placed).toEqual({ ...body, contentType: "application/octet-stream" });
});

it("references are replaced by contents before a request is sent", () => {
  const message = { picture: body, others: ["file:a b.png", "text", 1, null] };
  const expected = { picture: { ...body, data: "AQID" }, others: ["AQID", "text", 1, null] };
  expect(resolveFiles(message, new Map([[file.name, file]]))).toEqual(expected);
});

it("a file that was chosen in another tab has to be chosen again", () => {
  expect(() => resolveFiles(body, new Map())).toThrow('Request: choose the file "a b.png" again');
});
