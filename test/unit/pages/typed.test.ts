import { describe, expect, it } from "vitest";
import { readHeaders, readMessages } from "../../../server/pages/browser/typed.js";

describe("what is typed as request", () => {
  it.each<[string, boolean, unknown]>([
    ["", false, [{}]],
    ['{"name":"you"}', false, [{ name: "you" }]],
    ['"text"', false, ["text"]],
    ["[1]", false, [[1]]],
    ["[]", true, []],
    ['[{"a":1},{}]', true, [{ a: 1 }, {}]],
  ])("%j, a list: %s", (text, isMany, expected) => {
    expect(readMessages(text, isMany)).toEqual(expected);
  });

  it("is refused where it is no JSON, or no list where there has to be one", () => {
    expect(() => readMessages("{", false)).toThrow(/^Request: .*JSON/);
    expect(() => readMessages("{}", true)).toThrow("Request: expected an array of messages");
  });
});

describe("what is typed as headers", () => {
  it.each([
    ["", {}],
    [" \n", {}],
    ["Authorization: Bearer a:b ", { authorization: "Bearer a:b" }],
    ["a:1\n\n  x-b :2", { a: "1", "x-b": "2" }],
    ["empty:", { empty: "" }],
  ])("%j", (text, expected) => {
    expect(readHeaders(text)).toEqual(expected);
  });

  it.each(["no header", ": value", "a b: c"])("%j is refused", (text) => {
    expect(() => readHeaders(text)).toThrow(`Headers: expected "name: value", found "${text}"`);
  });
});
