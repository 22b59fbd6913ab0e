// Writes the docs page: Swagger UI, which a script starts with the server's own description.
import type { Assets } from "./assets.js";
import { type Html, html } from "./html.js";

export function docsPage(title: string, assets: Pick<Assets, "path">): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: API docs</title>
<link rel="icon" href="${assets.path("icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.path("swagger-ui.css")}">
<link rel="stylesheet" href="${assets.path("docs.css")}">
<script defer src="${assets.path("swagger-ui-bundle.js")}"></script>
<script type="module" src="${assets.path("docs.js")}"></script>
</head>
<body>
<header><a href="./">${title}</a></header>
<main id="swagger-ui"></main>
</body>
</html>
`;
}
