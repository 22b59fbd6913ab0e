// Chooses who serves a request, by its path: a method, a probe, a route, a page, or a refusal.
import type { ConnectError } from "@connectrpc/connect";
import type { Method } from "./call/method.js";
import type { Handler } from "./http/exchange.js";
import type { Pages } from "./pages/pages.js";
import { createRpcHandler, type Lane } from "./rpc/handler.js";
import { refuseUnknownMethod } from "./rpc/refuse.js";
import type { Transcoder } from "./transcode/transcoder.js";
import type { PassUnknown } from "./upstream/unknown-methods.js";

/** What serves requests, by their paths. */
export interface ServedPaths {
  /** Request path → method. */
  readonly methods: ReadonlyMap<string, Method>;
  /** Request path → what serves calls of the method. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Request path → probe. */
  readonly probes: ReadonlyMap<string, Handler>;
  readonly transcoder: Transcoder;
  readonly docs: Pages;
  /** Serves calls of methods that are not among `methods`. */
  readonly passUnknown: PassUnknown | undefined;
  /** Returns why methods may be missing that will be served later. */
  readonly problem: () => ConnectError | undefined;
}

/** Makes the function that every request goes to. `refuse` gets those that nothing serves. */
export function createDispatch(served: ServedPaths, refuse: Handler): Handler {
  const { methods, lanes, probes, transcoder, docs, passUnknown, problem } = served;
  const byPath = new Map<string, Handler>(probes);
  for (const [path, method] of methods) {
    const lane = lanes.get(path);
    if (lane !== undefined) byPath.set(path, createRpcHandler(method, lane));
  }
  return (exchange) => {
    const { path } = exchange;
    const handler = byPath.get(path);
    if (handler !== undefined) return handler(exchange);
    if (transcoder.serve(exchange) || passUnknown?.serve(exchange)) return;
    if (refuseUnknownMethod(path, methods, exchange, problem())) return;
    return (docs.get(path) ?? refuse)(exchange);
  };
}
