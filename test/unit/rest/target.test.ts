import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { parseTarget } from "../../../server/rest/target.js";

const accepted: [target: string, path: string, query: string][] = [
  ["/", "/", ""],
  ["/a/../b", "/a/../b", ""],
  ["/a/%2e%2e/b\\c", "/a/%2e%2e/b\\c", ""],
  ["/a?b=c", "/a", "b=c"],
  ["/a?", "/a", ""],
  ["/a?b?c#d", "/a", "b?c#d"],
  ["//a", "//a", ""],
  ["/a%2Fb?%zz", "/a%2Fb", "%zz"],
];

test.each(accepted)("%s is the path %s with the query %j", (target, path, query) => {
  expect(parseTarget(target)).toEqual({ path, query });
});

const notEncoded = "the path is not percent-encoded UTF-8 without NUL";
const refused: [target: string, message: string][] = [
  ["", 'the path does not begin with "/"'],
  ["*", 'the path does not begin with "/"'],
  ["http://host/a", 'the path does not begin with "/"'],
  ["?a", 'the path does not begin with "/"'],
  ["/a%", notEncoded],
  ["/a%zz", notEncoded],
  ["/%ff/b", notEncoded],
  ["/%00", notEncoded],
  ["/\u00ff", notEncoded],
];

test.each(refused)("%j is a bad request: %s", (target, rawMessage) => {
  expect(() => parseTarget(target)).toThrow(expect.objectContaining({ code: Code.InvalidArgument, rawMessage }));
});
