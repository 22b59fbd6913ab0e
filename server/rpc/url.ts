// The URL of a request, for `HandlerContext.url`.
import type { Exchange } from "../listen/exchange.js";

/** An authority that a URL parser would leave as it is. */
const plainAuthority = /^[a-z0-9.-]+(?::(?!80$|443$)[1-9]\d*)?$/;

let lastAuthority = "";

/**
 * The URL that was called, normalised as a URL parser does. The listener has checked the authority. Parsing is only done
 * where it could change something.
 */
export function requestUrl({ scheme, authority, target }: Exchange): string {
  const url = `${scheme}://${authority}${target}`;
  if (target.includes("?")) return new URL(url).toString();
  if (authority === lastAuthority) return url;
  if (!plainAuthority.test(authority)) return new URL(url).toString();
  lastAuthority = authority;
  return url;
}
