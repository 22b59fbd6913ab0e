// An interceptor that limits how often a client may call.
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { describeValue } from "../quote.js";
import { checkWholeNumber } from "../whole-number.js";
import { checkNames } from "./check-names.js";
import { type MethodPatterns, selectMethods } from "./method-rules.js";
import { type RateLimitKey, readKey } from "./rate-limit/keys.js";
import { MemoryLimiter } from "./rate-limit/memory-limiter.js";
import { type SharedLimiter, StoreLimiter } from "./rate-limit/store-limiter.js";

/** Options of `rateLimit`. Either `points` and `durationSeconds`, or `limiter`. */
export interface RateLimitOptions {
  /** Points that a key has. A call takes one. A client that has been quiet may use all at once. */
  readonly points?: number | undefined;
  /** Seconds in which a key that has none gets all points back, evenly. */
  readonly durationSeconds?: number | undefined;
  /** What calls are counted by. Default `"peer"`, the address of the client. */
  readonly key?: RateLimitKey | undefined;
  /** The methods that are limited, together: `package.Service/Method`, `package.Service/*`, `*`, or a list. Default: all. */
  readonly methods?: MethodPatterns | undefined;
  /** Points that a call takes, from 0, or a function that says so; of more than `points`, all are taken. Default 1. */
  readonly cost?: number | ((request: UnaryRequest | StreamRequest) => number) | undefined;
  /** Keys that are kept in memory; about 150 bytes each. Of more, those that called last are kept. Default 100,000. */
  readonly maxKeys?: number | undefined;
  /** A limiter of the package `rate-limiter-flexible`, such as `RateLimiterRedis`, whose store several servers share. */
  readonly limiter?: SharedLimiter | undefined;
  /** What happens to calls while the store of the limiter fails: they pass, or end with `unavailable`. Default `"allow"`. */
  readonly whenStoreFails?: "allow" | "refuse" | undefined;
  /** Called with an error of the store, at most every 10 seconds. Default: a warning of the process. */
  readonly onStoreError?: ((error: Error) => void) | undefined;
  /** Milliseconds that a call waits for the store. Default 500. */
  readonly storeTimeoutMs?: number | undefined;
}

/**
 * Returns an interceptor that limits how often a client may call. A call over the limit ends with `resource_exhausted` (HTTP
 * 429), a google.rpc.RetryInfo and `retry-after` in seconds; with gRPC also `grpc-retry-pushback-ms`. A stream is one call.
 *
 * @throws TypeError or RangeError that names a wrong option
 */
export function rateLimit(options: RateLimitOptions): MethodInterceptor {
  const { consume, keyOf, costOf, appliesTo } = readOptions(options);
  const interceptor: Interceptor = (next) => async (request) => {
    const key = keyOf(request);
    if (key === undefined) return next(request);
    const consumed = consume(key, costOf(request));
    const waitMs = typeof consumed === "number" ? consumed : await consumed;
    if (waitMs > 0) throw toRefusal(waitMs, request.header);
    return next(request);
  };
  return Object.assign(interceptor, { appliesTo });
}

/** The parts of an interceptor. */
interface Parts {
  /** Returns 0, or the milliseconds until the key has so many points. */
  readonly consume: (key: string, points: number) => number | Promise<number>;
  readonly keyOf: ReturnType<typeof readKey>;
  readonly costOf: (request: UnaryRequest | StreamRequest) => number;
  readonly appliesTo: (method: DescMethod) => boolean;
}

const ofMemory = ["points", "durationSeconds", "maxKeys"] as const;
const ofStore = ["limiter", "whenStoreFails", "onStoreError", "storeTimeoutMs"] as const;

function readOptions(options: RateLimitOptions): Parts {
  checkNames("rateLimit: ", options, ["key", "methods", "cost", ...ofMemory, ...ofStore]);
  const { key = "peer", methods = "*", limiter } = options;
  const stray = (limiter === undefined ? ofStore : ofMemory).find((name) => options[name] !== undefined);
  if (stray !== undefined) {
    throw new TypeError(`rateLimit: ${stray}: expected it ${limiter === undefined ? "with" : "without"} limiter`);
  }
  const parts = {
    keyOf: readKey(key),
    costOf: readCost(options),
    appliesTo: selectMethods("rateLimit: methods", methods),
  };
  const own = limiter === undefined ? openMemory(options) : openStore(limiter, options);
  return { ...parts, consume: (...args) => own.consume(...args) };
}

function openMemory({ points = 0, durationSeconds = 0, maxKeys = 100_000 }: RateLimitOptions): MemoryLimiter {
  checkWholeNumber("rateLimit: points", points, 1);
  checkWholeNumber("rateLimit: durationSeconds", durationSeconds, 1);
  checkWholeNumber("rateLimit: maxKeys", maxKeys, 1);
  return new MemoryLimiter({ points, durationMs: durationSeconds * 1000 }, maxKeys);
}

function openStore(limiter: SharedLimiter, options: RateLimitOptions): StoreLimiter {
  const { whenStoreFails = "allow", onStoreError = warn, storeTimeoutMs = 500 } = options;
  if (typeof limiter?.consume !== "function") {
    const expected = "a limiter of rate-limiter-flexible";
    throw new TypeError(`rateLimit: limiter: expected ${expected}, found ${describeValue(limiter)}`);
  }
  if (whenStoreFails !== "allow" && whenStoreFails !== "refuse") {
    const found = describeValue(whenStoreFails);
    throw new TypeError(`rateLimit: whenStoreFails: expected "allow" or "refuse", found ${found}`);
  }
  if (typeof onStoreError !== "function") {
    throw new TypeError(`rateLimit: onStoreError: expected a function, found ${describeValue(onStoreError)}`);
  }
  checkWholeNumber("rateLimit: storeTimeoutMs", storeTimeoutMs, 1);
  return new StoreLimiter({ limiter, whenStoreFails, onStoreError, storeTimeoutMs });
}

function warn(error: Error): void {
  process.emitWarning(error);
}

function readCost({ cost = 1 }: RateLimitOptions): Parts["costOf"] {
  if (typeof cost === "function") return (request) => checkCost(cost(request));
  checkWholeNumber("rateLimit: cost", cost, 0);
  return () => cost;
}

/** What is not a number would count as nothing from then on. */
function checkCost(cost: number): number {
  if (Number.isFinite(cost) && cost >= 0) return cost;
  throw new RangeError(`rateLimit: cost: expected a number from 0, found ${describeValue(cost)}`);
}

/** https://github.com/grpc/proposal/blob/0070717f/A6-client-retries.md#pushback, RFC 9110 section 10.2.3 */
function toRefusal(waitMs: number, requestHeader: Headers): ConnectError {
  const ms = Math.ceil(waitMs);
  const seconds = Math.ceil(ms / 1000);
  const isGrpc = requestHeader.get("content-type")?.startsWith("application/grpc") === true;
  const metadata = { "retry-after": String(seconds), ...(isGrpc && { "grpc-retry-pushback-ms": String(ms) }) };
  const retryDelay = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
  const detail = { desc: RetryInfoSchema, value: { retryDelay } };
  return new ConnectError(`rate limit exceeded: retry after ${seconds} s`, Code.ResourceExhausted, metadata, [detail]);
}
