/** Turns the `timeoutMs` of a call into a deadline that timers and every protocol can express. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { TransportOptionError } from "./option-error.js";

/** The longest delay of timers, 24.8 days. With a longer one they fire after 1 ms. */
const timerMaxMs = 2_147_483_647;

/** `grpc-timeout` has at most eight digits: https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#requests */
const grpcDigitsMax = 1e8;
const longestUnit = ["H", 3_600_000] as const;
const grpcUnits = [["m", 1], ["S", 1000], ["M", 60_000], longestUnit] as const;
/** 11,415 years. A longer deadline is none. */
const timeoutMaxMs = (grpcDigitsMax - 1) * 3_600_000;

/** `connect-timeout-ms` has at most ten digits: https://connectrpc.com/docs/protocol/#unary-request */
const connectDigitsMax = 1e10;

/** Throws a TransportOptionError for a default that is no deadline. */
export function checkDefaultTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || timeoutMs > 0) return;
  throw new TransportOptionError("defaultTimeoutMs", `expected more than 0 milliseconds, found ${timeoutMs}`);
}

/** The error of a call that its deadline has ended, as Connect words it. */
export function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

function setConnectTimeout(header: Headers, timeoutMs: number): void {
  // A longer one is sent as none: only the client ends the call then.
  if (timeoutMs < connectDigitsMax) header.set("connect-timeout-ms", String(timeoutMs));
  else header.delete("connect-timeout-ms");
}

function setGrpcTimeout(header: Headers, timeoutMs: number): void {
  header.set("grpc-timeout", formatGrpcTimeout(timeoutMs));
}

/** Sets both headers that REST servers know: Google's and grpc-gateway's. */
export function setRestTimeout(header: Headers, timeoutMs: number): void {
  header.set("x-server-timeout", String(timeoutMs / 1000));
  setGrpcTimeout(header, timeoutMs);
}

/** Rewrites the headers that say a deadline, whatever protocol they belong to. */
export function updateTimeout(header: Headers, timeoutMs: number): void {
  if (header.has("connect-timeout-ms")) setConnectTimeout(header, timeoutMs);
  if (header.has("x-server-timeout")) setRestTimeout(header, timeoutMs);
  else if (header.has("grpc-timeout")) setGrpcTimeout(header, timeoutMs);
}

/** The protocols whose headers say a deadline. */
type TimedProtocol = "connect" | "grpc" | "grpc-web" | "rest";

/** How they say it, in whole milliseconds. */
const timeoutSetters: Record<TimedProtocol, (header: Headers, timeoutMs: number) => void> = {
  connect: setConnectTimeout,
  grpc: setGrpcTimeout,
  "grpc-web": setGrpcTimeout,
  rest: setRestTimeout,
};

/**
 * A transport whose calls have deadlines of any length. They are rounded up to whole milliseconds, so that none becomes 0.
 * Those that are longer than a timer can be are not passed on: their header is set, and their signal fires, here.
 */
export function withDeadlines(
  transport: Transport,
  protocol: TimedProtocol,
  defaultTimeoutMs: number | undefined,
): Transport {
  const begin = (
    given: number | undefined,
    signal: AbortSignal | undefined,
    header: HeadersInit | undefined,
  ): DeadlineCall => {
    const timeoutMs = roundTimeoutMs(given ?? defaultTimeoutMs);
    if (timeoutMs === undefined || timeoutMs <= timerMaxMs) return { timeoutMs, signal, header };
    const longHeader = new Headers(header);
    timeoutSetters[protocol](longHeader, timeoutMs);
    return { timeoutMs: 0, header: longHeader, ...startDeadline(timeoutMs, signal) };
  };
  return {
    async unary(method, givenSignal, givenMs, givenHeader, ...others) {
      const { signal, timeoutMs, header, end } = begin(givenMs, givenSignal, givenHeader);
      try {
        return await transport.unary(method, signal, timeoutMs, header, ...others);
      } finally {
        end?.();
      }
    },
    async stream(method, givenSignal, givenMs, givenHeader, ...others) {
      const { signal, timeoutMs, header, end } = begin(givenMs, givenSignal, givenHeader);
      try {
        const response = await transport.stream(method, signal, timeoutMs, header, ...others);
        return end === undefined ? response : { ...response, message: callAtEnd(response.message, end) };
      } catch (error) {
        end?.();
        throw error;
      }
    },
  };
}

/** A transport whose calls have at most the time that `maxMsOf` returns for their method, in milliseconds. */
export function withLongestDeadlines(
  transport: Transport,
  maxMsOf: (method: DescMethod) => number | undefined,
): Transport {
  const limit = (method: DescMethod, timeoutMs: number | undefined) => {
    const maxMs = maxMsOf(method);
    if (maxMs === undefined) return timeoutMs;
    return timeoutMs === undefined || timeoutMs <= 0 ? maxMs : Math.min(maxMs, timeoutMs);
  };
  return {
    unary: (method, signal, timeoutMs, ...others) =>
      transport.unary(method, signal, limit(method, timeoutMs), ...others),
    stream: (method, signal, timeoutMs, ...others) =>
      transport.stream(method, signal, limit(method, timeoutMs), ...others),
  };
}

/** How a call is passed on. */
interface DeadlineCall {
  /** 0 is no deadline. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly header: HeadersInit | undefined;
  /** To be called at the end of the call. */
  readonly end?: () => void;
}

/** 0 is no deadline. @throws ConnectError `invalid_argument` for NaN */
function roundTimeoutMs(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined) return undefined;
  if (Number.isNaN(timeoutMs)) {
    throw new ConnectError("timeoutMs: expected a number of milliseconds, found NaN", Code.InvalidArgument);
  }
  return timeoutMs > timeoutMaxMs || timeoutMs <= 0 ? 0 : Math.ceil(timeoutMs);
}

/** Returns a signal that fires at the deadline, and with the given one. */
function startDeadline(timeoutMs: number, given: AbortSignal | undefined) {
  const controller = new AbortController();
  const onAbort = () => controller.abort(given?.reason);
  if (given?.aborted === true) onAbort();
  given?.addEventListener("abort", onAbort);
  const stop = startLongTimer(() => controller.abort(timedOut()), timeoutMs);
  const end = () => {
    stop();
    given?.removeEventListener("abort", onAbort);
  };
  return { signal: controller.signal, end };
}

/** Calls `act` after any time, by several timers if it is longer than one can be. Returns what stops them. */
function startLongTimer(act: () => void, delayMs: number): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (restMs: number) => {
    const stepMs = Math.min(restMs, timerMaxMs);
    timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : act()), stepMs);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}

async function* callAtEnd<Item>(items: AsyncIterable<Item>, act: () => void): AsyncGenerator<Item> {
  try {
    yield* items;
  } finally {
    act();
  }
}

/** Formats whole milliseconds for `grpc-timeout`, in the smallest unit that has enough digits. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const countOf = (unitMs: number) => Math.ceil(timeoutMs / unitMs);
  const [unit, unitMs] = grpcUnits.find(([, ms]) => countOf(ms) < grpcDigitsMax) ?? longestUnit;
  return `${countOf(unitMs)}${unit}`;
}

/** An interceptor that rewrites the `grpc-timeout` of Connect's transports, which may have more than eight digits. */
export const shortenGrpcTimeout: Interceptor = (next) => (request) => {
  const digits = /^(\d{9,})m$/.exec(request.header.get("grpc-timeout") ?? "")?.[1];
  if (digits !== undefined) setGrpcTimeout(request.header, Number(digits));
  return next(request);
};
