import { expect, test } from "vitest";
import { isJsonType } from "../../../../server/rest/read/body.js";

const table: [contentType: string, isJson: boolean][] = [
  ["application/json", true],
  ["Application/JSON", true],
  ["application/json; charset=utf-8", true],
  ['application/json;charset="UTF-8"', true],
  ["application/json; charset=utf8", true],
  ["application/json; q=1", true],
  ["application/json;", true],
  ["application/merge-patch+json", true],
  ["application/vnd.a.b+json; charset=utf-8", true],
  ["application/json; charset=latin1", false],
  ["application/json; charset=utf-16", false],
  ["application/json; charset=utf-8; charset=latin1", false],
  ["application/json; charset=", false],
  ["", false],
  ["json", false],
  ["text/json", false],
  ["text/plain", false],
  ["text/plain; application/json", false],
  ["application/jsonp", false],
  ["application/+json", false],
  ["application/a+b", false],
  ["application/x-www-form-urlencoded", false],
  ["multipart/form-data", false],
  ["application/json, text/plain", false],
];

test.each(table)("%j is JSON in UTF-8: %s", (contentType, isJson) => {
  expect(isJsonType(contentType)).toBe(isJson);
});
