// Finds the inline Markdown of one paragraph: code, links, emphasis, line breaks, escaped punctuation
// (https://spec.commonmark.org/0.31.2/#inlines).

/**
 * What comments use of the inline part of CommonMark. Emphasis begins after a space or an opening bracket and ends before a space or punctuation, so that resource names
 * such as `shelves/*\/books/*` and `snake_case` stay as they are.
 */
export const inlineTokens: RegExp = new RegExp(
  [
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<ticks>`+)(?!`)(?<code>.+?)(?<!`)\k<ticks>(?!`)/,
    /!?\[(?<label>[^\][]+)\]\(<?(?<target>[^\s()<>]+)>?(?: +"[^"]*")?\)/,
    /<(?<bracketed>(?:https?:\/\/|mailto:)[^\s<>]+)>/,
    /(?<bare>https?:\/\/[^\s<>"'`)\]]*[\w/#=&-])/,
    /(?<![\w*_/])(?<twice>\*\*|__)(?=\S)(?<strong>.+?)(?<=\S)\k<twice>(?![\w*_/])/,
    /(?<![\w*_/])(?<once>[*_])(?=[^\s*_])(?<emphasis>.+?)(?<=[^\s*_])\k<once>(?![\w*_/])/,
    /(?<lineBreak>(?: {2,}|\\)\n)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gs",
);

/** Returns the text without its marks. A link becomes its label with its address in brackets. */
export function plainText(text: string): string {
  return text.replace(inlineTokens, (...match) => {
    const token = match.at(-1) as Readonly<Record<string, string | undefined>>;
    const { escaped, code, label, target, bracketed, bare, strong, emphasis } = token;
    if (label !== undefined) return `${plainText(label)} (${target})`;
    const inner = strong ?? emphasis;
    return inner === undefined ? (escaped ?? code ?? bracketed ?? bare ?? " ") : plainText(inner);
  });
}
