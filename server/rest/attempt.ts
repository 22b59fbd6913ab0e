/** Returns what `convert` returns, or undefined if it throws. */
export function attempt<T>(convert: () => T): T | undefined {
  try {
    return convert();
  } catch {
    return undefined;
  }
}
