// Makes Connect's own handler for one method.
import type { DescMethod } from "@bufbuild/protobuf";
import { createConnectRouter, type Interceptor, type MethodImpl } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Method } from "../call/method.js";

/** @param outermost interceptors that run outside those of the method */
export function toUniversalHandler(method: Method, outermost: readonly Interceptor[] = []): UniversalHandler {
  const router = createConnectRouter({
    ...method.options,
    interceptors: [...outermost, ...method.interceptors],
    grpc: method.protocols.has("grpc"),
    grpcWeb: method.protocols.has("grpc-web"),
    connect: method.protocols.has("connect"),
  });
  const [handler] = router.rpc(method.spec.method, method.spec.impl as MethodImpl<DescMethod>).handlers;
  if (handler === undefined) throw new Error(`${method.path}: Connect made no handler`);
  return handler;
}
