// The URL of a request, for `HandlerContext.url`.
import type { Exchange } from "../listen/exchange.js";

/** A name with a port that a URL parser would leave as it is. Numbers may be addresses, and `xn--` is looked into. */
const plainName = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::(?!80$|443$)[1-9]\d*)?$/;
/** A path that a URL parser would leave as it is. */
const plainPath = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)+$/;

/** The last origin that was found to be as a URL parser would leave it. */
let lastOrigin = "";

/**
 * The URL that was called, normalised as a URL parser does. The listener has checked the authority. Parsing is only done
 * where it could change something.
 */
export function requestUrl({ scheme, authority, target }: Exchange): string {
  const origin = `${scheme}://${authority}`;
  const url = origin + target;
  if (!plainPath.test(target)) return new URL(url).toString();
  if (origin === lastOrigin || plainName.test(authority)) return url;
  const normalised = new URL(url).toString();
  if (normalised === url) lastOrigin = origin;
  return normalised;
}
