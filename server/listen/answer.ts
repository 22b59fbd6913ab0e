// Passes HTTP/1.1 and HTTP/2 requests to one handler and rejects malformed ones.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type Exchange, type Handler, noSniff, respond } from "../http/exchange.js";
import type { Servers } from "./accept.js";
import type { Connections } from "./connections.js";
import { Http1Exchange } from "./http1/exchange.js";
import type { ListenLimits } from "./limits.js";
import { type BodySource, exchangeKey } from "./node-exchange.js";
import { Http2Exchange } from "./node-http2/exchange.js";
import type { Report } from "./report.js";
import { type Fault, findHttp1Fault, findHttp2Fault } from "./well-formed.js";

export function answerRequests(
  servers: Servers,
  connections: Connections,
  { streamsPerConnection }: ListenLimits,
  handler: Handler,
  report: Report,
): void {
  function answer(exchange: Exchange, fault: Fault | undefined): void {
    if (fault !== undefined) {
      respond(exchange, fault.status, { "content-type": "text/plain; charset=utf-8" }, `${fault.text}\n`);
      return;
    }
    // `OPTIONS *` (RFC 9110 section 9.3.7).
    if (exchange.path === "*") {
      exchange.sendHeadOnly(204, noSniff);
      return;
    }
    const onError = (error: unknown) => {
      report(error as Error, "handler");
      fail(exchange);
    };
    try {
      handler(exchange)?.catch(onError);
    } catch (error) {
      onError(error);
    }
  }
  function callEnds(this: ServerResponse): void {
    const req: BodySource<IncomingMessage> = this.req;
    connections.callEnds(req.socket);
    req[exchangeKey]?.close();
    // An unread body would block the next request of the connection.
    if (!req.readableEnded) req.resume();
  }
  servers.http1.server.on("request", (request, response) => {
    const { socket } = request;
    if (connections.callBegins(socket, response) > streamsPerConnection) {
      if (connections.refuse(socket, tooManyCalls)) report(new Error("too many pipelined requests"), "http/1.1");
      return;
    }
    response.on("close", callEnds);
    const fault = findHttp1Fault(request, servers.http1.headerCount);
    const begin = () => answer(new Http1Exchange(request, response), fault);
    // Pipelined requests are served one after the other. Node emits nothing for those whose turn never comes.
    if (response.socket === null) response.once("socket", begin);
    else begin();
  });
  servers.http2.server.on("stream", (stream, headers, _flags, rawHeaders: string[] = []) => {
    stream.on("error", ignore);
    // Already reset: Node throws if a response is sent.
    if (stream.destroyed || stream.closed) return;
    if (servers.http2.refuseTooLong(stream, rawHeaders) || !takeExpectation(stream, headers)) return;
    const fault = findHttp2Fault(headers);
    answer(new Http2Exchange(stream, headers), fault);
  });
  refuseOthers(servers, connections, report);
}

const tooManyCalls = { code: "TOO_MANY_CALLS" };

/** Handles CONNECT and Expect like Node's "request" event. Returns false if it has sent the response. */
function takeExpectation(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  if (headers[":method"] === "CONNECT") stream.respond({ ":status": 405, ...noSniff }, { endStream: true });
  else if (headers.expect === undefined) return true;
  else if (headers.expect !== "100-continue") stream.respond({ ":status": 417, ...noSniff }, { endStream: true });
  else stream.additionalHeaders({ ":status": 100 });
  return !stream.headersSent;
}

function refuseOthers({ http1 }: Servers, connections: Connections, report: Report): void {
  http1.server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (connections.refuse(socket as Socket, error)) report(error, "http/1.1");
  });
  http1.server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, noSniff).end();
  });
  // Node sends no response to CONNECT on HTTP/1.1.
  http1.server.on("connect", (_request: IncomingMessage, socket) => {
    connections.refuse(socket as Socket, { code: "CONNECT" });
  });
}

/** After a handler has thrown: replies 500, or aborts the response if its head was already sent. */
function fail(exchange: Exchange): void {
  if (exchange.isClosed) return;
  if (exchange.isHeadSent) exchange.cut();
  else respond(exchange, 500, {});
}

/** The call learns of the error from the "close" event that follows. */
function ignore(): void {}
