// Reads the deadline of a call. The two notations are Connect's own parsers'; the clamp is ours.
import type { IncomingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import { header } from "../http/header.js";
import { shorten } from "../quote.js";
import { deadlineExceeded } from "./error.js";
import type { RpcProtocol } from "./method.js";

/** The longest delay that a timer of Node can have, in milliseconds: 24.8 days. A longer one would fire at once. */
export const maxTimerMs = 2_147_483_647;

/** The request header that carries the deadline, by protocol. */
export const timeoutHeaders: Record<RpcProtocol, "connect-timeout-ms" | "grpc-timeout"> = {
  connect: "connect-timeout-ms",
  grpc: "grpc-timeout",
  "grpc-web": "grpc-timeout",
};

/** A deadline in milliseconds from now, or the error of a header that says none. */
export interface Timeout {
  timeoutMs?: number;
  error?: ConnectError;
}

const none: Timeout = {};

/**
 * Reads the timeout of a request. One that is longer than a timer can be is cut to `maxTimerMs`; one of nothing has
 * passed already.
 */
export function readTimeout(protocol: RpcProtocol, headers: IncomingHttpHeaders, maxTimeoutMs: number): Timeout {
  const value = header(headers, timeoutHeaders[protocol]);
  if (value === undefined) return none;
  const parse = protocol === "connect" ? parseConnectTimeout : parseGrpcTimeout;
  // The error quotes the value.
  const timeout = parse(shorten(value), maxTimeoutMs);
  if (timeout.error !== undefined) return { error: timeout.error };
  if (timeout.timeoutMs === undefined) return none;
  if (timeout.timeoutMs <= 0) return { timeoutMs: 0, error: deadlineExceeded() };
  return { timeoutMs: Math.min(timeout.timeoutMs, maxTimerMs) };
}
