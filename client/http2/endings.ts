// What the end of a stream or connection is to the caller: a code of gRPC.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#errors
import { Code, ConnectError } from "@connectrpc/connect";
import { type ConnectionError, ErrorCode } from "../../server/http2/errors.js";

const names: ReadonlyMap<number, string> = new Map([
  [ErrorCode.noError, "NO_ERROR"],
  [ErrorCode.protocolError, "PROTOCOL_ERROR"],
  [ErrorCode.internalError, "INTERNAL_ERROR"],
  [ErrorCode.flowControlError, "FLOW_CONTROL_ERROR"],
  [ErrorCode.settingsTimeout, "SETTINGS_TIMEOUT"],
  [ErrorCode.streamClosed, "STREAM_CLOSED"],
  [ErrorCode.frameSizeError, "FRAME_SIZE_ERROR"],
  [ErrorCode.refusedStream, "REFUSED_STREAM"],
  [ErrorCode.cancel, "CANCEL"],
  [ErrorCode.compressionError, "COMPRESSION_ERROR"],
  [ErrorCode.connectError, "CONNECT_ERROR"],
  [ErrorCode.enhanceYourCalm, "ENHANCE_YOUR_CALM"],
  [ErrorCode.inadequateSecurity, "INADEQUATE_SECURITY"],
  [ErrorCode.http11Required, "HTTP_1_1_REQUIRED"],
]);

/** Those of RST_STREAM that are not `internal`. */
const codes: ReadonlyMap<number, Code> = new Map([
  [ErrorCode.refusedStream, Code.Unavailable],
  [ErrorCode.cancel, Code.Canceled],
  [ErrorCode.enhanceYourCalm, Code.ResourceExhausted],
  [ErrorCode.inadequateSecurity, Code.PermissionDenied],
]);

function nameOf(errorCode: number): string {
  const number = `0x${errorCode.toString(16)}`;
  const name = names.get(errorCode);
  return name === undefined ? number : `${name} (${number})`;
}

/**
 * The error of a call whose stream was reset before its response was complete.
 *
 * @param fault what was wrong with the response, if it was reset for that
 */
export function errorOfReset(errorCode: number, fault: string | undefined): ConnectError {
  const more = fault === undefined ? "" : `: ${fault}`;
  const message = `http/2 stream closed with error code ${nameOf(errorCode)}${more}`;
  return new ConnectError(message, codes.get(errorCode) ?? Code.Internal);
}

/** The error of a call that the server has not processed, because GOAWAY named an earlier stream as the last one. */
export function errorOfGoawayBefore(): ConnectError {
  return new ConnectError("the server closed the connection before it processed the call", Code.Unavailable);
}

/** What a server has said in GOAWAY. */
export interface Goaway {
  readonly errorCode: number;
  /** Debug data: one char per byte. */
  readonly message: string;
}

/** The error of calls whose connection was closed after GOAWAY with an error code. */
export function errorOfGoaway({ errorCode, message }: Goaway): ConnectError {
  const code = errorCode === ErrorCode.enhanceYourCalm ? Code.ResourceExhausted : Code.Unavailable;
  const more = message === "" ? "" : `: ${message.replace(/[^ -~]/g, "?")}`;
  return new ConnectError(`http/2 connection closed with error code ${nameOf(errorCode)}${more}`, code);
}

/** The error of calls on a connection that we closed because of what the server sent, or did not send. */
export function errorOfConnection(error: ConnectionError, hasSettings: boolean): ConnectError {
  const isTimeout = error.code === ErrorCode.settingsTimeout;
  const code = isTimeout ? Code.Unavailable : (codes.get(error.code) ?? Code.Internal);
  const message = isTimeout || hasSettings ? `http/2: ${error.message}` : "the server does not speak HTTP/2";
  return new ConnectError(message, code, undefined, undefined, error);
}

/** Errors of `node:tls` that come from the network, where all others say that the peers do not agree. */
const networkCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "ENOENT"]);

/** The error of calls whose connection could not be opened, or was lost. Undefined: the server ended it without a word. */
export function errorOfSocket(error: (Error & { code?: unknown; syscall?: unknown }) | undefined): ConnectError {
  if (error === undefined) return new ConnectError("the connection was closed", Code.Unavailable);
  if (error instanceof ConnectError) return error;
  const isNetwork = error.syscall !== undefined || networkCodes.has(error.code);
  return new ConnectError(error.message, isNetwork ? Code.Unavailable : Code.Internal, undefined, undefined, error);
}

/** Returns an equal error, for another call. */
export function copyError({ rawMessage, code, cause }: ConnectError): ConnectError {
  return new ConnectError(rawMessage, code, undefined, undefined, cause);
}
