// The files that the pages load: scripts, styles, the icon. Their path has a hash of their contents, so that a
// browser can cache them forever.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Documents, serveDocument } from "./documents.js";

/** The files of a folder, ready to be served. */
export interface Assets {
  /** Handlers by path. */
  readonly documents: Documents;
  /** The path of a file, relative to the pages. */
  path(name: string): string;
}

const contentTypes: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const headers = {
  "cache-control": "public, max-age=31536000, immutable",
  // A browser can open the image as a page of its own.
  "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
};

/** Reads all files of the folder whose type is known. */
export function readAssets(folder: URL): Assets {
  const names = readdirSync(folder).filter((name) => typeOf(name) !== undefined);
  const files = names.sort().map((name) => ({ name, body: readFileSync(new URL(name, folder)) }));
  const hash = createHash("sha256");
  for (const { name, body } of files) hash.update(`${name} ${body.length}\n`).update(body);
  const path = (name: string) => `docs/${version}/${name}`;
  const version = hash.digest("base64url").slice(0, 16);
  return {
    path,
    documents: new Map(
      files.map(({ name, body }) => {
        const document = { contentType: typeOf(name) ?? "", body, headers };
        return [`/${path(name)}`, serveDocument(() => document)];
      }),
    ),
  };
}

function typeOf(name: string): string | undefined {
  return contentTypes[/(?<=\.)(?:js|css|svg)$/.exec(name)?.[0] ?? ""];
}
