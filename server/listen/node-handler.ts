// Serves requests of a server of Node that the application owns: of `http`, `https` or `http2`, or of a framework on them.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Clock, systemClock } from "../clock.js";
import { type Exchange, respond } from "../http/exchange.js";
import { peerOf } from "../http/peer.js";
import type { PreparedHead } from "../http/prepared-head.js";
import { WrappedExchange } from "../http/wrapped-exchange.js";
import { NodeHttp1Exchange } from "./node-http1/exchange.js";
import { NodeHttp2Exchange } from "./node-http2/exchange.js";
import type { Report } from "./report.js";
import { findHttp1Fault, findHttp2Fault, type HeadFault, type OnRequest } from "./well-formed.js";

/**
 * Serves one request. A request for a path that the server does not have goes to `next`, as in Express; without it, it gets 404.
 */
export type NodeHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** @param headerCount maximum number of request headers */
export function createNodeHandler(onRequest: OnRequest, headerCount: number, report: Report): NodeHandler {
  return (request, response, next) => {
    const [exchange, fault] = isHttp2(request, response)
      ? openHttp2(request)
      : openHttp1(request as IncomingMessage, response as ServerResponse, headerCount);
    if (request.readableDidRead) {
      report(new Error(readBefore), "handler");
      respond(exchange, 500, { "content-type": "text/plain; charset=utf-8" }, `${readBefore}\n`);
      return;
    }
    onRequest(next === undefined ? exchange : new PassingExchange(exchange, next), fault);
  };
}

const readBefore = "the body was read before: mount the server before body parsers";

type Opened = [exchange: Exchange, fault: HeadFault | undefined];

function isHttp2(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): request is Http2ServerRequest {
  return request.httpVersionMajor === 2 && "stream" in response;
}

function openHttp2({ stream, headers, method, url }: Http2ServerRequest): Opened {
  const fault = findHttp2Fault(method, url, headers[":authority"] ?? headers.host, headers.expect);
  return [new MountedHttp2Exchange(stream, { ...headers }, systemClock), fault];
}

function openHttp1(request: IncomingMessage, response: ServerResponse, headerCount: number): Opened {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0);
  const fault = findHttp1Fault(request, names, headerCount);
  const exchange = new MountedHttp1Exchange(request, response);
  response.on("close", () => exchange.close());
  return [exchange, fault];
}

/** A request that Node's own classes have read, so that its body comes by events. */
class MountedHttp1Exchange extends NodeHttp1Exchange {
  constructor(request: IncomingMessage, response: ServerResponse) {
    super(request, response);
    // Node forgets the address of a client that disconnects.
    peerOf(request.socket);
    this.readFromStream();
  }
}

/** A stream whose request and response Node has made, too. They leave it alone until they are used, but for the trailers. */
class MountedHttp2Exchange extends NodeHttp2Exchange {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, clock: Clock) {
    super(stream, headers, clock);
    this.#stream = stream;
  }

  override sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void {
    this.#stream.removeAllListeners("wantTrailers");
    super.sendHead(status, headers, hasTrailers);
  }
  override sendPreparedHead(head: PreparedHead, hasTrailers?: boolean): void {
    this.#stream.removeAllListeners("wantTrailers");
    super.sendPreparedHead(head, hasTrailers);
  }
}

/** Gives a request back to the framework. */
class PassingExchange extends WrappedExchange {
  readonly #next: () => void;

  constructor(inner: Exchange, next: () => void) {
    super(inner);
    this.#next = next;
  }

  override get passOn(): () => void {
    return this.#next;
  }
}
