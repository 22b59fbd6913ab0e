import { expect, test } from "vitest";
import { keepResults } from "../../../server/http/keep-results.js";

/** A function that counts what it computes. */
function counted() {
  const texts: string[] = [];
  const keep = keepResults((text) => {
    texts.push(text);
    return [text];
  });
  return { texts, keep };
}

test("a text is computed once", () => {
  const { texts, keep } = counted();
  expect(keep("a")).toBe(keep("a"));
  expect(keep("__proto__")).toEqual(["__proto__"]);
  expect(texts).toEqual(["a", "__proto__"]);
});

test("long texts are not kept", () => {
  const { texts, keep } = counted();
  const long = "a".repeat(129);
  expect(keep(long)).toEqual(keep(long));
  expect(texts).toHaveLength(2);
});

test("after many others a text is computed again", () => {
  const { texts, keep } = counted();
  for (let index = 0; index < 513; index++) keep(`${index}`);
  keep("0");
  expect(texts).toHaveLength(514);
});
