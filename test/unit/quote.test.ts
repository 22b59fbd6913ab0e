import { expect, test } from "vitest";
import { quote, shorten } from "../../server/quote.js";

test.each([
  ["", '""'],
  ['a"b\n', '"a\\"b\\n"'],
  ["x".repeat(100), `"${"x".repeat(100)}"`],
  ["x".repeat(101), `"${"x".repeat(100)}…"`],
  [`${"x".repeat(99)}🎉`, `"${"x".repeat(99)}…"`],
  ["a\ud800b", '"a\ufffdb"'],
])("%j is quoted as %s", (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

test("a text is shortened to a given length", () => {
  expect(shorten("abcdef", 3)).toBe("abc…");
});
