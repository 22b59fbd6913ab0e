// Finds the name that was probably meant.

/** Returns the known name that is closest to a misspelt one, or undefined if none is close. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const scored = known.map((candidate) => ({ candidate, distance: distanceOf(wanted, candidate.toLowerCase()) }));
  const [best] = scored.sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= (name.length < 4 ? 1 : Math.max(2, name.length / 3))
    ? best.candidate
    : undefined;
}

/** The end of a sentence about an unknown name: `: did you mean "b"?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const candidate = suggest(name, known);
  return candidate === undefined ? "" : `: did you mean "${candidate}"?`;
}

/** A name without its end, such as a unit, is one step away; otherwise the Levenshtein distance. */
function distanceOf(a: string, b: string): number {
  if (a.length >= 4 && b.startsWith(a)) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 0; column < b.length; column++) {
      const replaced = (row[column] ?? 0) + (b[column] === letter ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
