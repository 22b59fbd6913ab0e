// `connectNodeAdapter` alone, set up as its documentation shows.
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { listenNode } from "./node-server.js";
import { createRoutes, interceptors } from "./service.js";

/** @type {import("../server.js").Listen} */
export async function connectNode({ schema, httpVersion, isTls, hasInterceptors }) {
  const adapter = connectNodeAdapter({ routes: createRoutes(schema), ...(hasInterceptors && { interceptors }) });
  return listenNode({ httpVersion, isTls }, adapter);
}
