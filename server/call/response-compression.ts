// Whether a response is compressed: what its handler says, else the option of its method, else the default of its protocol.
import type { HandlerContext } from "@connectrpc/connect";
import type { MethodOptions, ProtocolName } from "./method.js";

/** By response headers, since those are the same object in every context of one call. */
const choices = new WeakMap<Headers, boolean>();

/**
 * Chooses whether the response of one call is compressed, over every protocol, whatever `compressResponses` says. A response
 * is compressed only if the client accepts it and the message has `compressMinBytes`. In a stream, call it before the first
 * message. Has no effect with `fastLane: false`.
 *
 * @param context the context of the handler; in an interceptor, `{ responseHeader: response.header }`
 */
export function setCompression(context: Pick<HandlerContext, "responseHeader">, isCompressed: boolean): void {
  choices.set(context.responseHeader, isCompressed);
}

/** What a handler has chosen; undefined without a choice. */
export function chosenCompression({ responseHeader }: Pick<HandlerContext, "responseHeader">): boolean | undefined {
  return choices.get(responseHeader);
}

/** Whether responses of the method are compressed where no handler chooses. Clients of gRPC accept gzip with every call. */
export function compressesResponses({ compressResponses }: MethodOptions, protocol: ProtocolName): boolean {
  return compressResponses ?? protocol !== "grpc";
}
