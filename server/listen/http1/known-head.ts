// What is derived from the head of a request. Clients send the same head again and again.
import type { IncomingHttpHeaders } from "node:http";
import { splitTarget } from "../../http/exchange.js";
import type { RequestHead } from "../../http1/request-head.js";
import { toHeaders } from "../headers.js";
import { keepIfRepeated } from "../repeated-head.js";
import { badExpectation, findHttp1Fault, type HeadFault } from "../well-formed.js";

/** A head as exchanges have it. Requests with the same bytes share it. */
export class KnownHead {
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Must not be changed. Frozen if requests share them. */
  readonly headers: IncomingHttpHeaders;
  readonly fault: HeadFault | undefined;

  constructor({ method, target, isHttp10, fields, expectation }: RequestHead, headerCount: number) {
    const headers = toHeaders(fields);
    const request = { method, url: target, httpVersionMinor: isHttp10 ? 0 : 1, headers };
    const names = fields.map(({ name }) => name);
    const fault = findHttp1Fault(request, names, headerCount);
    const hasBadExpectation = expectation !== undefined && expectation !== "100-continue";
    const { path, query } = splitTarget(request.url);
    this.authority = headers.host ?? "";
    this.path = path;
    this.query = query;
    this.headers = headers;
    this.fault = fault ?? (hasBadExpectation ? badExpectation : undefined);
  }
}

/** Returns what is known of a head. Requests share it from the second time on. @param headerCount the most headers that a request may have */
export function knownHeadOf(head: RequestHead, headerCount: number): KnownHead {
  if (head.memo instanceof KnownHead) return head.memo;
  const known = new KnownHead(head, headerCount);
  keepIfRepeated(head, known);
  return known;
}
