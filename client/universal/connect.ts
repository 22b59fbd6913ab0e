// The Connect protocol (https://connectrpc.com/docs/protocol), of Connect's own parts around our codec.
import type { Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createAsyncIterable, readAllBytes } from "@connectrpc/connect/protocol";
import {
  createEndStreamSerialization,
  type EndStreamResponse,
  endStreamFlag,
  errorFromJsonBytes,
  requestHeaderWithCompression,
  trailerDemux,
  transformConnectPostToGetRequest,
  validateResponseWithCompression,
} from "@connectrpc/connect/protocol-connect";
import {
  createUniversalTransport,
  type Part,
  readEnvelopes,
  type UniversalMethod,
  type UniversalOptions,
  type UniversalProtocol,
} from "./transport.js";

/** Makes a transport for Connect. */
export function createConnectTransport(options: UniversalOptions): Transport {
  return createUniversalTransport(options, new ConnectProtocol(options));
}

class ConnectProtocol implements UniversalProtocol {
  readonly #options: UniversalOptions;

  constructor(options: UniversalOptions) {
    this.#options = options;
  }

  readonly requestHeader: UniversalProtocol["requestHeader"] = ({ methodKind }, timeoutMs, header) => {
    const { useBinaryFormat, acceptCompression, sendCompression } = this.#options;
    return requestHeaderWithCompression(
      methodKind,
      useBinaryFormat,
      timeoutMs,
      header,
      acceptCompression,
      sendCompression,
      true,
    );
  };

  async callUnary(posted: UnaryRequest, { serialization, settings }: UniversalMethod): Promise<UnaryResponse> {
    const { httpClient, useHttpGet, useBinaryFormat, acceptCompression, readMaxBytes } = this.#options;
    const { method } = posted;
    const data = await this.#compress(posted.header, serialization.serialize(posted.message));
    const isGet = useHttpGet === true && method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    const request = isGet ? transformConnectPostToGetRequest(posted, data, useBinaryFormat) : posted;
    const { status, header, body } = await httpClient({
      url: request.url,
      method: request.requestMethod,
      header: request.header,
      signal: request.signal,
      waitsForReady: settings.waits(request.contextValues),
      ...(!isGet && { body: createAsyncIterable([data]) }),
    });
    const found = validateResponseWithCompression(
      method.methodKind,
      acceptCompression,
      useBinaryFormat,
      status,
      header,
    );
    const [headers, trailer] = trailerDemux(header);
    const whole = await readAllBytes(body, readMaxBytes, header.get("content-length"));
    const bytes = found.compression === undefined ? whole : await found.compression.decompress(whole, readMaxBytes);
    if (found.isUnaryError) throw errorFromJsonBytes(bytes, [...headers, ...trailer], found.unaryError);
    const message = serialization.parse(bytes);
    return { stream: false, service: method.parent, method, header: headers, message, trailer };
  }

  async callStream(
    request: StreamRequest,
    body: AsyncIterable<Uint8Array>,
    { serialization, settings }: UniversalMethod,
  ): Promise<StreamResponse> {
    const { httpClient, jsonOptions, useBinaryFormat, acceptCompression } = this.#options;
    const response = await httpClient({
      url: request.url,
      method: "POST",
      header: request.header,
      signal: request.signal,
      waitsForReady: settings.waits(request.contextValues),
      body,
    });
    const { status, header } = response;
    const { methodKind } = request.method;
    const found = validateResponseWithCompression(methodKind, acceptCompression, useBinaryFormat, status, header);
    const trailer = new Headers();
    const end = createEndStreamSerialization(jsonOptions);
    const parts = readEnvelopes(response.body, found.compression, serialization, endStreamFlag, end, this.#options);
    const message = readMessages(parts, { header, trailer, signal: request.signal });
    return { ...request, header, trailer, message };
  }

  /** Sets the header for it, too. */
  async #compress(header: Headers, data: Uint8Array): Promise<Uint8Array> {
    const { sendCompression, compressMinBytes } = this.#options;
    if (sendCompression === null || data.byteLength <= compressMinBytes) {
      header.delete("content-encoding");
      return data;
    }
    header.set("content-encoding", sendCompression.name);
    return sendCompression.compress(data);
  }
}

/** What is known of a stream when its body begins. */
interface Begun {
  readonly header: Headers;
  /** Filled when the body ends. */
  readonly trailer: Headers;
  readonly signal: AbortSignal;
}

/** @throws ConnectError that the stream ends with */
async function* readMessages(
  parts: AsyncIterable<Part<EndStreamResponse>>,
  { header, trailer, signal }: Begun,
): AsyncGenerator<Message> {
  let hasEnded = false;
  for await (const part of parts) {
    // Messages that came before the caller canceled may still be in buffers.
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    if (hasEnded) {
      const extra = part.end ? "EndStreamResponse" : "message after EndStreamResponse";
      throw new ConnectError(`protocol error: received extra ${extra}`, Code.InvalidArgument);
    }
    if (!part.end) {
      yield part.value;
      continue;
    }
    hasEnded = true;
    const { error, metadata } = part.value;
    if (error !== undefined) {
      for (const [name, value] of header) error.metadata.append(name, value);
      throw error;
    }
    for (const [name, value] of metadata) trailer.append(name, value);
  }
  if (!hasEnded) throw new ConnectError("protocol error: missing EndStreamResponse", Code.InvalidArgument);
}
