// Refuses requests that no URL can be made of, so that nothing behind has to expect them: RFC 9112 section 3.2, RFC 9113 section 8.3.1.
import type { IncomingHttpHeaders } from "node:http";
import { isAuthority } from "../http/authority.js";
import type { Exchange } from "../http/exchange.js";

/** What is wrong with a request, and the status that says so. */
export interface HeadFault {
  status: 400 | 405 | 417 | 431;
  text: string;
}

/** Called with every request, and what is wrong with it. */
export type OnRequest = (exchange: Exchange, fault: HeadFault | undefined) => void;

/** What is looked at in a request of HTTP/1.1. The names are those of Node's requests. */
interface Http1Request {
  readonly method?: string | undefined;
  url?: string | undefined;
  readonly httpVersionMinor: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * What is wrong with the request, or undefined. A request in absolute form, as sent to a proxy, is brought into origin form.
 *
 * @param names those of its field lines as they were sent, in any case
 * @param headerCount the most headers that it may have
 */
export function findHttp1Fault(
  request: Http1Request,
  names: readonly string[],
  headerCount: number,
): HeadFault | undefined {
  const { method, url: target = "" } = request;
  if (names.length > headerCount) return { status: 431, text: `more than ${headerCount} headers` };
  if (names.filter(isHost).length > 1) return { status: 400, text: "more than one Host" };
  // HTTP/1.0 knows no Host, and load balancers ask for health so.
  if (request.httpVersionMinor === 0) request.headers.host ??= "localhost";
  if (request.headers.host === undefined) return noHost;
  if (!isPath(target) && !isAsterisk(method, target) && !toOriginForm(request)) return badTarget;
  return faultOfAuthority(request.headers.host);
}

/** What is wrong with the request, or undefined. @param authority that of Host if a proxy has translated the request */
export function findHttp2Fault(
  method: string | undefined,
  target: string,
  authority: string | undefined,
  expect: string | undefined,
): HeadFault | undefined {
  if (method === "CONNECT") return noConnect;
  if (expect !== undefined && expect !== "100-continue") return badExpectation;
  if (!isPath(target) && !isAsterisk(method, target)) return badTarget;
  return faultOfAuthority(authority);
}

/** No expectation but `100-continue` is known (RFC 9110 section 10.1.1). */
export const badExpectation: HeadFault = { status: 417, text: "unknown expectation" };
/** There is no tunnel. */
const noConnect: HeadFault = { status: 405, text: "CONNECT is not served" };
const badTarget: HeadFault = { status: 400, text: "bad request target" };
const noHost: HeadFault = { status: 400, text: "no Host" };

function faultOfAuthority(authority: string | undefined): HeadFault | undefined {
  if (authority === undefined) return noHost;
  return isAuthority(authority) ? undefined : { status: 400, text: "bad Host" };
}

/** Whether a target is in origin form. */
export function isPath(target: string): boolean {
  return target.startsWith("/");
}

function isAsterisk(method: string | undefined, target: string): boolean {
  return target === "*" && method === "OPTIONS";
}

const absoluteForm = /^https?:\/\/(?<authority>[^/?#]+)(?<target>.*)$/is;

/**
 * Takes authority and target out of an absolute form. The authority replaces the Host header (RFC 9112 section 3.2.2). The
 * target stays as it was sent, as in origin form: a URL parser would resolve its dot segments.
 */
function toOriginForm(request: Http1Request): boolean {
  const { authority, target = "" } = absoluteForm.exec(request.url ?? "")?.groups ?? {};
  if (authority === undefined || !isAuthority(authority)) return false;
  request.headers.host = authority;
  request.url = isPath(target) ? target : `/${target}`;
  return true;
}

function isHost(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === "host";
}
