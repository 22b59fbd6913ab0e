import { expect, test } from "vitest";
import { keepForHeaders } from "../../../server/http/keep-for-headers.js";

/** A function that counts what it derives. */
function counted() {
  const derived: object[] = [];
  const keep = keepForHeaders((headers) => {
    derived.push(headers);
    return [headers];
  });
  return { derived, keep };
}

test("of headers that are frozen a result is derived once", () => {
  const { derived, keep } = counted();
  const headers = Object.freeze({ a: "1" });
  expect(keep(headers)).toBe(keep(headers));
  keep(Object.freeze({ a: "1" }));
  expect(derived).toHaveLength(2);
});

test("of headers that may change a result is derived each time", () => {
  const { derived, keep } = counted();
  const headers = { a: "1" };
  expect(keep(headers)).toEqual(keep(headers));
  expect(derived).toHaveLength(2);
});
