// A transport of a protocol whose requests and responses are headers and iterable bodies, with Connect's interceptors.
import type { DescMethod, Message } from "@bufbuild/protobuf";
import type {
  ContextValues,
  StreamRequest,
  StreamResponse,
  Transport,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import {
  type CommonTransportOptions,
  type Compression,
  limitSerialization,
  pipe,
  runStreamingCall,
  runUnaryCall,
  type Serialization,
  transformCompressEnvelope,
  transformDecompressEnvelope,
  transformJoinEnvelopes,
  transformParseEnvelope,
  transformSerializeEnvelope,
  transformSplitEnvelope,
} from "@connectrpc/connect/protocol";
import { requestInit, runOptions, timeoutOf } from "../call-init.js";
import { type CodecOptions, createMethodCodec } from "../method-codec.js";

/** Options of Connect's transports. A call has the deadline that it is given. */
export type UniversalOptions = Omit<CommonTransportOptions, "defaultTimeoutMs"> & CodecOptions;

/** Writes the requests of a method, and reads its responses, with the limits of the transport. */
export type MethodSerialization = Serialization<Message>;

/** One protocol. Its functions reject with a ConnectError. */
export interface UniversalProtocol {
  /** What requests have before interceptors see them. */
  requestHeader(method: DescMethod, timeoutMs: number | undefined, header: HeadersInit | undefined): Headers;
  callUnary(request: UnaryRequest, serialization: MethodSerialization): Promise<UnaryResponse>;
  callStream(request: StreamRequest, serialization: MethodSerialization): Promise<StreamResponse>;
}

/** The body of a request in envelopes. */
export function writeEnvelopes(
  messages: AsyncIterable<Message>,
  serialization: MethodSerialization,
  { sendCompression, compressMinBytes }: UniversalOptions,
): AsyncIterable<Uint8Array> {
  return pipe(
    messages,
    transformSerializeEnvelope(serialization),
    transformCompressEnvelope(sendCompression, compressMinBytes),
    transformJoinEnvelopes(),
    { propagateDownStreamError: true },
  );
}

/** What a body in envelopes has: a message, or the end, which each protocol writes in its own way. */
export type Part<End> = { end: false; value: Message } | { end: true; value: End };

/**
 * Reads a body in envelopes.
 *
 * @param endFlag the flag of the envelope that has the end
 */
export function readEnvelopes<End>(
  body: AsyncIterable<Uint8Array>,
  compression: Compression | undefined,
  serialization: MethodSerialization,
  endFlag: number,
  endSerialization: Serialization<End>,
  { readMaxBytes }: UniversalOptions,
): AsyncIterable<Part<End>> {
  return pipe(
    body,
    transformSplitEnvelope(readMaxBytes),
    transformDecompressEnvelope(compression ?? null, readMaxBytes),
    transformParseEnvelope(serialization, endFlag, endSerialization),
    { propagateDownStreamError: true },
  );
}

export function createUniversalTransport(options: UniversalOptions, protocol: UniversalProtocol): Transport {
  const { baseUrl, interceptors } = options;
  const serializations = new Map<DescMethod, MethodSerialization>();
  const serializationOf = (method: DescMethod): MethodSerialization => {
    const known = serializations.get(method);
    if (known !== undefined) return known;
    const made = createSerialization(method, options);
    serializations.set(method, made);
    return made;
  };
  const requestOf = (
    method: DescMethod,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues: ContextValues | undefined,
  ) => requestInit(baseUrl, method, protocol.requestHeader(method, timeoutMs, header), contextValues);
  return {
    async unary(method, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runUnaryCall({
        ...runOptions(interceptors, signal, timeoutMs),
        req: { ...requestOf(method, timeoutMs, header, contextValues), stream: false, method, message },
        next: (request) => protocol.callUnary(request, serializationOf(method)) as never,
      });
    },

    async stream(method, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runStreamingCall({
        ...runOptions(interceptors, signal, timeoutMs),
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
