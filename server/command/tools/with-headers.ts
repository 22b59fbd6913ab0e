// Adds headers to every call of a transport.
import type { Transport } from "@connectrpc/connect";

/** Returns a transport whose calls have these headers besides their own. */
export function withHeaders(transport: Transport, headers: Headers): Transport {
  const merge = (own: HeadersInit | undefined) => new Headers([...headers, ...new Headers(own)]);
  return {
    unary: (method, signal, timeoutMs, header, ...rest) =>
      transport.unary(method, signal, timeoutMs, merge(header), ...rest),
    stream: (method, signal, timeoutMs, header, ...rest) =>
      transport.stream(method, signal, timeoutMs, merge(header), ...rest),
  };
}
