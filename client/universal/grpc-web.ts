// gRPC-Web (https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-WEB.md), of Connect's own parts around our codec.
import type { Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type Compression, createAsyncIterable, type UniversalClientResponse } from "@connectrpc/connect/protocol";
import {
  createTrailerSerialization,
  requestHeaderWithCompression,
  trailerFlag,
  validateResponseWithCompression,
  validateTrailer,
} from "@connectrpc/connect/protocol-grpc-web";
import {
  createUniversalTransport,
  type MethodSerialization,
  type Part,
  readEnvelopes,
  type UniversalMethod,
  type UniversalOptions,
  type UniversalProtocol,
  writeEnvelopes,
} from "./transport.js";

/** Makes a transport for gRPC-Web. */
export function createGrpcWebTransport(options: UniversalOptions): Transport {
  return createUniversalTransport(options, new GrpcWebProtocol(options));
}

class GrpcWebProtocol implements UniversalProtocol {
  readonly #options: UniversalOptions;

  constructor(options: UniversalOptions) {
    this.#options = options;
  }

  readonly requestHeader: UniversalProtocol["requestHeader"] = (_, timeoutMs, header) => {
    const { useBinaryFormat, acceptCompression, sendCompression } = this.#options;
    return requestHeaderWithCompression(useBinaryFormat, timeoutMs, header, acceptCompression, sendCompression, true);
  };

  async callUnary(request: UnaryRequest, called: UniversalMethod): Promise<UnaryResponse> {
    const { serialization } = called;
    const body = writeEnvelopes(createAsyncIterable([request.message]), serialization, this.#options);
    const response = await this.#send(request, body, called);
    const { header, status } = response;
    const { compression, headerError } = this.#validate(status, header);
    const hasStatus = (headers: Headers) => (headers.has("grpc-status") ? Code.Unimplemented : Code.Unknown);
    let message: Message | undefined;
    let trailer: Headers | undefined;
    const parts = this.#parts(response, compression, serialization);
    for await (const part of parts) {
      const isExtra = (part.end ? trailer : message) !== undefined;
      if (isExtra) {
        const extra = part.end ? "trailer" : "output message for unary method";
        throw new ConnectError(`protocol error: received extra ${extra}`, Code.Unimplemented);
      }
      if (part.end) trailer = part.value;
      else message = part.value;
    }
    if (trailer === undefined) {
      throw headerError ?? new ConnectError("protocol error: missing trailer", hasStatus(header));
    }
    validateTrailer(trailer, header);
    if (message === undefined) {
      throw new ConnectError("protocol error: missing output message for unary method", hasStatus(trailer));
    }
    const { method } = request;
    return { stream: false, service: method.parent, method, header, message, trailer };
  }

  async callStream(
    request: StreamRequest,
    body: AsyncIterable<Uint8Array>,
    method: UniversalMethod,
  ): Promise<StreamResponse> {
    const response = await this.#send(request, body, method);
    const { header, status } = response;
    const { compression, foundStatus, headerError } = this.#validate(status, header);
    if (headerError !== undefined) throw headerError;
    const trailer = new Headers();
    const parts = this.#parts(response, compression, method.serialization);
    const message = readMessages(parts, { header, trailer, isBodiless: foundStatus, signal: request.signal });
    return { ...request, header, trailer, message };
  }

  #send(
    { url, requestMethod: method, header, signal, contextValues }: UnaryRequest | StreamRequest,
    body: AsyncIterable<Uint8Array>,
    { settings }: UniversalMethod,
  ): Promise<UniversalClientResponse> {
    const waitsForReady = settings.waits(contextValues);
    return this.#options.httpClient({ url, method, header, signal, body, waitsForReady });
  }

  #validate(status: number, header: Headers): ReturnType<typeof validateResponseWithCompression> {
    return validateResponseWithCompression(this.#options.acceptCompression, status, header);
  }

  #parts(
    { body }: UniversalClientResponse,
    compression: Compression | undefined,
    serialization: MethodSerialization,
  ): AsyncIterable<Part<Headers>> {
    return readEnvelopes(body, compression, serialization, trailerFlag, createTrailerSerialization(), this.#options);
  }
}

/** What is known of a stream when its body begins. */
interface Begun {
  readonly header: Headers;
  /** Filled when the body ends. */
  readonly trailer: Headers;
  /** Whether the status is in the headers, so that there is no body. */
  readonly isBodiless: boolean;
  readonly signal: AbortSignal;
}

/** @throws ConnectError that the stream ends with */
async function* readMessages(parts: AsyncIterable<Part<Headers>>, begun: Begun): AsyncGenerator<Message> {
  const { header, trailer, isBodiless, signal } = begun;
  let hasEnded = isBodiless;
  for await (const part of parts) {
    // Messages that came before the caller canceled may still be in buffers.
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    if (isBodiless) throw new ConnectError("protocol error: extra data for trailers-only", Code.InvalidArgument);
    if (hasEnded) {
      const extra = part.end ? "trailer" : "message after trailer";
      throw new ConnectError(`protocol error: received extra ${extra}`, Code.InvalidArgument);
    }
    if (!part.end) {
      yield part.value;
      continue;
    }
    hasEnded = true;
    validateTrailer(part.value, header);
    for (const [name, value] of part.value) trailer.append(name, value);
  }
  if (!hasEnded) throw new ConnectError("protocol error: missing trailer", Code.Internal);
}
