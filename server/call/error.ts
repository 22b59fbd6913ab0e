// Turns whatever a handler or an interceptor threw into the error that the caller may see.
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Headers that belong to the protocols, and so are no metadata: those that connect-go keeps to itself, less the lists of
 * compressions, which a protocol's own error names.
 */
const protocolHeaders: ReadonlySet<string> = new Set([
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "grpc-timeout",
  "host",
  "keep-alive",
  "trailer",
  "transfer-encoding",
  "user-agent",
]);

/**
 * A ConnectError is what its thrower wants the caller to see. Anything else is an accident: the caller sees `internal`
 * and no detail, and the original is kept as `cause` for the log.
 *
 * An error that a handler passes on from a call of its own carries that call's headers as metadata. Its content type,
 * length and status would overwrite ours, so they are left out, and lone surrogates in the message are replaced, because
 * no protocol can carry them.
 */
export function toCallError(reason: unknown): ConnectError {
  try {
    if (reason instanceof ConnectError) return cleanError(reason);
  } catch {
    // Whatever it is, it cannot be looked at.
  }
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}

function cleanError(reason: ConnectError): ConnectError {
  const metadata = [...reason.metadata].filter(([name]) => !protocolHeaders.has(name));
  const message = reason.rawMessage.toWellFormed();
  if (message === reason.rawMessage && metadata.length === [...reason.metadata].length) return reason;
  const error = new ConnectError(message, reason.code, metadata, undefined, reason.cause);
  error.details = reason.details;
  return error;
}

/** The error of a call whose deadline has passed. */
export function deadlineExceeded(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
