// A transport of gRPC on our own HTTP/2 and codec, with what Connect's has: the same options, interceptors and errors.
import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
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
import { defaultSettings } from "../call-settings.js";
import { addHeaders, requestFields } from "../http2/request-fields.js";
import { type Attempt, tellAttempts } from "../retry/attempt.js";
import { tellDeadlines } from "../tell-deadlines.js";
import { formatGrpcTimeout, shortenGrpcTimeout } from "../timeout.js";
import type { GrpcOptions } from "./call.js";
import { GrpcMethod } from "./method.js";
import { StreamCall, type StreamCallInit, type StreamReply } from "./stream-call.js";
import { UnaryCall, type UnaryReply } from "./unary-call.js";

/** Fields of a request: those of all requests of the method, and more. */
interface Head {
  readonly fields: Fields;
  readonly more: readonly Field[] | undefined;
}

/** How one request is sent. */
interface SendInit {
  readonly method: GrpcMethod;
  readonly head: Head;
  readonly signal: AbortSignal | undefined;
  /** The deadline, if `signal` does not have it. */
  readonly timeoutMs: number | undefined;
  readonly waitsForReady: boolean;
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
      const { settings } = method;
      const init = { method, head, signal, timeoutMs, waitsForReady: settings.waits(contextValues) };
      const { retry } = settings;
      if (retry === undefined) return this.#call(init, body) as never;
      return retry.unary(init, (attempt) => this.#attempt(init, header, body, attempt)) as never;
    }
    return runUnaryCall({
      ...runOptions(this.#interceptors, signal, timeoutMs),
      req: { ...this.#requestOf(desc, timeoutMs, header, contextValues), stream: false, method: desc, message: input },
      next: async (request) => {
        const body = await method.encode(request.message);
        const call = (attempted: UnaryRequest, attempt?: Attempt) =>
          this.#call(this.#initOf(method, attempted), body, attempt?.commit);
        return (method.settings.retry?.unaryRequest(request, timeoutMs, call) ?? call(request)) as never;
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
        const open = async (attempted: StreamRequest, messages: StreamCallInit["messages"] = request.message) => {
          const { header, message, trailer } = await this.#openStream(this.#initOf(method, attempted), messages);
          return { ...request, header, message: message as never, trailer };
        };
        const { retry } = method.settings;
        if (retry === undefined) return open(request);
        const body = encodeEach(request.message, method);
        return retry.stream(request, timeoutMs, { body, commitsAt: "response" }, open) as never;
      },
    });
  };

  #methodOf(desc: DescMethod): GrpcMethod {
    const known = this.#methods.get(desc);
    if (known !== undefined) return known;
    const url = new URL(createMethodUrl(this.#options.baseUrl, desc));
    const fields = requestFields(url, "POST", this.#headerOf(undefined, undefined));
    const settings = this.#options.settingsOf?.(desc) ?? defaultSettings;
    const method = new GrpcMethod(desc, this.#options, new PreparedFields(fields), settings);
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

  #initOf(method: GrpcMethod, request: UnaryRequest | StreamRequest): SendInit {
    const { signal, contextValues } = request;
    const head = { fields: fieldsOf(request), more: undefined };
    return { method, head, signal, timeoutMs: undefined, waitsForReady: method.settings.waits(contextValues) };
  }

  /** Makes an attempt of a call, of which the first is as if it were the only one. */
  #attempt(init: SendInit, given: HeadersInit | undefined, body: Uint8Array, attempt: Attempt): Promise<UnaryReply> {
    if (attempt.previous === 0) return this.#call(init, body, attempt.commit);
    const { timeoutMs } = attempt;
    const header = new Headers(given);
    tellAttempts(header, attempt.previous);
    return this.#call({ ...init, head: this.#headOf(init.method, timeoutMs, header), timeoutMs }, body, attempt.commit);
  }

  /** @param commit see `UnaryCallInit` */
  #call(init: SendInit, body: Uint8Array, commit?: () => void): Promise<UnaryReply> {
    const { method, head, signal, timeoutMs, waitsForReady } = init;
    if (signal?.aborted === true) throw ConnectError.from(signal.reason, Code.Canceled);
    const options = this.#options;
    const { fields, more } = head;
    return new Promise((resolve, reject) => {
      const call = { method, options, fields, more, signal, timeoutMs, waitsForReady, body, commit, resolve, reject };
      options.pool.send(new UnaryCall(call));
    });
  }

  #openStream(init: SendInit, messages: StreamCallInit["messages"]): Promise<StreamReply> {
    const { method, head, signal, timeoutMs, waitsForReady } = init;
    const options = this.#options;
    const { fields, more } = head;
    if (signal?.aborted === true) throw ConnectError.from(signal.reason, Code.Canceled);
    return new Promise((resolve, reject) => {
      const call = { method, options, fields, more, signal, timeoutMs, waitsForReady, messages, resolve, reject };
      options.pool.send(new StreamCall(call));
    });
  }
}

async function* encodeEach(messages: AsyncIterable<Message>, method: GrpcMethod): AsyncGenerator<Uint8Array> {
  for await (const message of messages) yield method.encode(message);
}

/** Headers that all requests have. A caller that sets one of them changes it, or gets it changed. */
const reserved = ["content-type", "grpc-accept-encoding", "grpc-encoding", "grpc-timeout", "host", "te", "user-agent"];

function fieldsOf({ url, header }: UnaryRequest | StreamRequest): readonly Field[] {
  return requestFields(new URL(url), "POST", header);
}
