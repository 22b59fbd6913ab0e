// Brings the requests of both HTTP versions to one handler, and answers what is no request itself.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Servers } from "./accept.js";
import type { Connections } from "./connections.js";
import type { NodeHandler, NodeServerRequest, NodeServerResponse, Report } from "./handler.js";
import { stopUploadWhenAnswered } from "./http2.js";
import { findFault, refuse } from "./well-formed.js";

export function answerRequests(servers: Servers, connections: Connections, handler: NodeHandler, report: Report): void {
  function answer(request: NodeServerRequest, response: NodeServerResponse): void {
    const fault = findFault(request);
    if (fault !== undefined) {
      refuse(response, fault);
      return;
    }
    try {
      handler(request, response);
    } catch (error) {
      report(error as Error, "handler");
      fail(response);
    }
  }
  function callEnds(this: ServerResponse): void {
    const { req } = this;
    connections.callEnds(req.socket);
    // What the handler left unread would keep the next request of the connection waiting.
    if (!req.readableEnded) req.resume();
  }
  servers.http1.server.on("request", (request, response) => {
    connections.callBegins(request.socket, response);
    response.on("close", callEnds);
    answer(request, response);
  });
  servers.http2.server.on("request", (request, response) => {
    stopUploadWhenAnswered(request);
    answer(request, response);
  });
  refuseOthers(servers, connections, report);
}

function refuseOthers({ http1 }: Servers, connections: Connections, report: Report): void {
  http1.server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (connections.refuse(socket as Socket, error)) report(error, "http/1.1");
  });
  // Node answers CONNECT with 405 on HTTP/2 and not at all on HTTP/1.1.
  http1.server.on("connect", (_request: IncomingMessage, socket) => {
    connections.refuse(socket as Socket, { code: "CONNECT" });
  });
}

/** The client of a handler that threw learns at least that it has not got a whole answer. */
function fail(response: NodeServerResponse): void {
  if (response.headersSent) {
    response.destroy();
  } else {
    response.writeHead(500, { "content-length": 0 });
    response.end();
  }
}
