// The errors of calls: what a handler, an interceptor or a parser threw, as the client may see it, and the server's own.
import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.js";

/**
 * Returns the error that a call ends with:
 * - a ConnectError as it is: its thrower wrote it for the client;
 * - an error of gRPC's own libraries (`ServiceError` of @grpc/grpc-js, `ServerError` and `ClientError` of nice-grpc) with its
 *   code, its `details` as message, and its metadata. Such an error has an own property `code`, an integer from 1 to 16,
 *   and an own property `details`, a string. System errors (`code: "ECONNREFUSED"`) and DOMExceptions have not;
 * - anything else as `internal` with the message "internal error". The original is its `cause`, for the log.
 */
export function toConnectError(reason: unknown): ConnectError {
  try {
    if (reason instanceof ConnectError) return reason;
    if (isGrpcError(reason)) return fromGrpcError(reason);
  } catch {
    // A Proxy or a getter that throws.
  }
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}

/** Whether a value is one of gRPC's error codes. */
export function isErrorCode(code: unknown): code is Code {
  return Number.isInteger(code) && (code as number) >= 1 && (code as number) <= 16;
}

interface GrpcError {
  readonly code: Code;
  readonly details: string;
  readonly metadata?: unknown;
}

function isGrpcError(reason: unknown): reason is GrpcError {
  if (typeof reason !== "object" || reason === null) return false;
  if (!Object.hasOwn(reason, "code") || !Object.hasOwn(reason, "details")) return false;
  const { code, details } = reason as GrpcError;
  return isErrorCode(code) && typeof details === "string";
}

function fromGrpcError(reason: GrpcError): ConnectError {
  const error = new ConnectError(reason.details, reason.code, undefined, undefined, reason);
  for (const [name, value] of metadataOf(reason)) {
    try {
      error.metadata.append(name, value);
    } catch {
      // Not a header: gRPC's libraries check less than Headers does.
    }
  }
  return error;
}

/** Names and values of grpc-js's `Metadata`; values of `-bin` names are base64. */
function metadataOf({ metadata }: GrpcError): [name: string, value: string][] {
  const { toHttp2Headers } = (metadata ?? {}) as { toHttp2Headers?: () => Record<string, string | string[]> };
  if (typeof toHttp2Headers !== "function") return [];
  return Object.entries(toHttp2Headers.call(metadata)).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
}

/** The error of a call whose response cannot be sent, because of headers or trailers that the handler has set. */
export function toUnsendable(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  const text = "the headers or trailers of the response cannot be sent";
  return new ConnectError(text, Code.Internal, undefined, undefined, reason);
}

/** What was thrown, as an Error for a log. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("a value that is not an Error was thrown", { cause: reason });
}

/** The error of a call whose deadline has passed. */
export function deadlineExceeded(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

/**
 * The error of a message over a limit.
 *
 * @param limitBytes the limit, in bytes, of the option
 * @param sizeBytes the size of the message in bytes; left out where it is not known
 */
export function tooLarge(
  limitBytes: number,
  sizeBytes?: number,
  option: "readMaxBytes" | "writeMaxBytes" = "readMaxBytes",
): ConnectError {
  const size = sizeBytes === undefined ? "" : ` ${sizeBytes}`;
  return new ConnectError(
    `message size${size} is larger than configured ${option} ${limitBytes}`,
    Code.ResourceExhausted,
  );
}

/** HTTP/2 error codes that a peer may reset a stream with, and what they mean for a call. All others are `canceled`. */
const codes = new Map<number, Code>([
  [constants.NGHTTP2_PROTOCOL_ERROR, Code.Internal],
  [constants.NGHTTP2_INTERNAL_ERROR, Code.Internal],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR, Code.Internal],
  [constants.NGHTTP2_SETTINGS_TIMEOUT, Code.Internal],
  [constants.NGHTTP2_FRAME_SIZE_ERROR, Code.Internal],
  [constants.NGHTTP2_COMPRESSION_ERROR, Code.Internal],
  [constants.NGHTTP2_CONNECT_ERROR, Code.Internal],
  [constants.NGHTTP2_REFUSED_STREAM, Code.Unavailable],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM, Code.ResourceExhausted],
  [constants.NGHTTP2_INADEQUATE_SECURITY, Code.PermissionDenied],
  [constants.NGHTTP2_HTTP_1_1_REQUIRED, Code.PermissionDenied],
]);

/** The error that a call ends with when its client has closed the stream or the connection. */
export function closeReason({ resetCode }: Exchange): ConnectError {
  const code = codes.get(resetCode) ?? Code.Canceled;
  return new ConnectError(`the client closed the stream (HTTP/2 error code ${resetCode})`, code);
}
