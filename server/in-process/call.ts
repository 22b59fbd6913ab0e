// Calls methods from inside the process, own and forwarded ones alike: as Connect with JSON, over requests that no connection
// carries. https://connectrpc.com/docs/protocol
import { Code, ConnectError } from "@connectrpc/connect";
import { protocolVersion } from "@connectrpc/connect/protocol-connect";
import { hasOneRequest, type Method } from "../call/method.js";
import { serveFetch } from "../mount/fetch.js";
import { describeValue, shorten } from "../quote.js";
import { encodeEnvelope } from "../rpc/envelope.js";
import { parseFormat } from "../rpc/format.js";
import type { Lane } from "../rpc/handler.js";
import { type CallResponse, failedResponse, readStream, readUnary } from "./response.js";

/** A call from inside the process. */
export interface CallRequest {
  /** Full name of the method: `package.Service/Method`. */
  readonly method: string;
  /**
   * The request as ProtoJSON, or the requests of a client stream, which are read as the method asks for them. Default: an empty
   * message, or none for a client stream.
   */
  readonly json?: string | Iterable<string> | AsyncIterable<string> | undefined;
  /** Headers of the request. Values of `-bin` names are base64. */
  readonly headers?: HeadersInit | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the call fails with `deadline_exceeded`. Default: no deadline. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Makes a call. Resolves when its response begins, also with that of a call that has failed.
 *
 * @throws TypeError if the request is not a `CallRequest`
 */
export type Caller = (request: CallRequest) => Promise<CallResponse>;

/** What can be called. */
interface Callable {
  /** Request path → method. */
  readonly methods: ReadonlyMap<string, Method>;
  /** Request path → what serves calls of the method. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Returns why methods may be missing that will be served later. */
  readonly problem: () => ConnectError | undefined;
}

/** Makes the function that calls methods. */
export function createCaller({ methods, lanes, problem }: Callable): Caller {
  return async (request) => {
    checkRequest(request);
    const path = request.method.startsWith("/") ? request.method : `/${request.method}`;
    const method = methods.get(path);
    const lane = lanes.get(path);
    if (method !== undefined && lane !== undefined) return call(method, lane, request);
    const unknown = new ConnectError(`unknown method ${shorten(path.slice(1))}`, Code.Unimplemented);
    return failedResponse(problem() ?? unknown);
  };
}

function checkRequest({ method }: CallRequest): void {
  if (typeof method !== "string") {
    throw new TypeError(`call: method: expected package.Service/Method, found ${describeValue(method)}`);
  }
}

const unaryFormat = formatOf("application/json");
const streamFormat = formatOf("application/connect+json");

function formatOf(contentType: string) {
  const format = parseFormat(contentType);
  if (format === undefined) throw new Error(`expected ${contentType} to be a format`);
  return format;
}

/** What TypeScript's own types of `fetch` do not have: a stream as body needs it. */
interface StreamingInit extends RequestInit {
  readonly duplex: "half";
}

async function call(method: Method, lane: Lane, request: CallRequest): Promise<CallResponse> {
  const format = method.kind === "unary" ? unaryFormat : streamFormat;
  const { signal = null } = request;
  const headers = toHeaders(request, format.contentType);
  const url = `http://localhost${method.path}`;
  const body = format.isEnveloped ? toEnvelopes(method, request.json) : toBody(method, request.json);
  try {
    const init: StreamingInit = { method: "POST", headers, body, signal, duplex: "half" };
    const response = await serveFetch((exchange) => lane(format, exchange, undefined), new Request(url, init), 2);
    return await (format.isEnveloped ? readStream : readUnary)(response, method.types);
  } catch (reason) {
    return failedResponse(ConnectError.from(reason, signal?.aborted === true ? Code.Canceled : Code.Internal));
  }
}

/** Headers that say how messages are sent, of which there is one way here. */
const ofMessages = ["accept-encoding", "connect-accept-encoding", "connect-content-encoding", "content-encoding"];

/** As many digits as the protocol allows. */
const maxTimeoutMs = 9_999_999_999;

function toHeaders(
  { headers: given, timeoutMs = Number.POSITIVE_INFINITY }: CallRequest,
  contentType: string,
): Headers {
  const headers = new Headers(given);
  for (const name of [...ofMessages, "connect-timeout-ms", "content-length"]) headers.delete(name);
  headers.set("content-type", contentType);
  headers.set("connect-protocol-version", protocolVersion);
  if (timeoutMs === Number.POSITIVE_INFINITY) return headers;
  headers.set("connect-timeout-ms", String(Math.min(Math.max(0, Math.ceil(timeoutMs)), maxTimeoutMs)));
  return headers;
}

function toBody(method: Method, json: CallRequest["json"] = "{}"): string {
  if (typeof json === "string") return json;
  throw new TypeError(`call: json: expected a string for ${method.path}, found ${describeValue(json)}`);
}

function toEnvelopes(method: Method, json: CallRequest["json"] = hasOneRequest(method) ? "{}" : []): ReadableStream {
  const all = typeof json === "string" ? [json] : json;
  if (isIterable(all)) return toStream(encodeEach(all));
  throw new TypeError(`call: json: expected strings for ${method.path}, found ${describeValue(json)}`);
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Asks for a chunk when one is wanted. */
function toStream(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

async function* encodeEach(all: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const json of all) yield encodeEnvelope(0, Buffer.from(json));
}
