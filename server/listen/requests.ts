// Passes HTTP/1.1 and HTTP/2 requests to one handler and rejects malformed ones.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Counters } from "../counters.js";
import { type Exchange, type Handler, noSniff, respond } from "../http/exchange.js";
import { applyFilters, type Filter } from "../http/filter.js";
import type { Servers } from "./accept.js";
import type { Connections } from "./connections.js";
import { Http1Exchange } from "./http1/exchange.js";
import type { ListenLimits } from "./limits.js";
import { type BodySource, exchangeKey } from "./node-exchange.js";
import type { Report } from "./report.js";
import { badExpectation, findHttp1Fault, type HeadFault, type OnRequest } from "./well-formed.js";

/** Makes the function that passes well-formed requests to a handler, and rejects the others. Filters get both. */
export function passRequestsTo(
  handler: Handler,
  filters: readonly Filter[],
  report: Report,
  counters: Counters,
): OnRequest {
  // An error of the handler is sent through the exchange of the filters; an error of a filter through the original one.
  const filtered = (inner: Handler) => {
    const safe = catchErrors(inner, report);
    return filters.length === 0 ? safe : catchErrors(applyFilters(filters, safe), report);
  };
  const serve = filtered((exchange) => {
    // `OPTIONS *` (RFC 9110 section 9.3.7).
    if (exchange.path === "*") exchange.sendHeadOnly(204, noSniff);
    else return handler(exchange);
  });
  return (exchange, fault) => {
    if (fault === undefined) {
      serve(exchange);
      return;
    }
    counters.refuse("malformed_request");
    filtered((inner) => refuse(inner, fault))(exchange);
  };
}

function refuse(exchange: Exchange, { status, text }: HeadFault): void {
  respond(exchange, status, { "content-type": "text/plain; charset=utf-8" }, `${text}\n`);
}

/** Makes a handler that reports errors and replies 500. */
function catchErrors(handler: Handler, report: Report): (exchange: Exchange) => void {
  return (exchange) => {
    const onError = (error: unknown) => {
      report(error as Error, "handler");
      fail(exchange);
    };
    try {
      handler(exchange)?.catch(onError);
    } catch (error) {
      onError(error);
    }
  };
}

/** Passes the requests of HTTP/1.1 on. */
export function passHttp1Requests(
  servers: Servers,
  connections: Connections,
  { streamsPerConnection }: ListenLimits,
  onRequest: OnRequest,
  report: Report,
  counters: Counters,
): void {
  function callEnds(this: ServerResponse): void {
    const req: BodySource<IncomingMessage> = this.req;
    connections.callEnds(req.socket);
    req[exchangeKey]?.close();
    // An unread body would block the next request of the connection.
    if (!req.readableEnded) req.resume();
  }
  const serve = (request: IncomingMessage, response: ServerResponse, expectation?: HeadFault) => {
    const { socket } = request;
    if (connections.callBegins(socket, response) > streamsPerConnection) {
      if (!connections.refuse(socket, tooManyCalls)) return;
      counters.refuse("flood");
      report(new Error("too many pipelined requests"), "http/1.1");
      return;
    }
    response.on("close", callEnds);
    const fault = findHttp1Fault(request, servers.http1.headerCount) ?? expectation;
    const begin = () => onRequest(new Http1Exchange(request, response), fault);
    // Pipelined requests are served one after the other. Node emits nothing for those whose turn never comes.
    if (response.socket === null) response.once("socket", begin);
    else begin();
  };
  servers.http1.server.on("request", (request, response) => serve(request, response));
  servers.http1.server.on("checkExpectation", (request, response) => serve(request, response, badExpectation));
  refuseOthers(servers, connections, report, counters);
}

const tooManyCalls = { code: "TOO_MANY_CALLS" };

function refuseOthers({ http1 }: Servers, connections: Connections, report: Report, counters: Counters): void {
  http1.server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!connections.refuse(socket as Socket, error)) return;
    counters.refuse(error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? "request_timeout" : "malformed_request");
    report(error, "http/1.1");
  });
  // Node sends no response to CONNECT on HTTP/1.1.
  http1.server.on("connect", (_request: IncomingMessage, socket) => {
    counters.refuse("malformed_request");
    connections.refuse(socket as Socket, { code: "CONNECT" });
  });
}

/** After a handler has thrown: replies 500, or aborts the response if its head was already sent. */
function fail(exchange: Exchange): void {
  if (exchange.isClosed) return;
  if (exchange.isHeadSent) exchange.cut();
  else respond(exchange, 500, {});
}
