import { expect, test } from "vitest";
import { keepForHeaders } from "../../../server/http/keep-for-headers.js";
import { changeHeaders } from "../../../server/http/similar-headers.js";

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

test("of similar headers a result is made from that of the others, where that can be done", () => {
  const derived: object[] = [];
  const keep = keepForHeaders(
    (headers) => {
      derived.push(headers);
      return { id: headers.id };
    },
    (result, [change]) => (change?.value === "unlike" ? undefined : { ...result, id: change?.value }),
  );
  const base = Object.freeze({ id: "1" });
  const similar = (id: string) => changeHeaders(base, [{ name: "id", value: id }]);
  expect([keep(similar("2")), keep(similar("3")), keep(base)]).toEqual([{ id: "2" }, { id: "3" }, { id: "1" }]);
  expect(derived).toEqual([base]);
  const unlike = similar("unlike");
  expect(keep(unlike)).toEqual({ id: "unlike" });
  expect(derived).toEqual([base, unlike]);
});
