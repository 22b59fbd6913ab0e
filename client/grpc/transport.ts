// A transport of gRPC on our own HTTP/2 and codec, with what Connect's has: the same options, interceptors and errors.
import { create, type DescMethod } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type StreamRequest,
  type Transport,
  type UnaryRequest,
} from "@connectrpc/connect";
import { createMethodUrl, runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import { requestHeaderWithCompression } from "@connectrpc/connect/protocol-grpc";
import type { Fields } from "../../server/http2/frame/frame-writer.js";
import { PreparedFields } from "../../server/http2/hpack/encoder.js";
import { createField, type Field } from "../../server/http2/hpack/field.js";
import { requestInit, runOptions, timeoutOf } from "../call-init.js";
import { addHeaders, requestFields } from "../http2/request-fields.js";
import { tellDeadlines } from "../tell-deadlines.js";
import { formatGrpcTimeout, shortenGrpcTimeout } from "../timeout.js";
import type { GrpcOptions } from "./call.js";
import { GrpcMethod } from "./method.js";
import { StreamCall, type StreamReply } from "./stream-call.js";
import { UnaryCall, type UnaryReply } from "./unary-call.js";

/** Fields of a request: those of all requests of the method, and more. */
interface Head {
  readonly fields: Fields;
  readonly more: readonly Field[] | undefined;
}

/** Makes the transport. */
export function createOwnGrpcTransport(options: GrpcOptions): Transport {
  return new GrpcTransport(options);
}

class GrpcTransport implements Transport {
  readonly #options: GrpcOptions;
  readonly #interceptors: Interceptor[];
  readonly #methods = new Map<DescMethod, GrpcMethod>();

  constructor(options: GrpcOptions) {
    this.#options = options;
    this.#interceptors = [...options.interceptors, shortenGrpcTimeout, tellDeadlines];
  }

  readonly unary: Transport["unary"] = async (desc, signal, givenMs, header, input, contextValues) => {
    const method = this.#methodOf(desc);
    const timeoutMs = timeoutOf(givenMs);
    if (this.#options.interceptors.length === 0) {
      const head = this.#headOf(method, timeoutMs, header);
      const encoded = method.encode(create(desc.input, input));
      const body = encoded instanceof Uint8Array ? encoded : await encoded;
      return this.#call(method, head, body, signal, timeoutMs) as never;
    }
    return runUnaryCall({
      ...runOptions(this.#interceptors, signal, timeoutMs),
      req: { ...this.#requestOf(desc, timeoutMs, header, contextValues), stream: false, method: desc, message: input },
      next: async (request) => {
        const head = { fields: fieldsOf(request), more: undefined };
        const body = await method.encode(request.message);
        return this.#call(method, head, body, request.signal, undefined) as never;
      },
    });
  };

  readonly stream: Transport["stream"] = async (desc, signal, givenMs, header, input, contextValues) => {
    const method = this.#methodOf(desc);
    const timeoutMs = timeoutOf(givenMs);
    return runStreamingCall({
      ...runOptions(this.#interceptors, signal, timeoutMs),
      req: { ...this.#requestOf(desc, timeoutMs, header, contextValues), stream: true, method: desc, message: input },
      next: async (request) => {
        const { header, message, trailer } = await this.#openStream(method, request);
        return { ...request, header, message: message as never, trailer };
      },
    });
  };

  #methodOf(desc: DescMethod): GrpcMethod {
    const known = this.#methods.get(desc);
    if (known !== undefined) return known;
    const url = new URL(createMethodUrl(this.#options.baseUrl, desc));
    const fields = requestFields(url, "POST", this.#headerOf(undefined, undefined));
    const method = new GrpcMethod(desc, this.#options, new PreparedFields(fields));
    this.#methods.set(desc, method);
    return method;
  }

  /** What requests have before interceptors see them. */
  #headerOf(timeoutMs: number | undefined, header: HeadersInit | undefined): Headers {
    const { acceptCompression, sendCompression, useBinaryFormat } = this.#options;
    return requestHeaderWithCompression(useBinaryFormat, timeoutMs, header, acceptCompression, sendCompression);
  }

  #headOf(method: GrpcMethod, timeoutMs: number | undefined, header: HeadersInit | undefined): Head {
    const given = header === undefined ? undefined : new Headers(header);
    const fields = timeoutMs === undefined ? [] : [createField("grpc-timeout", formatGrpcTimeout(timeoutMs))];
    if (given !== undefined && reserved.some((name) => given.has(name))) {
      if (timeoutMs !== undefined) given.delete("grpc-timeout");
      const url = new URL(createMethodUrl(this.#options.baseUrl, method.desc));
      return { fields: requestFields(url, "POST", this.#headerOf(undefined, given)), more: fields };
    }
    if (given !== undefined) addHeaders(fields, given);
    return { fields: method.fields, more: fields.length === 0 ? undefined : fields };
  }

  #requestOf(
    desc: DescMethod,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues: ContextValues | undefined,
  ) {
    return requestInit(this.#options.baseUrl, desc, this.#headerOf(timeoutMs, header), contextValues);
  }

  #call(
    method: GrpcMethod,
    { fields, more }: Head,
    body: Uint8Array,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
  ): Promise<UnaryReply> {
    if (signal?.aborted === true) throw ConnectError.from(signal.reason, Code.Canceled);
    const options = this.#options;
    return new Promise((resolve, reject) => {
      const init = { method, options, fields, more, signal, timeoutMs, body, resolve, reject };
      options.sessions.send(new UnaryCall(init));
    });
  }

  #openStream(method: GrpcMethod, request: StreamRequest): Promise<StreamReply> {
    const options = this.#options;
    const fields = fieldsOf(request);
    const { signal, message: messages } = request;
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    return new Promise((resolve, reject) => {
      const init = {
        method,
        options,
        fields,
        more: undefined,
        signal,
        timeoutMs: undefined,
        messages,
        resolve,
        reject,
      };
      options.sessions.send(new StreamCall(init));
    });
  }
}

/** Headers that all requests have. A caller that sets one of them changes it, or gets it changed. */
const reserved = ["content-type", "grpc-accept-encoding", "grpc-encoding", "grpc-timeout", "host", "te", "user-agent"];

function fieldsOf({ url, header }: UnaryRequest | StreamRequest): readonly Field[] {
  return requestFields(new URL(url), "POST", header);
}
