// The methods of another server, as methods of ours.
import type { ConnectRouterOptions, Transport } from "@connectrpc/connect";
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
  const forwardBy = (transport: Transport) => {
    const { router, methods } = createMethodTable(options, toUniversalHandler);
    forwardRoutes(services, transport)(router);
    return methods;
  };
  const methods = forwardBy(channel.messages);
  if ((options.interceptors ?? []).length > 0) return { methods, services };
  const encoded = forwardBy(channel.encoded);
  return {
    methods: new Map([...methods].map(([path, method]) => [path, { ...method, encoded: encoded.get(path) }])),
    services,
  };
}
