// Takes a Markdown file apart into what can be checked: fenced blocks, links, headings.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/stage.js";

/** A fenced block. */
export interface Block {
  /** The heading of the second level that it stands under. */
  readonly section: string;
  /** Line of its first fence, from 1. */
  readonly line: number;
  /** Its language, and what stands behind that: `ts file=server.ts` → "ts", "file=server.ts". */
  readonly language: string;
  readonly note: string;
  readonly text: string;
}

/** `path` is relative to the checkout. */
export function readMarkdown(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function listBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let section = "";
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    if (open === undefined) {
      section = /^## (.+)$/.exec(text)?.[1] ?? section;
      const info = /^```(.*)$/.exec(text)?.[1];
      if (info !== undefined) open = { line: index + 1, info, lines: [] };
    } else if (text === "```") {
      const [language = "", ...note] = open.info.split(" ");
      blocks.push({ section, line: open.line, language, note: note.join(" "), text: open.lines.join("\n") });
      open = undefined;
    } else {
      open.lines.push(text);
    }
  }
  return blocks;
}

/** Targets of links, in order. */
export function listLinks(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
}

/** Anchors of headings, as GitHub makes them. */
export function listAnchors(markdown: string): string[] {
  const headings = [...withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map(
    (heading) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-")}`,
  );
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The commands in the last column of the tables of a section: code that fills a cell. */
export function listCommands(markdown: string, section: string): string[] {
  const text =
    withoutBlocks(markdown)
      .split(/^## /m)
      .find((part) => part.startsWith(`${section}\n`)) ?? "";
  return [...text.matchAll(/\| `([^`]+)` \|$/gm)].map(([, command = ""]) => command);
}
