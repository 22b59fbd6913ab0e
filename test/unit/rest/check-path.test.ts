import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { checkPath } from "../../../server/rest/percent.js";

test.each(["/", "/a/../b", "/a/%2e%2e/b\\c", "//a", "/a%2Fb"])("%s is a path", (path) => {
  expect(() => checkPath(path)).not.toThrow();
});

const notEncoded = "path: invalid percent-encoding or UTF-8";
const refused: [path: string, message: string][] = [
  ["", 'path: expected "/" at the beginning'],
  ["*", 'path: expected "/" at the beginning'],
  ["http://host/a", 'path: expected "/" at the beginning'],
  ["/a%", notEncoded],
  ["/a%zz", notEncoded],
  ["/%ff/b", notEncoded],
  ["/%00", notEncoded],
  ["/\u00ff", notEncoded],
];

test.each(refused)("%j is a bad request: %s", (path, rawMessage) => {
  expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: Code.InvalidArgument, rawMessage }));
});
