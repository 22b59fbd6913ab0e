// What is derived from the head of a request. Clients send the same head again and again, or similar ones.
import type { IncomingHttpHeaders } from "node:http";
import { splitTarget } from "../../http/exchange.js";
import type { RequestHead } from "../../http1/request-head.js";
import { toHeaders } from "../headers.js";
import { keep, keepIfRepeated, similarHeaders } from "../shared-head.js";
import { badExpectation, findHttp1Fault, type HeadFault, isPath } from "../well-formed.js";

/** A head as exchanges have it. Requests with the same bytes share it. */
export class KnownHead {
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Must not be changed. Frozen if requests share them. */
  readonly headers: IncomingHttpHeaders;
  readonly fault: HeadFault | undefined;

  constructor(target: string, headers: IncomingHttpHeaders, fault: HeadFault | undefined) {
    const { path, query } = splitTarget(target);
    this.authority = headers.host ?? "";
    this.path = path;
    this.query = query;
    this.headers = headers;
    this.fault = fault;
  }
}

/**
 * Returns what is known of a head. Requests share it from the second time on, and similar ones what they have in common.
 *
 * @param headerCount the most headers that a request may have
 */
export function knownHeadOf(head: RequestHead, headerCount: number): KnownHead {
  if (head.memo instanceof KnownHead) return head.memo;
  const known = similarTo(head, headerCount) ?? readHead(head, headerCount);
  keepIfRepeated(head, known);
  return known;
}

function readHead({ method, target, isHttp10, fields, expectation }: RequestHead, headerCount: number): KnownHead {
  const headers = toHeaders(fields);
  const request = { method, url: target, httpVersionMinor: isHttp10 ? 0 : 1, headers };
  const names = fields.map(({ name }) => name);
  const fault = findHttp1Fault(request, names, headerCount);
  const hasBadExpectation = expectation !== undefined && expectation !== "100-continue";
  return new KnownHead(request.url, headers, fault ?? (hasBadExpectation ? badExpectation : undefined));
}

/** What is known of a head by the one that it is similar to; undefined if that is not enough. */
function similarTo({ target, isHttp10, similar }: RequestHead, headerCount: number): KnownHead | undefined {
  if (similar === undefined) return undefined;
  const { head: base, changes } = similar;
  // An absolute form replaces the host, and HTTP/1.0 needs none.
  if (!isPath(target) || !isPath(base.target) || isHttp10 !== base.isHttp10) return undefined;
  const known = base.memo instanceof KnownHead ? base.memo : keep(base, readHead(base, headerCount));
  if (known.fault !== undefined) return undefined;
  const headers = similarHeaders(base, known, changes);
  return headers && new KnownHead(target, headers, undefined);
}
