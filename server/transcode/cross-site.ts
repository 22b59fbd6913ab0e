// Recognizes requests that a page of another origin can send without a CORS preflight, which is how CSRF is done
// (https://fetch.spec.whatwg.org/#cors-safelisted-request-header, https://www.w3.org/TR/fetch-metadata/).
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";

/** Types that a form, or `fetch` in the mode `no-cors`, can send. Every other type needs a preflight. */
const formTypes = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(?:;|$)/i;

/**
 * Whether a browser sends this request for a page of another origin without a preflight. Requests without `Sec-Fetch-Site`
 * and `Origin` do not come from a browser.
 */
export function isCrossSite({ method, headers, authority }: Exchange): boolean {
  if (method !== "POST") return false;
  const type = headers["content-type"];
  return (type === undefined || formTypes.test(type)) && isOtherOrigin(headers, authority);
}

function isOtherOrigin(headers: Exchange["headers"], authority: string): boolean {
  const site = header(headers, "sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  return origin !== undefined && hostOf(origin) !== authority.toLowerCase();
}

/** The host and port of an origin; undefined for `null`, the origin of sandboxed pages. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase();
}
