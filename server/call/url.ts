// The URL of a request, for `HandlerContext.url`.
import { type RequestHead, targetOf } from "../http/exchange.js";

/** A name with a port that a URL parser would leave as it is. Numbers may be addresses, and `xn--` is looked into. */
const plainName = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::(?!80$|443$)[1-9]\d*)?$/;
/** A path that a URL parser would leave as it is. */
const plainPath = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)+$/;

/** The last values that needed no normalisation. Most requests repeat them. */
const last = { scheme: "", authority: "", path: "" };

/**
 * The URL that was called, normalised as a URL parser does. The listener has checked the authority. Parsing is only done
 * where it could change something.
 */
export function requestUrl(head: Pick<RequestHead, "scheme" | "authority" | "path" | "query">): string {
  const { scheme, authority } = head;
  const target = targetOf(head);
  const url = `${scheme}://${authority}${target}`;
  if (target !== last.path) {
    if (!plainPath.test(target)) return new URL(url).toString();
    last.path = target;
  }
  if ((authority === last.authority && scheme === last.scheme) || plainName.test(authority)) return url;
  const normalised = new URL(url).toString();
  if (normalised === url) Object.assign(last, { scheme, authority });
  return normalised;
}
