// Health over plain HTTP, for load balancers and orchestrators without gRPC.
import { type Handler, respond } from "../http/exchange.js";
import type { Health } from "./health.js";

/**
 * Handlers by path: `/healthz` says that the process is alive, `/readyz` whether it should get requests, which
 * is 503 as soon as the server drains.
 */
export function createProbes(health: Health): ReadonlyMap<string, Handler> {
  return new Map([
    ["/healthz", probe(() => true)],
    ["/readyz", probe(() => health.isServing())],
  ]);
}

function probe(isWell: () => boolean): Handler {
  return (exchange) => {
    const isRead = exchange.method === "GET" || exchange.method === "HEAD";
    const status = !isRead ? 405 : isWell() ? 200 : 503;
    const body = `${JSON.stringify({ status: { 200: "SERVING", 503: "NOT_SERVING", 405: "use GET" }[status] })}\n`;
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    respond(exchange, status, isRead ? headers : { ...headers, allow: "GET, HEAD" }, body);
  };
}
