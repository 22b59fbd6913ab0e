// Writes the landing page as HTML and as plain text. The HTML can be read without its script.

import type { Comments } from "../openapi/comments.js";
import type { Assets } from "./assets.js";
import { listLines } from "./browser/lines.js";
import { quote } from "./browser/shell.js";
import { commentOf, type DescribedMethod, type DescribedService } from "./description.js";
import { type Html, html } from "./html.js";
import { markdown } from "./markdown.js";
import { methodIndex } from "./method-index.js";
import { serviceView } from "./service-view.js";
import { typesView } from "./types-view.js";

/** Title and description of the server. */
export interface About {
  readonly title: string;
  /** Paragraphs; empty for none. */
  readonly description: string;
}

const styles = ["base.css", "landing.css", "method.css", "call.css"];

/** The page, in parts. Its addresses are relative, so that a proxy may have it under a path. */
export function* landingPage(
  { title, description }: About,
  services: readonly DescribedService[],
  comments: Comments,
  assets: Pick<Assets, "path">,
): Generator<Html> {
  const [opened] = services.flatMap(({ methods }) => methods);
  const own = services.filter(({ isBuiltIn }) => !isBuiltIn);
  const builtIn = services.filter(({ isBuiltIn }) => isBuiltIn);
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${assets.path("icon.svg")}" type="image/svg+xml">
${styles.map(
  (name) => html`<link rel="stylesheet" href="${assets.path(name)}">
`,
)}<script type="module" src="${assets.path("landing.js")}"></script>
</head>
<body>
<header>
<img src="${assets.path("icon.svg")}" alt="" width="40" height="40">
<div>
<h1>${title}</h1>
<p class="base"><code data-base></code></p>
</div>
<nav aria-label="Descriptions"><a href="docs">API docs</a> <a href="openapi.json">OpenAPI</a></nav>
</header>
<div data-tools></div>
${methodIndex(own)}
<main>
${markdown(description)}
`;
  for (const service of own) yield* serviceView(service, comments, opened);
  if (builtIn.length > 0) {
    yield html`
<details class="built-in"><summary class="fold">For tools: health and reflection</summary>`;
    for (const service of builtIn) yield* serviceView(service, comments, opened);
    yield html`</details>`;
  }
  yield* typesView(services, comments);
  yield html`
</main>
<footer>Served by manywire</footer>
</body>
</html>
`;
}

/** The page as plain text, in parts. `base` is the address of the server. */
export function* landingText(
  { title, description }: About,
  services: readonly DescribedService[],
  comments: Comments,
  base: string,
): Generator<string> {
  yield `${joinLines(`${title} on ${quote(base)}`, description)}\n\n`;
  for (const { desc, methods } of services.filter(({ isBuiltIn }) => !isBuiltIn)) {
    yield `${joinLines(desc.typeName, commentOf(comments, desc))}\n\n`;
    for (const method of methods) yield `${methodText(method, comments, base)}\n\n`;
  }
  yield `${joinLines(quote(`${base}/docs`), quote(`${base}/openapi.json`))}\n`;
}

function methodText({ desc, info }: DescribedMethod, comments: Comments, base: string): string {
  const [route] = info.routes;
  const messages = [route?.sample ?? info.sample];
  const lines = listLines({ method: info, route, base, messages, headers: {} }).filter(({ tool }) => tool !== "");
  const width = Math.max(0, ...lines.map(({ caller }) => caller.length));
  const calls = lines.map(({ caller, text }) => `    ${caller.padEnd(width)}  ${text}`);
  const comment = commentOf(comments, desc).replaceAll("\n", "\n  ");
  return [`  ${desc.name}`, ...(comment === "" ? [] : [`  ${comment}`]), "", ...calls].join("\n");
}

function joinLines(...lines: string[]): string {
  return lines.filter((line) => line !== "").join("\n");
}
