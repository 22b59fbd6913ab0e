import { expect, test } from "vitest";
import { changeHeaders, similarityOf } from "../../../server/http/similar-headers.js";

const base = Object.freeze({ host: "a", "x-id": "1" });

test("headers have the other values, and all else as before", () => {
  const headers = changeHeaders(base, [{ name: "x-id", value: "2" }]);
  expect(Object.entries(headers)).toEqual([
    ["host", "a"],
    ["x-id", "2"],
  ]);
  expect(base["x-id"]).toBe("1");
});

test("headers without another value are the same object", () => {
  expect(changeHeaders(base, [])).toBe(base);
});

test("headers inherit no name, so that each may be one of a header", () => {
  const named = Object.freeze(Object.fromEntries([["constructor", "1"]]));
  const headers = changeHeaders(named, [{ name: "constructor", value: "2" }]);
  expect(Object.entries(headers)).toEqual([["constructor", "2"]]);
  expect(headers.toString).toBeUndefined();
  expect("valueOf" in headers).toBe(false);
});

test("what headers are similar to is known of them alone, not of a copy", () => {
  const changes = [{ name: "x-id", value: "2" }];
  const headers = changeHeaders(base, changes);
  expect(similarityOf(headers)).toEqual({ base, changes });
  expect(similarityOf({ ...headers })).toBeUndefined();
  expect(similarityOf(base)).toBeUndefined();
});
