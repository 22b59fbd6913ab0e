// Serves requests as `fetch` has them: for route handlers of frameworks, and for tests without a port.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { Socket } from "node:net";
import { type Body, type Exchange, type ExchangeOwner, statusHasBody, toBytes } from "../http/exchange.js";
import { checkHeaderSize, hopByHop, maxHeaderBytes, NodeHeaders, toWebHeaders } from "../http/header.js";
import type { PreparedHead } from "../http/prepared-head.js";

/** Serves one request. Rejects if its signal is aborted, or the response is aborted before it begins. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** @param onRequest serves an exchange */
export function createFetch(onRequest: (exchange: Exchange) => void): FetchHandler {
  return async (request) => {
    if (/^application\/grpc(?!-web)/i.test(request.headers.get("content-type") ?? "")) {
      return new Response(grpcNeedsTrailers, { status: 415 });
    }
    return serveFetch(onRequest, request, 1);
  };
}

/**
 * Passes one request to `serve`. Rejects if its signal is aborted, or the response is aborted before it begins.
 *
 * @param httpVersion 2 if the body of the request may go on after the response has begun
 */
export async function serveFetch(
  serve: (exchange: Exchange) => void,
  request: Request,
  httpVersion: 1 | 2,
): Promise<Response> {
  request.signal.throwIfAborted();
  return new Promise((resolve, reject) => serve(new FetchExchange(request, httpVersion, resolve, reject)));
}

const grpcNeedsTrailers = "gRPC needs trailers, which a fetch Response does not have: use gRPC-Web or Connect\n";

/** Response bytes that may wait for the reader. */
const waitingBytes = 64 * 1024;

/** HTTP/2's CANCEL. */
const canceled = 8;

/** The connection that there is none of. */
let noSocket: Socket | undefined;

/** A request and its response, which has no trailers. */
class FetchExchange implements Exchange {
  readonly httpVersion: 1 | 2;
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly peer: string = "";
  readonly maxHeaderBytes: number = maxHeaderBytes;
  readonly resetCode: number = canceled;
  isClosed = false;
  isFinished = false;
  readonly #request: Request;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: unknown) => void;
  #owner: ExchangeOwner | undefined;
  #head: { readonly status: number; readonly headers: Headers } | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isAnswered = false;
  #isFull = false;
  #isReading = false;
  #isPumping = false;
  #resume: () => void = () => {};

  constructor(
    request: Request,
    httpVersion: 1 | 2,
    resolve: (response: Response) => void,
    reject: (reason: unknown) => void,
  ) {
    const { protocol, host, pathname, search } = new URL(request.url);
    this.httpVersion = httpVersion;
    this.method = request.method;
    this.scheme = protocol === "https:" ? "https" : "http";
    this.authority = host;
    this.path = pathname;
    this.query = search === "" ? undefined : search.slice(1);
    this.headers = toIncoming(request.headers);
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal.addEventListener("abort", () => this.#lose(request.signal.reason));
  }

  get socket(): Socket {
    noSocket ??= new Socket();
    return noSocket;
  }
  get isHeadSent(): boolean {
    return this.#head !== undefined;
  }

  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    checkHeaderSize(this, headers, "headers");
    this.#head = { status, headers: toHeaders(headers) };
    // A body that follows at once needs no stream.
    queueMicrotask(() => this.#open());
  }
  sendPreparedHead({ status, headers }: PreparedHead): void {
    this.sendHead(status, headers);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    this.sendHead(status, headers);
    this.end();
  }
  write(chunk: Uint8Array): boolean {
    if (this.isClosed) return true;
    const stream = this.#open();
    stream?.enqueue(chunk);
    this.#isFull = (stream?.desiredSize ?? 1) <= 0;
    return !this.#isFull;
  }
  end(chunk?: Body): void {
    if (this.isClosed) return;
    if (!this.#isAnswered) {
      this.#answer(chunk === undefined ? null : new Uint8Array(toBytes(chunk)));
    } else {
      if (chunk !== undefined) this.#stream?.enqueue(toBytes(chunk));
      this.#stream?.close();
    }
    this.isFinished = true;
    queueMicrotask(() => this.#close());
  }
  cut(): void {
    this.#lose(new Error("the response was aborted"));
  }

  #open(): ReadableStreamDefaultController<Uint8Array> | undefined {
    if (this.#isAnswered || this.isClosed) return this.#stream;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => this.#drain(),
        cancel: () => this.#close(),
      },
      { highWaterMark: waitingBytes, size: (chunk) => chunk.byteLength },
    );
    this.#answer(body);
    return this.#stream;
  }

  #answer(body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null): void {
    if (this.#head === undefined) return;
    this.#isAnswered = true;
    const { status } = this.#head;
    // `Response` throws for a body where there can be none.
    const isEmpty = !statusHasBody(status) || this.method === "HEAD";
    this.#resolve(new Response(isEmpty ? null : body, this.#head));
  }

  #drain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#owner?.onDrain();
  }

  /** Ends a request whose response is not complete. */
  #lose(reason: unknown): void {
    if (this.isClosed || this.isFinished) return;
    if (this.#isAnswered) this.#stream?.error(reason);
    else this.#reject(reason);
    this.#close();
  }

  #close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#resume();
    this.#owner?.onClose();
    this.#owner = undefined;
  }

  attach(owner: ExchangeOwner): void {
    this.#owner = owner;
  }
  read(): void {
    this.#isReading = true;
    this.#resume();
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pump().catch((reason) => this.#lose(reason));
  }
  pause(): void {
    this.#isReading = false;
  }

  async #pump(): Promise<void> {
    const reader = this.#request.body?.getReader();
    while (!this.isClosed) {
      const next = await reader?.read();
      while (!this.#isReading && !this.isClosed) await this.#resumed();
      if (this.isClosed) break;
      if (next?.value === undefined) {
        this.#owner?.onEnd();
        return;
      }
      const { buffer, byteOffset, byteLength } = next.value;
      this.#owner?.onData(Buffer.from(buffer, byteOffset, byteLength));
    }
    await reader?.cancel();
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }
}

/**
 * Without TE: a `Response` has no trailers. And without compressed bodies: Next sends them without their `content-encoding`
 * (seen with 16.4), and Cloudflare's workers compress them once more. What serves a `Response` compresses by itself.
 */
function toIncoming(headers: Headers): IncomingHttpHeaders {
  const incoming = new NodeHeaders();
  headers.forEach((value, name) => {
    if (name !== "te") incoming[name] = value;
  });
  incoming["accept-encoding"] = "identity";
  return incoming;
}

function toHeaders(headers: OutgoingHttpHeaders): Headers {
  return toWebHeaders(Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name))));
}
