// Reads the deadline of a call. The two notations are Connect's own; the clamp is ours.
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
  const plain = protocol === "connect" ? undefined : readPlainGrpc(value);
  if (plain !== undefined && plain > 0 && plain <= maxTimeoutMs) return { timeoutMs: Math.min(plain, maxTimerMs) };
  const parse = protocol === "connect" ? parseConnectTimeout : parseGrpcTimeout;
  // The error quotes the value.
  const timeout = parse(shorten(value), maxTimeoutMs);
  if (timeout.error !== undefined) return { error: timeout.error };
  if (timeout.timeoutMs === undefined) return none;
  if (timeout.timeoutMs <= 0) return { timeoutMs: 0, error: deadlineExceeded() };
  return { timeoutMs: Math.min(timeout.timeoutMs, maxTimerMs) };
}

const unitsMs: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1000],
  ["m", 1],
  ["u", 0.001],
  ["n", 0.000_001],
]);
const maxDigits = 8;
const [zero, nine] = [0x30, 0x39];

/** Reads up to eight digits and a unit as milliseconds. What is not that, Connect's parser refuses. It takes a microsecond. */
function readPlainGrpc(value: string): number | undefined {
  const digits = value.length - 1;
  const unitMs = unitsMs.get(value[digits] ?? "");
  if (unitMs === undefined || digits < 1 || digits > maxDigits) return undefined;
  let count = 0;
  for (let index = 0; index < digits; index++) {
    const char = value.charCodeAt(index);
    if (char < zero || char > nine) return undefined;
    count = count * 10 + char - zero;
  }
  return count * unitMs;
}
