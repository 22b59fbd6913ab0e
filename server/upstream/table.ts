// The methods of another server, as methods of ours.
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouterOptions } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Method } from "../call/method.js";
import { createMethodTable, type MethodTable } from "../call/table.js";
import type { ForwardTarget } from "./channel.js";
import { forwardRoutes } from "./forward.js";
import type { Upstream } from "./upstream.js";

/** A method of another server. Its implementation calls it with messages. */
export type ForwardedMethod = Method & { readonly target: ForwardTarget };

export function isForwarded(method: Method): method is ForwardedMethod {
  return "target" in method;
}

/** Makes the table of services that an upstream has. */
export function createForwardTable(
  { channel, url }: Upstream,
  services: readonly DescService[],
  options: ConnectRouterOptions,
  toUniversalHandler: (method: Method) => UniversalHandler,
): Pick<MethodTable, "methods" | "services"> {
  const { router, methods } = createMethodTable(options, toUniversalHandler);
  const target = { channel };
  forwardRoutes(services, target)(router);
  return {
    methods: new Map([...methods].map(([path, method]) => [path, { ...method, target, upstream: url }])),
    services,
  };
}
