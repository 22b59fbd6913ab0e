// One request and its response in one plain shape, whatever the HTTP version: what a listener hands on.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

/** Answers one request. If it throws or rejects, the listener reports the error and replies 500. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

/** What is written of a body: bytes, or text, which is sent as UTF-8. */
export type Body = Uint8Array | string;

/** A body as bytes. */
export function toBytes(body: Body): Uint8Array {
  return typeof body === "string" ? Buffer.from(body) : body;
}

/** The head of a request that is well-formed. */
export interface RequestHead {
  readonly httpVersion: 1 | 2;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host and port as the client named them. */
  readonly authority: string;
  /** The path as it was sent, from the first "/" to the query. */
  readonly path: string;
  /** What follows the first "?" of the target, as it was sent; undefined if there is none. */
  readonly query: string | undefined;
  /**
   * Lower-case name → value; names that repeat are joined by commas, `set-cookie` is a list. Pseudo-headers are not among
   * them. No secret is taken out.
   */
  readonly headers: IncomingHttpHeaders;
  /** The connection; with TLS a TLSSocket. To be looked at, not to be read or written. */
  readonly socket: Socket;
}

/** What an application sees of the head of a request: names as those of Node's own requests. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  /** Lower-case name → value, without pseudo-headers. */
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: "1.1" | "2.0";
  /** The connection; with TLS a TLSSocket. To be looked at, not to be read or written. */
  readonly socket: Socket;
}

/** The target of a request, in origin form: path and query as they were sent. */
export function targetOf({ path, query }: Pick<RequestHead, "path" | "query">): string {
  return query === undefined ? path : `${path}?${query}`;
}

/** The head of a request for an application. */
export function toRequestInfo(head: RequestHead): RequestInfo {
  const { method, headers, socket } = head;
  return { method, url: targetOf(head), headers, httpVersion: head.httpVersion === 2 ? "2.0" : "1.1", socket };
}

/** A request that is well-formed, and the way to its response. */
export interface Exchange extends RequestHead {
  readonly isHeadSent: boolean;
  /** Whether the response has been closed: all of it has left, or nobody is there to read it. */
  readonly isClosed: boolean;
  /** Whether all of the response has been handed to the connection. */
  readonly isFinished: boolean;
  /** The HTTP/2 error code that the stream was closed with; CANCEL for a connection of HTTP/1.1 that was lost. */
  readonly resetCode: number;
  /**
   * Maximum size of the headers, and of the trailers, of the response in bytes, as `headerBytes` of header-size.ts counts
   * them: 64,000, or less if the client of an HTTP/2 connection has announced less.
   */
  readonly maxHeaderBytes: number;
  /**
   * Sends status and headers. Once, and before anything else. The headers must not change afterwards.
   *
   * @param hasTrailers whether `end` will bring trailers
   * @throws HeaderSizeError if they are over `maxHeaderBytes`, with nothing sent
   * @throws TypeError if Node refuses a header, with nothing sent
   */
  sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void;
  /** Sends status and headers as the whole response. Throws as `sendHead`. */
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void;
  /** Sends a part of the body. Returns false if the client reads more slowly than is written: `onDrain` tells when to go on. */
  write(chunk: Uint8Array): boolean;
  /**
   * Ends the response, with a last part of the body and trailers.
   *
   * @throws HeaderSizeError if the trailers are over `maxHeaderBytes`, with nothing sent
   */
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void;
  /**
   * Aborts the response, so that the client sees that it is incomplete: HTTP/2 resets the stream with INTERNAL_ERROR,
   * HTTP/1.1 closes the connection.
   */
  cut(): void;
  /** Names the one who is told of what happens. Once; without it, what comes is not read. */
  attach(owner: ExchangeOwner): void;
  /** Begins to read the body, or goes on after `pause`. */
  read(): void;
  /** Leaves the body unread, so that the client has to wait. */
  pause(): void;
}

/** Who serves an exchange. It is let go of as soon as the exchange is closed. */
export interface ExchangeOwner {
  /**
   * Whether the client owes bytes of the body: it has sent a part of a message, or has yet to send the only message of its
   * request. A client that then sends nothing has stalled. Not true of a client that may wait between two messages.
   */
  readonly owesRest?: boolean;
  /** A part of the body. */
  onData(chunk: Buffer): void;
  /** The body is complete. */
  onEnd(): void;
  /** What was written has left. */
  onDrain(): void;
  /** The response has been closed: it has left, or nobody is there to read it. The last call of all. */
  onClose(): void;
}

/** Header of every response that does not come from a handler: browsers must not guess its type from its content. */
export const noSniff: Readonly<Record<string, string>> = { "x-content-type-options": "nosniff" };

/** Sends a whole response that does not come from a handler. */
export function respond(exchange: Exchange, status: number, headers: OutgoingHttpHeaders, body: Body = ""): void {
  exchange.sendHead(status, { ...noSniff, ...headers, "content-length": Buffer.byteLength(body) });
  if (body.length > 0 && exchange.method !== "HEAD") exchange.end(body);
  else exchange.end();
}
