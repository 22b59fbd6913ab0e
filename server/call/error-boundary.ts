// Lets interceptors see only errors that the client may see, whether a handler or another interceptor threw them.
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { toConnectError } from "./error.js";

/**
 * Puts a boundary inside each interceptor. What a handler, another interceptor or an iterable of messages throws is a
 * ConnectError once it crosses a boundary: an unexpected error is `internal`, with the original as its `cause`. Otherwise
 * an interceptor that passes on `ConnectError.from(error)` would send the original's text to the client.
 */
export function withBoundaries(interceptors: readonly Interceptor[]): Interceptor[] {
  return interceptors.flatMap((interceptor) => [interceptor, boundary]);
}

const boundary: Interceptor = (next) => async (request) => {
  const convert = (reason: unknown) => toErrorOf(request, reason);
  try {
    // A request is copied only where that is necessary: a copy makes the signal, which calls without it are cheaper for.
    const isGuarded = !request.stream || request.message instanceof GuardedMessages;
    const response = await next(isGuarded ? request : { ...request, message: guardMessages(request.message) });
    return response.stream ? { ...response, message: guardMessages(response.message, convert) } : response;
  } catch (reason) {
    throw convert(reason);
  }
};

/** What the signal of a call has stopped ends with the call's own error: its deadline, say. */
function toErrorOf(request: { readonly signal?: AbortSignal } | undefined, reason: unknown): ConnectError {
  const isAbort = reason instanceof Error && reason.name === "AbortError";
  const error: unknown = isAbort ? request?.signal?.reason : undefined;
  return toConnectError(error instanceof ConnectError ? error : reason);
}

type Convert = (reason: unknown) => ConnectError;

/** The same messages; what their iterator throws is a ConnectError. */
export function guardMessages<T>(messages: AsyncIterable<T>, convert: Convert = toConnectError): AsyncIterable<T> {
  return messages instanceof GuardedMessages ? messages : new GuardedMessages(messages, convert);
}

class GuardedMessages<T> implements AsyncIterable<T> {
  readonly #messages: AsyncIterable<T>;
  readonly #convert: Convert;

  constructor(messages: AsyncIterable<T>, convert: Convert) {
    this.#messages = messages;
    this.#convert = convert;
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const guarded = async <Result>(step: () => Promise<Result>): Promise<Result> => {
      try {
        return await step();
      } catch (reason) {
        throw this.#convert(reason);
      }
    };
    let iterator: AsyncIterator<T> | undefined;
    const open = () => {
      iterator ??= this.#messages[Symbol.asyncIterator]();
      return iterator;
    };
    return {
      next: () => guarded(() => open().next()),
      return: (value) => guarded(async () => (await open().return?.(value)) ?? { done: true, value }),
    };
  }
}
