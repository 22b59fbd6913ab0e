// What is derived from the head of a request. Clients send the same head again and again.
import type { IncomingHttpHeaders } from "node:http";
import { splitTarget } from "../../http/exchange.js";
import type { RequestHead } from "../../http2/field-rules.js";
import { type Fault, findHttp2Fault } from "../well-formed.js";
import { toHeaders } from "./headers.js";

/** A head as exchanges have it. Requests with the same field lines share it. */
export class KnownHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  /** Must not be changed. */
  readonly headers: IncomingHttpHeaders;
  readonly fault: Fault | undefined;

  constructor(head: RequestHead) {
    const { path, query } = splitTarget(head.path);
    this.method = head.method;
    this.authority = head.authority;
    this.path = path;
    this.query = query;
    this.headers = Object.freeze(toHeaders(head.fields));
    this.fault = findHttp2Fault(head.method, head.path, head.authority === "" ? undefined : head.authority);
  }
}

/** Returns what is known of a head. */
export function knownHeadOf(head: RequestHead): KnownHead {
  if (head.memo instanceof KnownHead) return head.memo;
  const known = new KnownHead(head);
  head.memo = known;
  return known;
}
