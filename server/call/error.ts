// Turns whatever a handler, an interceptor or a parser threw into the error that the client may see.
import { Code, ConnectError } from "@connectrpc/connect";

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
