// Turns the inline Markdown of one paragraph into HTML: code, links, emphasis, line breaks, escaped punctuation.
import { type Html, html } from "./html.js";

/**
 * Emphasis begins after a space or an opening bracket and ends before a space or punctuation, so that resource names
 * such as `shelves/*\/books/*` and `snake_case` stay as they are.
 */
const tokens = new RegExp(
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

export function inlineMarkdown(text: string): Html {
  const parts: (string | Html)[] = [];
  let end = 0;
  for (const match of text.matchAll(tokens)) {
    parts.push(text.slice(end, match.index), writeToken(match.groups ?? {}));
    end = match.index + match[0].length;
  }
  return html`${[...parts, text.slice(end)]}`;
}

function writeToken(token: Readonly<Record<string, string | undefined>>): string | Html {
  const { escaped, code, label, target, bracketed, bare, strong, emphasis } = token;
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return html`<code>${code.replace(/^ (.*\S.*) $/s, "$1")}</code>`;
  if (label !== undefined && target !== undefined) return link(target, inlineMarkdown(label));
  const address = bracketed ?? bare;
  if (address !== undefined) return link(address, html`${address}`);
  if (strong !== undefined) return html`<strong>${inlineMarkdown(strong)}</strong>`;
  return emphasis === undefined ? html`<br>` : html`<em>${inlineMarkdown(emphasis)}</em>`;
}

/** Only addresses that a browser opens without running them. */
function link(target: string, text: Html): Html {
  return /^(?:https?:\/\/|mailto:|#)/i.test(target) ? html`<a href="${target}" rel="noreferrer">${text}</a>` : text;
}
