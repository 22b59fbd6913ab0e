// Comments, titles of tests and docs are in plain words: these are the ones that keep coming back.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/stage.js";

/** Word → what to write. */
const words: [found: RegExp, plain: string][] = [
  [/\b(no|some)body\b/i, "the actor: client, server, handler, operator, Node"],
  [/\bwhoever\b/i, "the actor: client, server, handler, operator, Node"],
  [/\bstrangers?\b/i, "clients, or malformed input"],
  [/\bin the place of\b/i, "instead of"],
  [/\bin the stead of\b/i, "instead of"],
  [/\bas long as it is let\b/i, "until it is closed"],
  [/\b(?:is|are|was|be) told\b/i, "is called with, gets, or receives"],
  [/(?<![}[] ?)\banswer\b|\b[Aa]nswers\b|\banswer(?:ed|ing)\b/, "respond, response, or what the client gets"],
  [/\bpieces?\b/i, "chunk, or part"],
  [/\baccidents?\b/i, "unexpected error"],
  [/\b(?:that|which|who) (?:is|are) none\b/i, "invalid"],
  [/\bothers do not notice\b/i, "others work on"],
  [/\b(?:lets|let) (?:it|them|others) be\b/i, "keep"],
  [/\bcut off\b/i, "close, disconnect, or truncate"],
];

/** Lines of prose in a file: comments and titles of TypeScript and JavaScript, and all of a page but its code. */
function proseOf(path: string): { line: number; text: string }[] {
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  let isCode = false;
  return lines.flatMap((text, index) => {
    if (path.endsWith(".md")) {
      if (text.startsWith("```")) isCode = !isCode;
      return isCode ? [] : [{ line: index + 1, text }];
    }
    const comment = /^\s*(?:\/\/|\/?\*)(.*)$/.exec(text)?.[1] ?? /\s\/\/ (.*)$/.exec(text)?.[1];
    const title = /^\s*(?:(?:describe|it|test)\b[^"'`[]*|title: )(["'`])(.+?)\1/.exec(text)?.[2];
    return [comment, title].flatMap((found) => (found === undefined ? [] : [{ line: index + 1, text: found }]));
  });
}

const folders = ["client", "docs", "server", "template", "test"];
const pages = readdirSync(root).filter((name) => name.endsWith(".md"));
const files = folders
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  )
  .filter((path) => /\.(?:js|md|ts)$/.test(path) && !path.includes("node_modules") && !path.startsWith("test/gen"))
  .filter((path) => path !== "test/package/prose.test.ts");

test("comments, titles and docs are in plain words", () => {
  expect(files.length).toBeGreaterThan(300);
  const found = [...files, ...pages].flatMap((path) =>
    proseOf(path).flatMap(({ line, text }) =>
      words
        .filter(([word]) => word.test(text))
        .map(([word, plain]) => `${path}:${line}: ${word.exec(text)?.[0]}: write ${plain}`),
    ),
  );
  expect(found).toEqual([]);
});
