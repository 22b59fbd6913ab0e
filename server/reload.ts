// What a reload of a server replaces, and what it reports.
import type { Api } from "./openapi/document.js";
import type { ServerOptions } from "./options.js";
import type { Replacement } from "./upstream/upstreams.js";

/** Options of `createServer` that `Server.reload` replaces. What is undefined stays as it is. */
export interface ReloadOptions extends Pick<ServerOptions, "upstreams" | "httpRules"> {}

/** What is there only after a reload, and what was there only before. */
interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What a reload has changed. */
export interface ReloadReport {
  /** By `url`. `changed` have other options than before, and new connections. */
  readonly upstreams: Changes & { readonly changed: readonly string[] };
  /** By full name. */
  readonly services: Changes;
  /** As `shop.v1.Shop.GetItem: google.api.http get "/v1/items/{id}"`. */
  readonly routes: Changes;
}

export function describeReload(before: Api, after: Api, { opened, dropped }: Replacement): ReloadReport {
  const urls = compare(
    dropped.map(({ url }) => url),
    opened.map(({ url }) => url),
  );
  const changed = opened.map(({ url }) => url).filter((url) => !urls.added.includes(url));
  const services = ({ services }: Api) => services.map(({ typeName }) => typeName);
  const routes = ({ bindings }: Api) => bindings.map(({ label }) => label);
  return {
    upstreams: { ...urls, changed },
    services: compare(services(before), services(after)),
    routes: compare(routes(before), routes(after)),
  };
}

function compare(before: readonly string[], after: readonly string[]): Changes {
  const [had, has] = [new Set(before), new Set(after)];
  return { added: [...has].filter((each) => !had.has(each)), removed: [...had].filter((each) => !has.has(each)) };
}
