// Refuses requests that no URL can be made of, so that nothing behind has to expect them: RFC 9112 section 3.2, RFC 9113 section 8.3.1.
import type { IncomingMessage } from "node:http";
import { Http2ServerRequest } from "node:http2";
import { isAuthority, isPath } from "./authority.js";
import type { NodeServerRequest, NodeServerResponse } from "./handler.js";

/** What is wrong with the request, or undefined. A request in absolute form, as sent to a proxy, is brought into origin form. */
export function findFault(request: NodeServerRequest): string | undefined {
  const isHttp2 = request instanceof Http2ServerRequest;
  if (!isHttp2 && countHosts(request.rawHeaders) > 1) return "more than one Host";
  const target = request.url ?? "";
  if (!isPath(target) && !isOtherForm(request, target)) return "bad request target";
  // An HTTP/2 request may come with Host alone, from a proxy that translated it.
  const authority = isHttp2 ? (request.headers[":authority"] ?? request.headers.host) : request.headers.host;
  if (authority === undefined) return "no Host";
  return isAuthority(authority) ? undefined : "bad Host";
}

/** The one asterisk form, and the absolute form of HTTP/1.1, whose host replaces the Host header (RFC 9112 section 3.2.2). */
function isOtherForm(request: NodeServerRequest, target: string): boolean {
  if (target === "*") return request.method === "OPTIONS";
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return false;
  const url = new URL(target);
  request.headers.host = url.host;
  request.url = url.pathname + url.search;
  return isPath(request.url);
}

function countHosts(rawHeaders: IncomingMessage["rawHeaders"]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}

export function refuse(response: NodeServerResponse, fault: string): void {
  const text = `${fault}\n`;
  response.writeHead(400, { "content-type": "text/plain; charset=utf-8", "content-length": text.length });
  response.end(text);
}
