// The error of a message that a route cannot carry; another route may.

/** Names the field that a route cannot carry. */
export class UnfitError extends Error {}

/** @param field the field path in proto names */
export function unfit(field: string, reason: string): UnfitError {
  return new UnfitError(`${field}: ${reason}`);
}
