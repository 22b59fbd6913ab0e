// The HTTP status of a response over REST, where its handler chooses one. Other protocols have statuses of their own.
import type { HandlerContext } from "@connectrpc/connect";

/** By response headers, since those are the same object in every context of one call. */
const statuses = new WeakMap<Headers, number>();

/**
 * Sets the HTTP status of a response over REST: 201 with a `location` header, 202, 204, or a redirect. Has no effect over
 * gRPC, gRPC-Web and Connect, and none if the call fails. In a stream, call it before the first message. With 204, 205 and
 * 304 no body is sent.
 *
 * @param context the context of the handler; in an interceptor, `{ responseHeader: response.header }`
 * @param status an integer from 200 to 399. To send an error, throw a ConnectError.
 * @throws RangeError for any other status
 */
export function setHttpStatus(context: Pick<HandlerContext, "responseHeader">, status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 399) {
    throw new RangeError(`status: expected an integer from 200 to 399, found ${String(status)}`);
  }
  statuses.set(context.responseHeader, status);
}

/** Returns the status that a handler has set; 200 without one. */
export function httpStatusOf({ responseHeader }: Pick<HandlerContext, "responseHeader">): number {
  return statuses.get(responseHeader) ?? 200;
}
