/** What Connect's `runUnaryCall` and `runStreamingCall` are given of a call, the same for every protocol. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type Interceptor } from "@connectrpc/connect";
import {
  createMethodUrl,
  type UniversalClientRequest,
  type UniversalClientResponse,
} from "@connectrpc/connect/protocol";

/** A request of Connect's, and what our own connections know besides. */
export interface ClientRequest extends UniversalClientRequest {
  /** Whether it waits while no server can be reached. */
  readonly waitsForReady?: boolean | undefined;
}

/** Sends a request. Connect's HTTP clients do, too. */
export type ClientFn = (request: ClientRequest) => Promise<UniversalClientResponse>;

/** A timeout as Connect takes it: 0 and less are none. */
export function timeoutOf(timeoutMs: number | undefined): number | undefined {
  return timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : undefined;
}

/** How a call runs. */
export function runOptions(
  interceptors: Interceptor[],
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
): { interceptors: Interceptor[]; signal?: AbortSignal; timeoutMs?: number } {
  return {
    interceptors,
    ...(signal !== undefined && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** What interceptors see of a request, but for its messages. They see the address of the RPC in every protocol. */
export function requestInit(
  baseUrl: string,
  method: DescMethod,
  header: Headers,
  contextValues: ContextValues = createContextValues(),
): { service: DescService; requestMethod: string; url: string; header: Headers; contextValues: ContextValues } {
  return {
    service: method.parent,
    requestMethod: "POST",
    url: createMethodUrl(baseUrl, method),
    header,
    contextValues,
  };
}
