// Reads the response of a call from inside the process.
import type { JsonObject, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  endStreamFlag,
  endStreamFromJson,
  errorFromJsonBytes,
  trailerDemux,
} from "@connectrpc/connect/protocol-connect";
import { encodeDetail } from "../rest/error/detail.js";
import { type Envelope, EnvelopeReader } from "../rpc/envelope.js";
import { preferTypes } from "../schema/file-types.js";
import { commonTypes } from "../schema/types.js";

/** The response of a call. */
export interface CallResponse {
  /** Headers that the method has set. */
  readonly headers: Headers;
  /**
   * The replies as ProtoJSON, as they come; to be read once. Throws the ConnectError that the call fails with. A reader that
   * stops before the end cancels the call.
   */
  readonly messages: AsyncIterable<string>;
  /** How the call has ended. Resolves once `messages` has been read, of a unary call at once. Never rejects. */
  readonly status: Promise<CallStatus>;
  /** Reads the only reply. Rejects with the ConnectError that the call fails with, or if there is another number of replies. */
  message(): Promise<string>;
}

/** The end of a call. */
export interface CallStatus {
  /** Undefined is OK. */
  readonly code: Code | undefined;
  /** That of the error; empty for OK. */
  readonly message: string;
  /** Error details as the ProtoJSON of google.protobuf.Any. A type that is not known has its bytes as `value`, in base64. */
  readonly details: readonly JsonObject[];
  /** Trailers that the method has set; of a unary call that failed, its headers too. */
  readonly trailers: Headers;
}

/** How a call has ended. */
interface End {
  readonly error: ConnectError | undefined;
  readonly trailers: Headers;
}

/** The response of a call that failed before it began. */
export function failedResponse(error: ConnectError): CallResponse {
  return wholeResponse(new Headers(), [], { error, trailers: error.metadata }, commonTypes);
}

/** Reads the response of a unary call. */
export async function readUnary(response: Response, types: Registry): Promise<CallResponse> {
  const [headers, trailers] = trailerDemux(response.headers);
  if (response.status === 200) {
    return wholeResponse(withoutBody(headers), [await response.text()], { error: undefined, trailers }, types);
  }
  const metadata = withoutBody(headers);
  trailers.forEach((value, name) => {
    metadata.append(name, value);
  });
  const error = readError(new Uint8Array(await response.arrayBuffer()), metadata);
  return wholeResponse(new Headers(), [], { error, trailers: metadata }, types);
}

function readError(json: Uint8Array, metadata: Headers): ConnectError {
  const fallback = new ConnectError("the response is not an error of Connect", Code.Internal);
  try {
    return errorFromJsonBytes(json, metadata, fallback);
  } catch {
    return fallback;
  }
}

/** Headers of the body, which is not passed on as it is. */
function withoutBody(headers: Headers): Headers {
  for (const name of ["content-length", "content-type"]) headers.delete(name);
  return headers;
}

function wholeResponse(headers: Headers, messages: readonly string[], end: End, types: Registry): CallResponse {
  async function* read() {
    yield* messages;
    if (end.error !== undefined) throw end.error;
  }
  return toResponse(headers, read(), Promise.resolve(toStatus(end, types)));
}

/** Reads the response of a stream. */
export function readStream({ headers, body }: Response, types: Registry): CallResponse {
  let settle: (status: CallStatus) => void = () => {};
  const status = new Promise<CallStatus>((resolve) => {
    settle = resolve;
  });
  const onEnd = (end: End) => settle(toStatus(end, types));
  return toResponse(withoutBody(new Headers(headers)), readMessages(body ?? [], onEnd), status);
}

async function* readMessages(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onEnd: (end: End) => void,
): AsyncGenerator<string> {
  let end: End = { error: new ConnectError("the reader has stopped", Code.Canceled), trailers: new Headers() };
  try {
    const reader = new EnvelopeReader(Number.POSITIVE_INFINITY);
    for await (const { buffer, byteOffset, length } of body) {
      const envelopes: Envelope[] = [];
      reader.push(Buffer.from(buffer, byteOffset, length), envelopes);
      for (const { flags, data } of envelopes) {
        if ((flags & endStreamFlag) === 0) {
          yield Buffer.from(data.buffer, data.byteOffset, data.length).toString();
          continue;
        }
        const { error, metadata } = endStreamFromJson(data);
        end = { error, trailers: metadata };
      }
    }
  } catch (reason) {
    end = { error: ConnectError.from(reason, Code.Canceled), trailers: new Headers() };
  } finally {
    onEnd(end);
  }
  if (end.error !== undefined) throw end.error;
}

function toStatus({ error, trailers }: End, types: Registry): CallStatus {
  if (error === undefined) return { code: undefined, message: "", details: [], trailers };
  const all = preferTypes(types, commonTypes);
  const details = error.details.map((detail) => encodeDetail(detail, all)).filter((json) => json !== undefined);
  return { code: error.code, message: error.rawMessage, details, trailers };
}

function toResponse(headers: Headers, messages: AsyncIterable<string>, status: Promise<CallStatus>): CallResponse {
  return {
    headers,
    messages,
    status,
    async message() {
      const all: string[] = [];
      for await (const message of messages) {
        all.push(message);
        if (all.length > 1) break;
      }
      const [only] = all;
      if (only !== undefined && all.length === 1) return only;
      throw new ConnectError(`expected one reply, found ${only === undefined ? "none" : "more"}`, Code.Unimplemented);
    },
  };
}
