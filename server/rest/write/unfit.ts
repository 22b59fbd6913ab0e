// Why a message cannot be sent by one route, which another may be able to carry.

/** Says what of a message a route has no place for. */
export class UnfitError extends Error {}

/** @param field the field path in proto names */
export function unfit(field: string, reason: string): UnfitError {
  return new UnfitError(`${field}: ${reason}`);
}
