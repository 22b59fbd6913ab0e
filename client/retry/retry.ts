/**
 * Sends failed calls again, by gRPC's retry policies, in every protocol:
 * https://github.com/grpc/proposal/blob/0070717f/A6-client-retries.md
 *
 * Interceptors are outside of it, as in grpc-js and grpc-java: they see one call, whatever the number of attempts. What has
 * surely not been processed is sent again below it, by the connections, and does not count.
 */
import { ConnectError, type StreamRequest, type StreamResponse, type UnaryRequest } from "@connectrpc/connect";
import { type Attempt, awaitMessage, sendAttempt, tellAttempts, watchEnd } from "./attempt.js";
import { Backoff, type RetryPolicy, type RetryThrottle, readPushback, readRetryAfter } from "./policy.js";
import { ReplayBuffer, type ReplayMemory } from "./replay-buffer.js";
import type { Waits } from "./waits.js";

/** What the methods of a transport share. */
export interface RetryContext {
  readonly throttle: RetryThrottle | undefined;
  readonly memory: ReplayMemory;
  readonly waits: Waits;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  /** Called before each attempt after the first. */
  readonly onRetry?: (() => void) | undefined;
}

/** What all attempts of a call have in common. */
interface RetriedCall {
  readonly signal: AbortSignal | undefined;
  /** For all attempts together. Undefined: no deadline. */
  readonly timeoutMs: number | undefined;
}

/** How a stream is sent again. */
export interface StreamReplay {
  /** The request's, which is kept until an attempt is the last one. Undefined: none. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /**
   * What makes an attempt the last one: the response, or its first message in protocols that have errors in the body. The
   * caller gets the response then.
   */
  readonly commitsAt: "response" | "message";
}

/** Bytes of a request that are kept, as in grpc-js. A request of one message is kept whatever its size. */
const streamBytesMax = 1024 * 1024;

/** Sends the calls of methods that have one policy. */
export class Retry {
  readonly #policy: RetryPolicy | undefined;
  readonly #context: RetryContext;

  /** @param policy undefined: no call is sent again, and those that succeed count for the throttle */
  constructor(policy: RetryPolicy | undefined, context: RetryContext) {
    this.#policy = policy;
    this.#context = context;
  }

  /** @param send makes an attempt, and rejects with the error of the call */
  async unary<Response extends { readonly header: Headers }>(
    call: RetriedCall,
    send: (attempt: Attempt) => Promise<Response>,
  ): Promise<Response> {
    const response = await this.#run(call, send);
    this.#context.throttle?.onSuccess();
    return response;
  }

  /** @param send makes an attempt with the request that it is given */
  unaryRequest<Request extends UnaryRequest, Response extends { readonly header: Headers }>(
    request: Request,
    timeoutMs: number | undefined,
    send: (request: Request, attempt: Attempt) => Promise<Response>,
  ): Promise<Response> {
    const { signal } = request;
    return this.unary({ signal, timeoutMs }, (attempt) =>
      sendAttempt(request, attempt, (repeated) => send(repeated, attempt)),
    );
  }

  /** @param send makes an attempt with the request and the body that it is given */
  async stream<Request extends StreamRequest>(
    request: Request,
    timeoutMs: number | undefined,
    { body, commitsAt }: StreamReplay,
    send: (request: Request, body: AsyncIterable<Uint8Array> | undefined) => Promise<StreamResponse>,
  ): Promise<StreamResponse> {
    const { signal, method } = request;
    const { memory, throttle } = this.#context;
    const maxBytes = method.methodKind === "server_streaming" ? Number.POSITIVE_INFINITY : streamBytesMax;
    const buffer = body === undefined ? undefined : new ReplayBuffer(body, maxBytes, memory);
    const awaitsMessage = commitsAt === "message" && this.#policy !== undefined;
    if (this.#policy === undefined) buffer?.commit();
    try {
      const response = await this.#run({ signal, timeoutMs }, (attempt) =>
        sendAttempt(request, attempt, async (repeated) => {
          try {
            const begun = await send(repeated, buffer?.begin(attempt.commit));
            return awaitsMessage ? await awaitMessage(begun, signal) : begun;
          } catch (error) {
            buffer?.rewind();
            throw error;
          }
        }),
      );
      buffer?.commit();
      return throttle === undefined ? response : watchEnd(response, () => throttle.onSuccess());
    } catch (error) {
      buffer?.close();
      throw error;
    }
  }

  /** Makes attempts until one succeeds. @throws the error of the last one */
  async #run<Response extends { readonly header: Headers }>(
    { signal, timeoutMs }: RetriedCall,
    send: (attempt: Attempt) => Promise<Response>,
  ): Promise<Response> {
    const policy = this.#policy;
    const backoff = policy === undefined ? undefined : new Backoff(policy, this.#context.random);
    const endsAt = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    let isCommitted = false;
    const commit = () => {
      isCommitted = true;
    };
    for (let previous = 0; ; previous++) {
      const leftMs = timeoutMs === undefined || previous === 0 ? timeoutMs : msUntil(endsAt);
      try {
        const response = await send({ previous, timeoutMs: leftMs, commit });
        tellAttempts(response.header, previous);
        return response;
      } catch (reason) {
        const error = ConnectError.from(reason);
        if (signal?.aborted === true) throw error;
        tellAttempts(error.metadata, previous);
        const waitMs = backoff === undefined || isCommitted ? undefined : this.#waitAfter(error, previous, backoff);
        // The deadline would end a longer wait, and hide this error.
        if (waitMs === undefined || waitMs >= msUntil(endsAt)) throw error;
        await this.#context.waits.wait(waitMs, signal);
        this.#context.onRetry?.();
      }
    }
  }

  /** Returns the time until the next attempt, or undefined if there is to be none. */
  #waitAfter(error: ConnectError, previous: number, backoff: Backoff): number | undefined {
    const { throttle } = this.#context;
    const { codes, maxAttempts, maxBackoffMs } = backoff.policy;
    const pushbackMs = readPushback(error);
    const isRetryable = codes.has(error.code);
    if (isRetryable || pushbackMs === "never") throttle?.onFailure();
    if (!isRetryable || pushbackMs === "never" || previous + 1 >= maxAttempts) return undefined;
    if (throttle?.isExhausted === true) return undefined;
    if (pushbackMs !== undefined) {
      backoff.reset();
      return pushbackMs;
    }
    const retryAfterMs = readRetryAfter(error);
    return retryAfterMs > maxBackoffMs ? undefined : Math.max(backoff.next(), retryAfterMs);
  }
}

/** At least 1: 0 would be no deadline. */
function msUntil(endsAt: number): number {
  return Math.max(1, Math.ceil(endsAt - performance.now()));
}
