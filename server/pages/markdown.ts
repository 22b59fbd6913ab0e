// Turns the Markdown of comments into HTML: what comments use of CommonMark (https://spec.commonmark.org/0.31.2/).
// Raw HTML is shown as text, and images as their text.
import { type Html, html } from "./html.js";
import { inlineMarkdown } from "./markdown-inline.js";

/** Blocks: paragraphs, headings, lists, quotes, code, and rules. */
export function markdown(text: string): Html {
  return nested(text.split("\n"), 0);
}

/** Deeper quotes and lists are text. */
const maxDepth = 8;

function nested(lines: readonly string[], depth: number): Html {
  return depth > maxDepth ? html`<p>${lines.join("\n")}</p>` : html`${[...blocks(lines, depth)]}`;
}

function* blocks(lines: readonly string[], depth: number): Generator<Html> {
  for (let start = 0; start < lines.length; ) {
    const line = lines[start] ?? "";
    const kind = blockKinds.find(({ begins }) => begins.test(line));
    if (kind === undefined) {
      start++;
      continue;
    }
    const end = kind.end(lines, start);
    yield kind.write(lines.slice(start, end), depth);
    start = Math.max(end, start + 1);
  }
}

interface BlockKind {
  readonly begins: RegExp;
  /** The index after the last line of the block that begins at `start`. */
  end(lines: readonly string[], start: number): number;
  write(lines: readonly string[], depth: number): Html;
}

const fence = /^ {0,3}(```+|~~~+)/;
const bullet = /^ {0,3}[-*+](?: +|$)/;
const ordinal = /^ {0,3}\d{1,9}[.)](?: +|$)/;
const heading = /^ {0,3}#{1,6}(?: +|$)/;
const quote = /^ {0,3}> ?/;
const rule = /^ {0,3}(?:-(?: *-){2,}|_(?: *_){2,}|\*(?: *\*){2,}) *$/;
const indented = /^ {4}/;

const one = (_: readonly string[], start: number) => start + 1;

const blockKinds: readonly BlockKind[] = [
  {
    begins: fence,
    end(lines, start) {
      const mark = fence.exec(lines[start] ?? "")?.[1] ?? "";
      const close = lines.findIndex((line, index) => index > start && line.trim().startsWith(mark));
      return close === -1 ? lines.length : close + 1;
    },
    write: (lines) => codeBlock(lines.slice(1, fence.test(lines.at(-1) ?? "") && lines.length > 1 ? -1 : undefined)),
  },
  {
    begins: indented,
    end: (lines, start) => endWhere(lines, start, (line) => line !== "" && !indented.test(line)),
    write: (lines) => codeBlock(lines.map((line) => line.slice(4))),
  },
  { begins: rule, end: one, write: () => html`<hr>` },
  {
    begins: heading,
    end: one,
    // The headings of the page are above those of a comment.
    write: ([line = ""]) => html`<p><b>${inlineMarkdown(line.replace(heading, "").replace(/ +#+ *$/, ""))}</b></p>`,
  },
  {
    begins: quote,
    end: (lines, start) => endWhere(lines, start, (line) => !quote.test(line)),
    write(lines, depth) {
      const inner = lines.map((line) => line.replace(quote, ""));
      return html`<blockquote>${nested(inner, depth + 1)}</blockquote>`;
    },
  },
  listKind(bullet, (items) => html`<ul>${items}</ul>`),
  listKind(ordinal, (items) => html`<ol>${items}</ol>`),
  {
    begins: /\S/,
    end: (lines, start) => endWhere(lines, start, (line) => line.trim() === "" || interruptsParagraph(line)),
    write: (lines) => html`<p>${inlineMarkdown(lines.map((line) => line.trimStart()).join("\n"))}</p>`,
  },
];

/** A paragraph goes on where a line begins like a number in a sentence. */
function interruptsParagraph(line: string): boolean {
  return [fence, heading, quote, bullet, /^ {0,3}1[.)] +/].some((begins) => begins.test(line));
}

type IsOutside = (line: string, index: number) => boolean;

function endWhere(lines: readonly string[], start: number, isOutside: IsOutside): number {
  const index = lines.findIndex((line, at) => at > start && isOutside(line, at));
  return index === -1 ? lines.length : index;
}

function listKind(marker: RegExp, write: (items: readonly Html[]) => Html): BlockKind {
  return {
    begins: marker,
    end: (lines, start) =>
      endWhere(lines, start, (line, index) => {
        const isAfterGap = lines[index - 1]?.trim() === "";
        return line.trim() !== "" && !marker.test(line) && !/^ {2}/.test(line) && isAfterGap;
      }),
    write(lines, depth) {
      const indent = indentOf(lines[0]);
      const isStart = (line: string) => marker.test(line) && indentOf(line) < indent + 2;
      const starts = lines.flatMap((line, index) => (isStart(line) ? [index] : []));
      const items = starts.map((start, index) => lines.slice(start, starts[index + 1]));
      return write(items.map((item) => html`<li>${listItem(item, marker, depth)}</li>`));
    },
  };
}

/** An item that is one paragraph is written without `<p>`. */
function listItem([first = "", ...others]: readonly string[], marker: RegExp, depth: number): Html {
  const lines = [first.replace(marker, ""), ...others.map((line) => line.replace(/^ {2,3}/, ""))];
  while (lines.at(-1)?.trim() === "") lines.pop();
  const isPlain = lines.slice(1).every((line) => line.trim() !== "" && !interruptsParagraph(line));
  return isPlain ? inlineMarkdown(lines.join("\n")) : nested(lines, depth + 1);
}

function indentOf(line = ""): number {
  return line.length - line.trimStart().length;
}

function codeBlock(lines: readonly string[]): Html {
  return html`<pre><code>${lines.join("\n").trimEnd()}</code></pre>`;
}
