// What is derived from the head of a request. Clients send the same head again and again, or similar ones.
import type { IncomingHttpHeaders } from "node:http";
import { splitTarget } from "../../http/exchange.js";
import type { RequestFields } from "../../http2/field-rules.js";
import { toHeaders } from "../headers.js";
import { keep, keepIfRepeated, similarHeaders } from "../shared-head.js";
import { findHttp2Fault, type HeadFault } from "../well-formed.js";

/** A head as exchanges have it. Requests with the same field lines share it. */
export class KnownHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Must not be changed. Frozen if requests share them. */
  readonly headers: IncomingHttpHeaders;
  readonly fault: HeadFault | undefined;

  constructor(head: RequestFields, headers: IncomingHttpHeaders) {
    const { path, query } = splitTarget(head.path);
    this.method = head.method;
    this.authority = head.authority;
    this.path = path;
    this.query = query;
    this.headers = headers;
    const authority = head.authority === "" ? undefined : head.authority;
    this.fault = findHttp2Fault(head.method, head.path, authority, headers.expect);
  }
}

/** Returns what is known of a head. Requests share it from the second time on, and similar ones what they have in common. */
export function knownHeadOf(head: RequestFields): KnownHead {
  if (head.memo instanceof KnownHead) return head.memo;
  const known = new KnownHead(head, headersOf(head));
  keepIfRepeated(head, known);
  return known;
}

function headersOf({ fields, similar }: RequestFields): IncomingHttpHeaders {
  if (similar === undefined) return toHeaders(fields);
  const { head: base, changes } = similar;
  const known = base.memo instanceof KnownHead ? base.memo : keep(base, new KnownHead(base, toHeaders(base.fields)));
  return similarHeaders(base, known, changes) ?? toHeaders(fields);
}
