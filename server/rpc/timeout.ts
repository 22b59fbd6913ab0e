// Reads the deadline of a call. The two notations are Connect's own parsers'; the clamp is ours.
import type { ConnectError } from "@connectrpc/connect";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import type { ProtocolName } from "../call/method.js";

/** The longest delay that a timer of Node can have, in milliseconds: 24.8 days. A longer one would fire at once. */
export const maxTimerMs = 2_147_483_647;

/** The request header that carries the deadline, by protocol. */
export const timeoutHeaders: Record<ProtocolName, "connect-timeout-ms" | "grpc-timeout"> = {
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

/** Reads a timeout header. One that is longer than a timer can be is cut to `maxTimerMs`. */
export function readTimeout(protocol: ProtocolName, value: string | undefined, maxTimeoutMs: number): Timeout {
  if (value === undefined) return none;
  const parse = protocol === "connect" ? parseConnectTimeout : parseGrpcTimeout;
  const timeout = parse(value, maxTimeoutMs);
  if (timeout.error !== undefined) return { error: timeout.error };
  return timeout.timeoutMs === undefined ? none : { timeoutMs: Math.min(timeout.timeoutMs, maxTimerMs) };
}
