// The URL of a request, for `HandlerContext.url`.
import type { NodeServerRequest } from "../listen/handler.js";

/** An authority that a URL parser would leave as it is. */
const plainAuthority = /^[a-z0-9.-]+(?::(?!80$|443$)[1-9]\d*)?$/;

let lastAuthority = "";

/**
 * The URL that was called, normalised as a URL parser does. The listener has checked the authority. Parsing is only done
 * where it could change something.
 */
export function requestUrl(request: NodeServerRequest): string {
  const scheme = "encrypted" in request.socket && request.socket.encrypted ? "https" : "http";
  const authority = ("authority" in request ? request.authority : request.headers.host) ?? "";
  const target = request.url ?? "/";
  const url = `${scheme}://${authority}${target}`;
  if (target.includes("?")) return new URL(url).toString();
  if (authority === lastAuthority) return url;
  if (!plainAuthority.test(authority)) return new URL(url).toString();
  lastAuthority = authority;
  return url;
}
