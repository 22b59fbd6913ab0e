// Gives requests that nothing else serves to the application, as `fetch` has requests and responses.
import type { OutgoingHttpHeaders } from "node:http";
import { type Exchange, type ExchangeOwner, type Handler, targetOf } from "../http/exchange.js";
import { hopByHop, toWebHeaders } from "../http/header.js";
import { withoutPrefix } from "./prefix.js";

/**
 * Serves requests that nothing else serves: own routes, static files, webhooks. Undefined is 404. What it throws becomes 500.
 */
export type Fallback = (request: Request) => Response | undefined | Promise<Response | undefined>;

/** @param refuse serves requests for which there is no response */
export function createFallback(fallback: Fallback, refuse: Handler): Handler {
  return async (prefixed) => {
    const exchange = withoutPrefix(prefixed);
    // `Request` throws for them.
    if (/^(?:CONNECT|TRACE|TRACK)$/i.test(exchange.method)) return refuse(prefixed);
    const owner = new WebOwner(exchange);
    const response = await fallback(owner.request);
    if (exchange.isClosed) await response?.body?.cancel();
    else if (response === undefined) return refuse(prefixed);
    else await owner.send(response);
  };
}

/** A request as a `Request`, whose body is read when the application reads it. */
class WebOwner implements ExchangeOwner {
  readonly request: Request;
  readonly #exchange: Exchange;
  readonly #closed = new AbortController();
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: () => void = () => {};

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    const { method, scheme, authority } = exchange;
    this.request = new Request(`${scheme}://${authority}${targetOf(exchange)}`, {
      method,
      headers: toWebHeaders(exchange.headers),
      signal: this.#closed.signal,
      ...(method !== "GET" && method !== "HEAD" && { body: this.#openBody(), duplex: "half" }),
    });
    exchange.attach(this);
  }

  #openBody(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller;
        },
        pull: () => this.#exchange.read(),
        cancel: () => this.#exchange.pause(),
      },
      { highWaterMark: 0 },
    );
  }

  onData(chunk: Buffer): void {
    this.#body?.enqueue(chunk);
    this.#exchange.pause();
  }
  onEnd(): void {
    this.#body?.close();
    this.#body = undefined;
  }
  onDrain(): void {
    this.#drained();
  }
  onClose(): void {
    this.#drained();
    if (!this.#exchange.isFinished) this.#closed.abort();
    this.#body?.error(new Error("the client has disconnected"));
    this.#body = undefined;
  }

  /** Sends a response. Rejects if its body fails. */
  async send({ status, headers, body }: Response): Promise<void> {
    const exchange = this.#exchange;
    if (body === null || exchange.method === "HEAD") {
      await body?.cancel();
      exchange.sendHeadOnly(status, toOutgoing(headers));
      return;
    }
    exchange.sendHead(status, toOutgoing(headers));
    for await (const chunk of body) {
      if (exchange.isClosed) return;
      if (!exchange.write(chunk)) await this.#room();
    }
    if (!exchange.isClosed) exchange.end();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }
}

function toOutgoing(headers: Headers): OutgoingHttpHeaders {
  const cookies = headers.getSetCookie();
  const others = [...headers].filter(([name]) => name !== "set-cookie" && !hopByHop.includes(name));
  return { ...Object.fromEntries(others), ...(cookies.length > 0 && { "set-cookie": cookies }) };
}
