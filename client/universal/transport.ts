// A transport of a protocol whose requests and responses are headers and iterable bodies, with Connect's interceptors.
import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import {
  type CommonTransportOptions,
  createMethodUrl,
  limitSerialization,
  runStreamingCall,
  runUnaryCall,
  type Serialization,
} from "@connectrpc/connect/protocol";
import { type CodecOptions, createMethodCodec } from "../method-codec.js";

/** Options of Connect's transports. */
export type UniversalOptions = CommonTransportOptions & CodecOptions;

/** Writes the requests of a method, and reads its responses, with the limits of the transport. */
export type MethodSerialization = Serialization<Message>;

/** One protocol. Its functions reject with a ConnectError. */
export interface UniversalProtocol {
  /** What requests have before interceptors see them. */
  requestHeader(method: DescMethod, timeoutMs: number | undefined, header: HeadersInit | undefined): Headers;
  callUnary(request: UnaryRequest, serialization: MethodSerialization): Promise<UnaryResponse>;
  callStream(request: StreamRequest, serialization: MethodSerialization): Promise<StreamResponse>;
}

export function createUniversalTransport(options: UniversalOptions, protocol: UniversalProtocol): Transport {
  const { baseUrl, interceptors, defaultTimeoutMs } = options;
  const serializations = new Map<DescMethod, MethodSerialization>();
  const serializationOf = (method: DescMethod): MethodSerialization => {
    const known = serializations.get(method);
    if (known !== undefined) return known;
    const made = createSerialization(method, options);
    serializations.set(method, made);
    return made;
  };
  const timeoutOf = (ms: number | undefined) => (ms === undefined ? defaultTimeoutMs : ms > 0 ? ms : undefined);
  const callOf = (signal: AbortSignal | undefined, timeoutMs: number | undefined) => ({
    interceptors,
    ...(signal !== undefined && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const requestOf = (
    method: DescMethod,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues: ContextValues = createContextValues(),
  ) => ({
    service: method.parent,
    requestMethod: "POST",
    url: createMethodUrl(baseUrl, method),
    header: protocol.requestHeader(method, timeoutMs, header),
    contextValues,
  });
  return {
    async unary(method, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runUnaryCall({
        ...callOf(signal, timeoutMs),
        req: { ...requestOf(method, timeoutMs, header, contextValues), stream: false, method, message },
        next: (request) => protocol.callUnary(request, serializationOf(method)) as never,
      });
    },

    async stream(method, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runStreamingCall({
        ...callOf(signal, timeoutMs),
        req: { ...requestOf(method, timeoutMs, header, contextValues), stream: true, method, message },
        next: (request) => protocol.callStream(request, serializationOf(method)) as never,
      });
    },
  };
}

function createSerialization(method: DescMethod, options: UniversalOptions): MethodSerialization {
  const codec = createMethodCodec(method, options);
  // Neither format is written into shared memory.
  const serialize = (message: Message) => codec.encode(message, 0) as Uint8Array<ArrayBuffer>;
  return limitSerialization<Message>({ serialize, parse: (data) => codec.decode(data) }, options);
}
