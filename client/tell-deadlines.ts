/** Distinguishes calls that a server ended at their deadline from calls that it canceled, as gRPC's own clients do. */
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/**
 * A server that ends a call at its deadline may do so by RST_STREAM with CANCEL, a moment before the client's own timer
 * has gone off: it is given that moment, in milliseconds.
 */
export const momentMs = 10;

/** An interceptor that makes `deadline_exceeded` of such a reset. */
export const tellDeadlines: Interceptor = (next) => async (request) => {
  const fail = async (error: unknown): Promise<never> => {
    if (isCancelReset(error) && !request.signal.aborted) await delay(momentMs);
    const { aborted, reason } = request.signal;
    throw isCancelReset(error) && aborted && reason instanceof ConnectError ? reason : error;
  };
  const response = await next(request).catch(fail);
  return response.stream ? { ...response, message: catchEach(response.message, fail) } : response;
};

/** As connect-node words it; a status that the server sent in words of its own is left alone. */
export function isCancelReset(error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    error.code === Code.Canceled &&
    error.rawMessage === "http/2 stream closed with error code CANCEL (0x8)"
  );
}

function catchEach<T>(messages: AsyncIterable<T>, fail: (error: unknown) => Promise<never>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return { next: () => iterator.next().catch(fail) };
    },
  };
}
