// Quotes words for a POSIX shell (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02).

/** Text as one word. Quoted only if a shell might treat a character of it specially. */
export function quote(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${escapeQuotes(word)}'`;
}

/** Text for the inside of a quoted word. */
export function escapeQuotes(text: string): string {
  return text.replaceAll("'", `'\\''`);
}
