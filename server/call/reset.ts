// Tells why a response was closed before it was complete.
import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.js";

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
