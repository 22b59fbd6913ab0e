/** Calls methods by the routes of their google.api.http options, on any server that has these routes. */
import { create, createRegistry, type DescMethod, type JsonValue, type Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type Compression, createAsyncIterable, runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import type { JsonCodec } from "../server/codec/json.js";
import { createErrorDecoder } from "../server/rest/error/errors.js";
import { readHttpConfig } from "../server/rest/route/http-config.js";
import { type ClientFn, requestInit, runOptions, timeoutOf } from "./call-init.js";
import type { SettingsOf } from "./call-settings.js";
import { TransportOptionError } from "./option-error.js";
import { createRestMethods, type JsonOptions, openRequestStream, type RestMethod } from "./rest-method.js";
import { createOpener, requestHeader, setDefault, wholeBody } from "./rest-request.js";
import { type ResponseReader, readReplies, readWhole } from "./rest-response.js";

/** Options of a transport over REST, as far as it has them: those of Connect's own transports. */
interface RestTransportOptions {
  /** What the paths of routes are added to. */
  baseUrl: string;
  httpVersion: "1.1" | "2";
  httpClient: ClientFn;
  interceptors?: Interceptor[];
  readMaxBytes: number;
  acceptCompression: Compression[];
  jsonOptions?: JsonOptions;
  /** Whether code may be made of message types. Default true. */
  codeGeneration?: boolean;
  /** Reads and writes JSON. */
  codec: JsonCodec;
  /** The data of a service configuration. */
  httpRules?: JsonValue;
  /** How the calls of each method are made. Default: as no option said anything. */
  settingsOf?: SettingsOf | undefined;
}

/**
 * Makes the transport. Throws a TransportOptionError for rules that cannot be read. Interceptors see the address of the RPC,
 * `/package.Service/Method`: they may still change the message, and it is the message that says which route is taken.
 */
export function openRest(options: RestTransportOptions): Transport {
  const { baseUrl, interceptors = [], jsonOptions = {}, codec, httpRules = { rules: [] } } = options;
  const { http, problems } = readHttpConfig(codec, httpRules);
  if (problems.length > 0) throw new TransportOptionError("httpRules", problems.join("; "));
  const methodOf = createRestMethods(codec, jsonOptions, http, options.codeGeneration);
  const reader: ResponseReader = {
    ...options,
    decodeError: createErrorDecoder(jsonOptions.registry ?? createRegistry()),
  };
  const open = createOpener(options);
  const requestOf = (
    desc: DescMethod,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    contextValues: ContextValues | undefined,
  ) => requestInit(baseUrl, desc, requestHeader(header, timeoutMs), contextValues);

  return {
    async unary(desc, signal, givenMs, header, message, contextValues) {
      const method = methodOf(desc);
      const settings = options.settingsOf?.(desc);
      const timeoutMs = timeoutOf(givenMs);
      return runUnaryCall({
        ...runOptions(interceptors, signal, timeoutMs),
        req: { ...requestOf(desc, timeoutMs, header, contextValues), stream: false, method: desc, message },
        next: async (request) => {
          const encoded = method.encode(request.message);
          setDefault(request.header, "accept", "application/json");
          setDefault(request.header, "accept-encoding", options.acceptCompression.map(({ name }) => name).join(", "));
          const send = async (attempted: UnaryRequest): Promise<UnaryResponse> => {
            const response = await open(attempted, encoded, wholeBody(attempted.header, encoded), settings);
            const body = await readWhole(response, reader);
            const { header, trailer } = response;
            const contentType = header.get("content-type") ?? undefined;
            const message = method.decoderOf(encoded.binding)({ contentType, body });
            return { ...attempted, header, message, trailer };
          };
          return (settings?.retry?.unaryRequest(request, timeoutMs, send) ?? send(request)) as never;
        },
      });
    },

    async stream(desc, signal, givenMs, header, input, contextValues) {
      const method = methodOf(desc);
      const settings = options.settingsOf?.(desc);
      const timeoutMs = timeoutOf(givenMs);
      return runStreamingCall({
        ...runOptions(interceptors, signal, timeoutMs),
        req: { ...requestOf(desc, timeoutMs, header, contextValues), stream: true, method: desc, message: input },
        next: async (request) => {
          const { encoded, body } = await startStream(desc, method, request.message);
          const isOneReply = desc.methodKind === "client_streaming";
          setDefault(request.header, "accept", isOneReply ? "application/json" : streamTypes);
          const given = body(request.header);
          const send = async (attempted: StreamRequest, body = given): Promise<StreamResponse> => {
            const response = await open(attempted, encoded, body, settings);
            const isStream = !isOneReply && response.status >= 200 && response.status < 300;
            const whole = isStream ? undefined : await readWhole(response, reader);
            const decode = method.decoderOf(encoded.binding);
            const { header, trailer } = response;
            const contentType = header.get("content-type") ?? undefined;
            const message =
              whole === undefined
                ? readReplies(response, encoded.binding.responseBody.kind, decode, reader)
                : createAsyncIterable([decode({ contentType, body: whole })]);
            return { ...attempted, header, message, trailer };
          };
          const replay = { body: given, commitsAt: "message" } as const;
          return (settings?.retry?.stream(request, timeoutMs, replay, send) ?? send(request)) as never;
        },
      });
    },
  };
}

/** Lines can be read as they come, and an array too, which is what Google's servers have. */
const streamTypes = "application/x-ndjson, application/json;q=0.9";

/** The route and the body of a stream, which must be known before anything is sent. */
async function startStream(desc: DescMethod, method: RestMethod, messages: AsyncIterable<Message>) {
  if (desc.methodKind === "server_streaming") {
    const encoded = method.encode(await takeOne(messages));
    return { encoded, body: (header: Headers) => wholeBody(header, encoded) };
  }
  const { first, body, contentType } = await openRequestStream(method, messages, create(desc.input));
  const typed = (header: Headers) => {
    if (contentType !== undefined) header.set("content-type", contentType);
    return body;
  };
  return { encoded: first, body: typed };
}

async function takeOne(messages: AsyncIterable<Message>): Promise<Message> {
  for await (const message of messages) return message;
  throw new ConnectError("expected one message, found none", Code.InvalidArgument);
}
