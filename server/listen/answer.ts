// Brings the requests of both HTTP versions to one handler, and answers what is no request itself.
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
    // There is nothing to say about the server as a whole (RFC 9110 section 9.3.7).
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
    // What the handler left unread would keep the next request of the connection waiting.
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
    // Pipelined requests are answered one after the other. Of those whose turn never comes Node tells nothing more.
    if (response.socket === null) response.once("socket", begin);
    else begin();
  });
  servers.http2.server.on("stream", (stream, headers, _flags, rawHeaders: string[] = []) => {
    stream.on("error", ignore);
    // Reset before it was looked at; Node throws for whoever answers it.
    if (stream.destroyed || stream.closed) return;
    if (servers.http2.refuseTooLong(stream, rawHeaders) || !takeExpectation(stream, headers)) return;
    const fault = findHttp2Fault(headers);
    answer(new Http2Exchange(stream, headers), fault);
  });
  refuseOthers(servers, connections, report);
}

const tooManyCalls = { code: "TOO_MANY_CALLS" };

/** Does with CONNECT and Expect what Node's own request event does. Returns false if the request has been answered. */
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
  // Node answers CONNECT not at all on HTTP/1.1.
  http1.server.on("connect", (_request: IncomingMessage, socket) => {
    connections.refuse(socket as Socket, { code: "CONNECT" });
  });
}

/** The client of a handler that threw learns at least that it has not got a whole answer. */
function fail(exchange: Exchange): void {
  if (exchange.isClosed) return;
  if (exchange.isHeadSent) exchange.cut();
  else respond(exchange, 500, {});
}

/** The `close` event that follows tells whoever serves the stream. */
function ignore(): void {}
