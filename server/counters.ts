// What a server counts anyway: connections, what it refuses, resets, bytes. `server.stats()` returns them.

/** Every reason of `Refusal`. */
export const refusalReasons = [
  "malformed_request",
  "http2_protocol",
  "flood",
  "tls_handshake",
  "opening_timeout",
  "proxy_header",
  "request_timeout",
  "stalled",
  "unresponsive",
  "max_age",
  "connections",
  "connections_per_address",
  "concurrent_calls",
  "event_loop_lag",
] as const;

/**
 * Why the server has refused a request, or has closed a connection or reset a stream before its end:
 * - `malformed_request`: no valid HTTP/1.1, or the head of a request that either version does not allow.
 * - `http2_protocol`: an HTTP/2 connection error.
 * - `flood`: more resets, control frames, invalid frames, header bytes or pipelined requests than the limits allow.
 * - `tls_handshake`: a failed TLS handshake, or a cipher suite that HTTP/2 does not allow.
 * - `opening_timeout`: no first bytes, or no acknowledged SETTINGS, in time.
 * - `proxy_header`: a connection of a trusted proxy that did not begin with a PROXY header.
 * - `request_timeout`: an HTTP/1.1 request whose headers, or whose body, did not arrive in time.
 * - `stalled`: a client that stopped reading a response, or stopped in the middle of a request.
 * - `unresponsive`: an HTTP/2 client that did not reply to a keepalive ping.
 * - `max_age`: a connection whose calls had not ended in the grace time after its maximum age.
 * - `connections`: a connection over `limits.connections`.
 * - `connections_per_address`: a connection over `limits.connectionsPerAddress`.
 * - `concurrent_calls`: a call over `limits.concurrentCalls`.
 * - `event_loop_lag`: a call that `limits.maxLagMs` has refused.
 */
export type Refusal = (typeof refusalReasons)[number];

/** The counters of one server. They only grow. */
export class Counters {
  /** Accepted connections. */
  accepted = 0;
  readonly refused: Record<Refusal, number> = Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<
    Refusal,
    number
  >;
  /** HTTP/2 streams that the client, and that the server, has reset before their end. */
  readonly resets = { client: 0, server: 0 };
  /** Bytes of connections that are closed. */
  readonly closedBytes = { received: 0, sent: 0 };

  refuse(reason: Refusal): void {
    this.refused[reason]++;
  }
}
