// Health over plain HTTP, for whoever asks without gRPC: load balancers and orchestrators.
import type { NodeHandler } from "../listen/handler.js";
import type { Health } from "./health.js";

/**
 * Handlers by path: `/healthz` says that the process answers at all, `/readyz` whether it should be sent requests, which
 * is 503 as soon as the server drains.
 */
export function createProbes(health: Health): ReadonlyMap<string, NodeHandler> {
  return new Map([
    ["/healthz", probe(() => true)],
    ["/readyz", probe(() => health.isServing())],
  ]);
}

function probe(isWell: () => boolean): NodeHandler {
  return (request, response) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    const status = !isRead ? 405 : isWell() ? 200 : 503;
    const body = `${JSON.stringify({ status: { 200: "SERVING", 503: "NOT_SERVING", 405: "use GET" }[status] })}\n`;
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      ...(isRead ? {} : { allow: "GET, HEAD" }),
    });
    if (request.method === "HEAD") response.end();
    else response.end(body);
  };
}
