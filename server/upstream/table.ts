// The methods of another server, as methods of ours.
import type { ConnectRouterOptions } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Method } from "../call/method.js";
import { createMethodTable, type MethodTable } from "../call/table.js";
import { forwardRoutes } from "./forward.js";
import type { Upstream } from "./upstream.js";

/**
 * Makes the table of the services that an upstream has now. Without interceptors, calls in binary form are passed on without
 * being decoded.
 */
export function createForwardTable(
  { schema, channel }: Upstream,
  options: ConnectRouterOptions,
  toUniversalHandler: (method: Method) => UniversalHandler,
): Pick<MethodTable, "methods" | "services"> {
  const services = schema?.services ?? [];
  const table = createMethodTable(options, toUniversalHandler);
  forwardRoutes(services, channel.messages)(table.router);
  const encoded = createMethodTable(options, toUniversalHandler);
  forwardRoutes(services, channel.encoded)(encoded.router);
  const methods = new Map<string, Method>();
  for (const [path, method] of table.methods) {
    const isPassed = method.interceptors.length === 0;
    methods.set(path, isPassed ? { ...method, encoded: encoded.methods.get(path) } : method);
  }
  return { methods, services };
}
