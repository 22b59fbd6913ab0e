// The pages: `/`, which lists and calls all methods, and `/docs`, Swagger UI. They are made on the first request.
import type { DescService } from "@bufbuild/protobuf";
import type { Method } from "../call/method.js";
import { type Exchange, type Handler, respond } from "../http/exchange.js";
import { readPreferences } from "../http/header.js";
import type { Comments } from "../openapi/comments.js";
import type { Binding } from "../rest/route/binding.js";
import { joinText, once, runInSlices } from "../slices.js";
import { type Assets, readAssets } from "./assets.js";
import { type DescribedService, describeServices } from "./description.js";
import { docsPage } from "./docs-page.js";
import { type Documents, refuseMethod, serveDocument } from "./documents.js";
import type { Html } from "./html.js";
import { type About, landingPage, landingText } from "./landing.js";
import { serveTextPage } from "./text-page.js";

/** What the pages describe. */
export interface Described extends About {
  readonly services: readonly DescService[];
  readonly methods: readonly Method[];
  readonly bindings: readonly Binding[];
  readonly comments: Comments;
}

/** Handlers of pages, by path. */
export type Pages = Pick<Documents, "get">;

/** @param folder where the build has put the files that the pages load. Default: beside this module. */
export function createPages(described: Described, folder?: URL): Pages {
  const services = once(() => runInSlices(describeServices(described.services, described.methods, described.bindings)));
  const text = serveTextPage(async (base) =>
    runInSlices(joinText(landingText(described, await services(), described.comments, base))),
  );
  const html = memoize(() => {
    const assets = tryReadAssets(folder);
    return assets === undefined ? new Map<string, Handler>() : createHtmlPages(described, services, assets);
  });
  const landing: Handler = (exchange) => {
    const page = wantsHtml(exchange) ? html().get("/") : undefined;
    return (page ?? text)(exchange);
  };
  return {
    get: (path) => (path === "/" ? landing : path.startsWith("/docs") ? html().get(path) : undefined),
  };
}

/** Returns undefined where the files cannot be read, as in a bundle, which has none of them. There is no HTML without them. */
function tryReadAssets(folder: URL | undefined): Assets | undefined {
  try {
    return readAssets(folder ?? new URL("./browser/", import.meta.url));
  } catch {
    return undefined; // The path or the permission that is missing.
  }
}

function createHtmlPages(
  described: Described,
  services: () => Promise<readonly DescribedService[]>,
  assets: Assets,
): Documents {
  const landing = serveDocument(async () => {
    const pieces = landingPage(described, await services(), described.comments, assets);
    return htmlDocument(await runInSlices(joinText(textsOf(pieces))), landingPolicy);
  });
  return new Map([
    ...assets.documents,
    ["/", landing],
    ["/docs/", redirectToDocs],
    ["/docs", serveDocument(() => htmlDocument(docsPage(described.title, assets).text, docsPolicy))],
  ]);
}

/** The addresses in the page are relative to its own, which has no slash at its end. */
function redirectToDocs(exchange: Exchange): void {
  if (refuseMethod(exchange)) return;
  respond(exchange, 308, { location: "../docs" }, "");
}

function* textsOf(pieces: Iterable<Html>): Generator<string> {
  for (const { text } of pieces) yield text;
}

const sameOrigin = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";
const closed = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The script of the page writes no markup, so that trusted types can forbid it. */
const landingPolicy = `${sameOrigin}; img-src 'self'; ${closed}; require-trusted-types-for 'script'; trusted-types 'none'`;

/** Swagger UI has its icons as `data:` in its style sheet. */
const docsPolicy = `${sameOrigin}; img-src 'self' data:; ${closed}`;

function htmlDocument(body: string, policy: string) {
  const headers = {
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    vary: "Accept, Accept-Encoding",
  };
  return { contentType: "text/html; charset=utf-8", body, headers };
}

/** Browsers name HTML in `Accept`. Programs such as curl accept anything and get text. */
function wantsHtml({ headers }: Exchange): boolean {
  return readPreferences(headers.accept).includes("text/html");
}

/** Makes a value when it is first asked for, and keeps it. */
function memoize<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
