/** Converts the `timeoutMs` of a call to a deadline that timers and every protocol can express. */
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { TransportOptionError } from "./option-error.js";

/** The longest delay of Node's timers, 24.8 days. With a longer one they fire after 1 ms. */
export const timeoutMaxMs = 2_147_483_647;

/** `grpc-timeout` has at most eight digits: https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#requests */
const grpcDigitsMax = 1e8;

/**
 * Rounds up to whole milliseconds, so that no deadline becomes 0, which means none. A timeout of more than 24.8 days becomes
 * one of 24.8 days; `Infinity` becomes 0.
 *
 * @throws ConnectError `invalid_argument` for NaN
 */
export function roundTimeoutMs(timeoutMs: number): number {
  if (Number.isNaN(timeoutMs)) {
    throw new ConnectError("timeoutMs: expected a number of milliseconds, found NaN", Code.InvalidArgument);
  }
  if (timeoutMs === Number.POSITIVE_INFINITY || timeoutMs <= 0) return 0;
  return Math.min(Math.ceil(timeoutMs), timeoutMaxMs);
}

/** Throws a TransportOptionError for a default that is not a number of milliseconds that timers take. */
export function checkDefaultTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs >= 1 && timeoutMs <= timeoutMaxMs)) return;
  const range = `from 1 to ${timeoutMaxMs} milliseconds`;
  throw new TransportOptionError("defaultTimeoutMs", `expected ${range}, found ${timeoutMs}`);
}

/** A transport that rounds the timeouts of its calls. */
export function withRoundTimeouts(transport: Transport): Transport {
  const round = (timeoutMs: number | undefined) => (timeoutMs === undefined ? undefined : roundTimeoutMs(timeoutMs));
  return {
    async unary(method, signal, timeoutMs, ...others) {
      return transport.unary(method, signal, round(timeoutMs), ...others);
    },
    async stream(method, signal, timeoutMs, ...others) {
      return transport.stream(method, signal, round(timeoutMs), ...others);
    },
  };
}

/** Formats whole milliseconds for `grpc-timeout`, in seconds where milliseconds have too many digits. */
export function formatGrpcTimeout(timeoutMs: number): string {
  return timeoutMs < grpcDigitsMax ? `${timeoutMs}m` : `${Math.ceil(timeoutMs / 1000)}S`;
}

/** An interceptor that rewrites the `grpc-timeout` of Connect's transports, which may have more than eight digits. */
export const shortenGrpcTimeout: Interceptor = (next) => (request) => {
  const digits = /^(\d{9,})m$/.exec(request.header.get("grpc-timeout") ?? "")?.[1];
  if (digits !== undefined) request.header.set("grpc-timeout", formatGrpcTimeout(Number(digits)));
  return next(request);
};
