// Holds that two values are the same, down to the order and the prototype of what they are made of.
import { expect } from "vitest";

/** What a function returns, or the text of what it throws. */
export function outcome<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

/** Throws unless both are the same. */
export function expectSame(found: unknown, expected: unknown): void {
  expect(found).toStrictEqual(expected);
  if (typeof expected !== "object" || expected === null) return;
  expect(Object.keys(found as object)).toEqual(Object.keys(expected));
  expect(Object.getPrototypeOf(found)).toBe(Object.getPrototypeOf(expected));
}
