// Keeps what was made of texts that clients send again and again: names of headers, and values such as Accept-Encoding.

/** As many as a server meets; clients that send others only make it work again. */
const mostTexts = 512;
/** Longer texts are seldom the same twice. */
const mostCharacters = 128;

/** A function that computes the same result only once for texts that come often. Its results must not be changed. */
export function keepResults<Result extends object | string>(
  compute: (text: string) => Result,
): (text: string) => Result {
  const kept = new Map<string, Result>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const result = compute(text);
    if (text.length > mostCharacters) return result;
    if (kept.size >= mostTexts) kept.clear();
    kept.set(text, result);
    return result;
  };
}
