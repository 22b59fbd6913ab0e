// Turns the inline Markdown of one paragraph into HTML: code, links, emphasis, line breaks, escaped punctuation.
import { inlineTokens } from "../openapi/inline-markdown.js";
import { type Html, html } from "./html.js";

export function inlineMarkdown(text: string): Html {
  const parts: (string | Html)[] = [];
  let end = 0;
  for (const match of text.matchAll(inlineTokens)) {
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
