// The range of sizes, counts and times that are set by users.

/** The longest timer of Node in milliseconds, and the largest HTTP/2 window in bytes. */
export const maxInt32: number = 2 ** 31 - 1;

/** @throws RangeError that begins with the name */
export function checkWholeNumber(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= maxInt32) return;
  throw new RangeError(`${name}: expected a whole number from ${least} to ${maxInt32}, found ${value}`);
}
