// What holds for the message that is being decoded, and what its parts have in common. Decoding is never interrupted.

import { BinaryError } from "./binary-input.js";
import { ElementBudget } from "./element-limit.js";

export const state: { budget: ElementBudget; recursionLimit: number; keepsUnknown: boolean } = {
  budget: new ElementBudget(Number.POSITIVE_INFINITY),
  recursionLimit: 100,
  keepsUnknown: true,
};

/** @param depth that of a message: 1 for the outermost */
export function checkDepth(depth: number): void {
  if (depth > state.recursionLimit) throw new BinaryError(`nested more than ${state.recursionLimit} deep`);
}

/** The error of a field that is longer than what it is in. */
export function pastEnd(container: string): BinaryError {
  return new BinaryError(`extends past the end of its ${container}`);
}
