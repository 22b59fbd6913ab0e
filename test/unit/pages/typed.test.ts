import { describe, expect, it } from "vitest";
import { readDeadline, readHeaders, readMessages } from "../../../server/pages/browser/typed.js";

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

  it("is one message of a stream, too", () => {
    expect(readMessages('{"a":1}', true)).toEqual([{ a: 1 }]);
  });

  it("is refused where it is not JSON", () => {
    expect(() => readMessages("{", false)).toThrow(/^Request: .*JSON/);
  });
});

describe("what is typed as deadline", () => {
  it.each([
    ["", undefined],
    [" ", undefined],
    [" 500 ", 500],
    ["99999999", 99_999_999],
  ])("%j is %j", (text, expected) => {
    expect(readDeadline(text)).toBe(expected);
  });

  it.each(["0", "-1", "1.5", "1e3", "a", "100000000"])("%j is refused", (text) => {
    const expected = `Deadline: expected milliseconds from 1 to 99999999, found ${JSON.stringify(text)}`;
    expect(() => readDeadline(text)).toThrow(expected);
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
