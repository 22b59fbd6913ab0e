// The headers of responses to pages of other origins.
import type { OutgoingHttpHeaders } from "node:http";
import { NodeHeaders } from "../../http/header.js";
import { PreparedHead } from "../../http/prepared-head.js";

/** gRPC-Web clients read the status from them if the response has no body. */
const statusHeaders: readonly string[] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];

/** Names that pages may read without being allowed to, or never, or that say nothing to them. */
const unlisted: ReadonlySet<string> = new Set([
  ...["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"],
  ...["set-cookie", "trailer", "vary", "x-content-type-options"],
  ...statusHeaders,
]);

/** What the responses to pages of one origin have. */
export class ResponseHeaders {
  /** What they say of the origin; empty if its pages may not read them. */
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** Those of a response that has no others. */
  readonly alone: Readonly<OutgoingHttpHeaders>;
  readonly #isGrant: boolean;
  readonly #exposed: string;
  readonly #prepared = new WeakMap<PreparedHead, PreparedHead>();

  /** @param exposed names of headers that pages may read besides those of a response */
  constructor(headers: Readonly<OutgoingHttpHeaders>, exposed: readonly string[] = []) {
    this.headers = headers;
    this.#isGrant = headers["access-control-allow-origin"] !== undefined;
    this.#exposed = [...statusHeaders, ...exposed].join(", ");
    this.alone = this.addTo({});
  }

  /** Returns the headers of a response with those for the origin. Copies by name: spreading two objects takes 10 times as long. */
  addTo(headers: Readonly<OutgoingHttpHeaders>): OutgoingHttpHeaders {
    const all: OutgoingHttpHeaders = new NodeHeaders();
    let names = this.#exposed;
    for (const name in headers) {
      all[name] = headers[name];
      if (!unlisted.has(name) && !name.startsWith("access-control-")) names += `, ${name}`;
    }
    for (const name in this.headers) all[name] = this.headers[name];
    if (this.#isGrant) all["access-control-expose-headers"] = names;
    all.vary = addOrigin(headers.vary);
    return all;
  }

  /** As `addTo`, made once for each head. */
  addToPrepared(head: PreparedHead): PreparedHead {
    const known = this.#prepared.get(head);
    if (known !== undefined) return known;
    const made = new PreparedHead(head.status, this.addTo(head.headers));
    this.#prepared.set(head, made);
    return made;
  }
}

function addOrigin(vary: OutgoingHttpHeaders[string]): string {
  return vary === undefined ? "Origin" : `${String(vary)}, Origin`;
}
