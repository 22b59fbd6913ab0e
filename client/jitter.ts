/**
 * Returns a time between attempts, 20 % more or less, so that many clients do not come back at once.
 *
 * @param random returns a number from 0 to 1
 */
export function withJitter(ms: number, random: () => number = Math.random): number {
  return ms * (0.8 + 0.4 * random());
}
