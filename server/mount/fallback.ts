// Gives requests that nothing else serves to the application, as `fetch` has requests and responses.
import type { OutgoingHttpHeaders } from "node:http";
import { type Exchange, type ExchangeOwner, type Handler, respond, targetOf } from "../http/exchange.js";
import { hopByHop, toWebHeaders } from "../http/header.js";
import { withoutPrefix } from "./prefix.js";

/**
 * Serves requests that nothing else serves: own routes, static files, webhooks. Undefined is 404. What it throws becomes 500.
 */
export type Fallback = (request: Request) => Response | undefined | Promise<Response | undefined>;

/**
 * @param maxBytes maximum size of a request body. A larger one fails when it is read, and the request gets 413.
 * @param refuse serves requests for which there is no response
 */
export function createFallback(fallback: Fallback, maxBytes: number, refuse: Handler): Handler {
  return async (prefixed) => {
    const exchange = withoutPrefix(prefixed);
    // `Request` throws for them.
    if (/^(?:CONNECT|TRACE|TRACK)$/i.test(exchange.method)) return refuse(prefixed);
    if (Number(exchange.headers["content-length"]) > maxBytes) return refuseBody(exchange, maxBytes);
    const owner = new WebOwner(exchange, maxBytes);
    const response = await callFallback(fallback, owner);
    if (exchange.isClosed) await response?.body?.cancel();
    else if (owner.isTooLarge) {
      await response?.body?.cancel();
      refuseBody(exchange, maxBytes);
    } else if (response === undefined) return refuse(prefixed);
    else await owner.send(response);
  };
}

/** Calls the fallback. An error that follows from too large a body is none of the application. */
async function callFallback(fallback: Fallback, owner: WebOwner): Promise<Response | undefined> {
  try {
    return await fallback(owner.request);
  } catch (error) {
    if (owner.isTooLarge) return undefined;
    throw error;
  }
}

function refuseBody(exchange: Exchange, maxBytes: number): void {
  respond(exchange, 413, { "content-type": "text/plain; charset=utf-8" }, `${tooLarge(maxBytes)}\n`);
}

const tooLarge = (maxBytes: number) => `body: expected at most ${maxBytes} bytes, found more`;

/** A request as a `Request`, whose body is read when the application reads it. */
class WebOwner implements ExchangeOwner {
  readonly request: Request;
  /** Whether the application has read more than it may. */
  isTooLarge = false;
  readonly #exchange: Exchange;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #closed = new AbortController();
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: () => void = () => {};

  constructor(exchange: Exchange, maxBytes: number) {
    this.#exchange = exchange;
    this.#maxBytes = maxBytes;
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
    this.#exchange.pause();
    this.#bytes += chunk.length;
    this.isTooLarge = this.#bytes > this.#maxBytes;
    if (this.isTooLarge) this.#failBody(new RangeError(tooLarge(this.#maxBytes)));
    else this.#body?.enqueue(chunk);
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
    this.#failBody(new Error("the client has disconnected"));
  }

  #failBody(error: Error): void {
    this.#body?.error(error);
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
