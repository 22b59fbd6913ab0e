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
import { type ClientFn, requestInit, runOptions, timeoutOf } from "../call-init.js";
import { type CallSettings, defaultSettings, type SettingsOf } from "../call-settings.js";
import { type CodecOptions, createMethodCodec } from "../method-codec.js";

/** Options of Connect's transports. A call has the deadline that it is given. */
export type UniversalOptions = Omit<CommonTransportOptions, "defaultTimeoutMs" | "httpClient"> &
  CodecOptions & {
    readonly httpClient: ClientFn;
    /** How the calls of each method are made. Default: as no option said anything. */
    readonly settingsOf?: SettingsOf | undefined;
  };

/** Writes the requests of a method, and reads its responses, with the limits of the transport. */
export type MethodSerialization = Serialization<Message>;

/** What is known of a method before it is called. */
export interface UniversalMethod {
  readonly serialization: MethodSerialization;
  readonly settings: CallSettings;
}

/** One protocol. Its functions reject with a ConnectError. */
export interface UniversalProtocol {
  /** What requests have before interceptors see them. */
  requestHeader(method: DescMethod, timeoutMs: number | undefined, header: HeadersInit | undefined): Headers;
  callUnary(request: UnaryRequest, method: UniversalMethod): Promise<UnaryResponse>;
  /** @param body of the request, in envelopes */
  callStream(request: StreamRequest, body: AsyncIterable<Uint8Array>, method: UniversalMethod): Promise<StreamResponse>;
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
  const methods = new Map<DescMethod, UniversalMethod>();
  const methodOf = (desc: DescMethod): UniversalMethod => {
    const known = methods.get(desc);
    if (known !== undefined) return known;
    const settings = options.settingsOf?.(desc) ?? defaultSettings;
    const made = { serialization: createSerialization(desc, options), settings };
    methods.set(desc, made);
    return made;
  };
  const requestOf = (
    method: DescMethod,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues: ContextValues | undefined,
  ) => requestInit(baseUrl, method, protocol.requestHeader(method, timeoutMs, header), contextValues);
  return {
    async unary(desc, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runUnaryCall({
        ...runOptions(interceptors, signal, timeoutMs),
        req: { ...requestOf(desc, timeoutMs, header, contextValues), stream: false, method: desc, message },
        next: (request) => {
          const method = methodOf(desc);
          const send = (attempted: UnaryRequest) => protocol.callUnary(attempted, method);
          return (method.settings.retry?.unaryRequest(request, timeoutMs, send) ?? send(request)) as never;
        },
      });
    },

    async stream(desc, signal, givenMs, header, message, contextValues) {
      const timeoutMs = timeoutOf(givenMs);
      return runStreamingCall({
        ...runOptions(interceptors, signal, timeoutMs),
        req: { ...requestOf(desc, timeoutMs, header, contextValues), stream: true, method: desc, message },
        next: (request) => {
          const method = methodOf(desc);
          const given = writeEnvelopes(request.message, method.serialization, options);
          const send = (attempted: StreamRequest, body = given) => protocol.callStream(attempted, body, method);
          const replay = { body: given, commitsAt: "message" } as const;
          return (method.settings.retry?.stream(request, timeoutMs, replay, send) ?? send(request)) as never;
        },
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
