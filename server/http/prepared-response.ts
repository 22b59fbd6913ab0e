// A whole response that many requests share.
import type { OutgoingHttpHeaders } from "node:http";
import { type Body, type Exchange, noSniff, toBytes } from "./exchange.js";
import { PreparedHead } from "./prepared-head.js";

/** A response that does not come from a handler, made once. */
export class PreparedResponse {
  readonly #head: PreparedHead;
  readonly #body: Uint8Array | undefined;

  /** @param body undefined if the head is the whole response, as with a status of gRPC */
  constructor(status: number, headers: OutgoingHttpHeaders, body?: Body) {
    const bytes = body === undefined ? undefined : toBytes(body);
    const length = bytes === undefined ? {} : { "content-length": bytes.length };
    this.#head = new PreparedHead(status, Object.freeze({ ...noSniff, ...headers, ...length }));
    this.#body = bytes;
  }

  /** Sends it. Throws like `sendHead`. */
  send(exchange: Exchange): void {
    const { status, headers } = this.#head;
    if (this.#body === undefined || exchange.method === "HEAD") exchange.sendHeadOnly(status, headers);
    else {
      exchange.sendPreparedHead(this.#head);
      exchange.end(this.#body);
    }
  }
}
