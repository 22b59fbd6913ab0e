// manywire itself, with the fast lane or the reference lane, from a build of this repository.
import { importFrom } from "../schema.js";
import { listenProxy } from "./proxy.js";
import { createRoutes, interceptors } from "./service.js";
import { tls } from "./tls.js";

/** @param {boolean} fastLane */
export function manywire(fastLane) {
  /** @type {import("../server.js").Listen} */
  return async ({ dist, schema, isTls, hasInterceptors, backend }) => {
    if (backend !== undefined) return listenProxy(dist, schema, backend);
    const { createServer } = await importFrom(dist, "server/index.js");
    const server = createServer({
      routes: createRoutes(schema),
      port: 0,
      fastLane,
      ...(isTls && { tls }),
      ...(hasInterceptors && { interceptors }),
    });
    await server.listen();
    return Number(new URL(server.url).port);
  };
}
