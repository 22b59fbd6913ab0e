// A request and its response, in either HTTP version.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { PreparedHead } from "./prepared-head.js";

/** Serves one request. If it throws or rejects, the listener reports the error and replies 500. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

/** A chunk of a response body: bytes, or text, which is sent as UTF-8. */
export type Body = Uint8Array | string;

/** Returns the body as bytes. */
export function toBytes(body: Body): Uint8Array {
  return typeof body === "string" ? Buffer.from(body) : body;
}

/** The head of a well-formed request. */
export interface RequestHead {
  readonly httpVersion: 1 | 2;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host and port as the client sent them. */
  readonly authority: string;
  /** The path as it was sent, from the first "/" to the query. */
  readonly path: string;
  /** What follows the first "?" of the target, as it was sent; undefined if there is none. */
  readonly query: string | undefined;
  /**
   * Lower-case name → value. Repeated headers are joined by commas; `set-cookie` is a list. Includes sensitive headers such
   * as `authorization`, and no pseudo-headers. Must not be changed: requests may share it.
   */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as an HTTP/1.1 client sent them; undefined in HTTP/2. */
  readonly rawHeaders?: readonly string[] | undefined;
  /** Whether an HTTP/1 request is of version 1.0. */
  readonly isHttp10?: boolean;
  /** The connection; with TLS a TLSSocket. For information only: do not read or write it. */
  readonly socket: Socket;
  /**
   * Address of the client: IPv4 (`192.0.2.1`), or IPv6 without brackets and zone (`::1`); `""` where there is none, as on a Unix
   * socket, or for a request that no connection carries. That of the client of trusted proxies, if there are any.
   */
  readonly peer: string;
  /** Address of the trusted proxy that has sent the request, as `peer` has it; absent if no trusted proxy has. */
  readonly proxy?: string | undefined;
}

/** The head of a request for applications. The names are those of Node's requests. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  /** Lower-case name → value, without pseudo-headers. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn: in HTTP/1.1 as the client sent them, in HTTP/2 those of `headers`. */
  readonly rawHeaders: readonly string[];
  readonly httpVersion: "1.0" | "1.1" | "2.0";
  /** Address of the client; `""` where there is none. That of the client of trusted proxies, if there are any. */
  readonly peer: string;
  /** The connection; with TLS a TLSSocket. For information only: do not read or write it. */
  readonly socket: Socket;
}

/** Splits a target in origin form at its first "?". */
export function splitTarget(target: string): Pick<RequestHead, "path" | "query"> {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: undefined };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Whether a response with this status has a body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
export function statusHasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

/** Returns the target in origin form: path and query as they were sent. */
export function targetOf({ path, query }: Pick<RequestHead, "path" | "query">): string {
  return query === undefined ? path : `${path}?${query}`;
}

/** Converts a head for applications. */
export function toRequestInfo(head: RequestHead): RequestInfo {
  const { method, headers, peer, socket } = head;
  const httpVersion = head.httpVersion === 2 ? "2.0" : head.isHttp10 === true ? "1.0" : "1.1";
  return {
    method,
    url: targetOf(head),
    // Requests may share their headers, and an application may change what it gets.
    headers: { ...headers },
    // A list that few read, and that takes longer than all else here.
    get rawHeaders() {
      return head.rawHeaders ?? listHeaders(headers);
    },
    httpVersion,
    peer,
    socket,
  };
}

function listHeaders(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value = ""]) => [value].flat().flatMap((one) => [name, one]));
}

/** A well-formed request, and the methods that send its response. */
export interface Exchange extends RequestHead {
  readonly isHeadSent: boolean;
  /** Whether the response is closed: all of it was sent, or the client is gone. */
  readonly isClosed: boolean;
  /** Whether all of the response was written to the connection. */
  readonly isFinished: boolean;
  /** The HTTP/2 error code that closed the stream; CANCEL for a lost HTTP/1.1 connection. */
  readonly resetCode: number;
  /**
   * Maximum size of response headers, and of trailers, in bytes, as `headerBytes` of header.ts counts them: 64,000, or
   * less if an HTTP/2 client has announced less.
   */
  readonly maxHeaderBytes: number;
  /**
   * Sends status and headers. Call once, before anything else. The headers must not change afterwards.
   *
   * @param hasTrailers whether trailers will be passed to `end`
   * @throws HeaderSizeError if they are over `maxHeaderBytes`, with nothing sent
   * @throws TypeError if Node refuses a header, with nothing sent
   */
  sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void;
  /** Sends a head that many responses share. Throws like `sendHead`. */
  sendPreparedHead(head: PreparedHead, hasTrailers?: boolean): void;
  /** Sends status and headers as the whole response. Throws like `sendHead`. */
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void;
  /** Writes a chunk of the body. Returns false if the client reads too slowly: wait for `onDrain`. */
  write(chunk: Uint8Array): boolean;
  /**
   * Ends the response, with a last chunk of the body and trailers.
   *
   * @throws HeaderSizeError if the trailers are over `maxHeaderBytes`, with nothing sent
   */
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void;
  /**
   * Aborts the response. HTTP/2 resets the stream with INTERNAL_ERROR; HTTP/1.1 closes the connection.
   */
  cut(): void;
  /** Sets the listener for body and close events. Call once. The body is not read until then. */
  attach(owner: ExchangeOwner): void;
  /** Starts to read the body, or resumes after `pause`. */
  read(): void;
  /** Stops reading the body, so that the client has to wait. */
  pause(): void;
  /**
   * Headers of a response that an HTTP/1.1 connection sends by itself, such as 408 to a body that does not come. A filter may
   * set them.
   */
  refusalHeaders?: Readonly<OutgoingHttpHeaders> | undefined;
  /** Gives the request back to the framework that has passed it to the server. Absent if there is none. */
  readonly passOn?: (() => void) | undefined;
}

/** The listener of an exchange. The exchange drops its reference when it is closed. */
export interface ExchangeOwner {
  /**
   * Whether the client must send more of the body: it has sent a part of a message, or has not sent the only message of its
   * request. A client that then sends nothing has stalled. False for a client that may wait between two messages.
   */
  readonly owesRest?: boolean;
  /** Called with a chunk of the body. */
  onData(chunk: Buffer): void;
  /** Called when the body is complete. */
  onEnd(): void;
  /** Called when written chunks were sent, after `write` returned false. */
  onDrain(): void;
  /** Called when the response is closed: all of it was sent, or the client is gone. The last call. */
  onClose(): void;
}

/** Header of responses that do not come from a handler: browsers must not sniff their type. */
export const noSniff: Readonly<Record<string, string>> = { "x-content-type-options": "nosniff" };

/** Sends a whole response that does not come from a handler. Throws like `sendHead`. */
export function respond(exchange: Exchange, status: number, headers: OutgoingHttpHeaders, body: Body = ""): void {
  exchange.sendHead(status, { ...noSniff, ...headers, "content-length": Buffer.byteLength(body) });
  if (body.length > 0 && exchange.method !== "HEAD") exchange.end(body);
  else exchange.end();
}

/** A name with a port that a URL parser would leave as it is. Numbers may be addresses, and `xn--` is looked into. */
const plainName = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::(?!80$|443$)[1-9]\d*)?$/;
/** A path that a URL parser would leave as it is. */
const plainPath = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)+$/;

/** The last values that needed no normalisation. Most requests repeat them. */
const last = { scheme: "", authority: "", path: "" };

/**
 * The URL that was called, normalised as a URL parser does. The listener has checked the authority. Parsing is only done
 * where it could change something.
 */
export function requestUrl(head: Pick<RequestHead, "scheme" | "authority" | "path" | "query">): string {
  const { scheme, authority } = head;
  const target = targetOf(head);
  const url = `${scheme}://${authority}${target}`;
  if (target !== last.path) {
    if (!plainPath.test(target)) return new URL(url).toString();
    last.path = target;
  }
  if ((authority === last.authority && scheme === last.scheme) || plainName.test(authority)) return url;
  const normalised = new URL(url).toString();
  if (normalised === url) Object.assign(last, { scheme, authority });
  return normalised;
}
