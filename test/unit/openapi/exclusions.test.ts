import { expect, it } from "vitest";
import { exclusions } from "../../../server/openapi/exclusions.js";

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

it("lists pairs of members, and members that must not be there", () => {
  expect(exclusions([], [])).toEqual({});
  expect(exclusions(["x"], [{ names: ["a", "b"], isRequired: false }])).toEqual({
    not: { anyOf: [{ required: ["x"] }, { required: ["a", "b"] }] },
  });
});

it("grows with the number of members, and not with its square", () => {
  const sizeOf = (count: number) => JSON.stringify(exclusions([], [{ names: names(count), isRequired: false }])).length;
  expect(sizeOf(200)).toBeLessThan(3 * sizeOf(100));
  expect(sizeOf(200)).toBeLessThan(200 * 60);
});
