// Limits of connections and requests, and their names in Node's HTTP/2 server.
import type { ServerOptions as Http2Options } from "node:http2";
import { checkWholeNumber } from "../whole-number.js";

export interface ListenLimits {
  /** Maximum open connections, of each worker if there are several; 0 for no limit. More are closed at once. */
  connections: number;
  /** Maximum open connections from one IPv4 address, or from one /64 network of IPv6; 0 for no limit. More are closed at once. */
  connectionsPerAddress: number;
  /**
   * Maximum size of request headers in bytes. Above it, HTTP/1.1 replies 431 and closes; HTTP/2 announces the limit as
   * SETTINGS_MAX_HEADER_LIST_SIZE (names + values + 32 per field) and resets the stream.
   */
  headerBytes: number;
  /** Maximum number of request headers. Above it, HTTP/1.1 replies 431; HTTP/2 resets the stream. */
  headerCount: number;
  /**
   * Maximum concurrent calls per HTTP/2 connection (SETTINGS_MAX_CONCURRENT_STREAMS). Pipelined HTTP/1.1 requests are served
   * one after the other; over 1 MiB of them that wait close the connection.
   */
  streamsPerConnection: number;
  /** Timeout in milliseconds of each step before the first request: TLS handshake, first bytes, HTTP/2 SETTINGS. Then the socket is closed. */
  openingMs: number;
  /** Timeout in milliseconds for the headers of an HTTP/1.1 request, from their first byte. Then the status is 408. */
  headersMs: number;
  /**
   * Timeout in milliseconds for a whole HTTP/1.1 request with its body; 0 turns it off. Off by default: the body of a
   * client stream lasts as long as its call, and the client sets the deadline of a call.
   */
  requestMs: number;
  /** Idle timeout of an HTTP/1.1 connection in milliseconds; 0 turns it off. Longer than the 60 s of common proxies, so that they close first. */
  keepAliveMs: number;
  /**
   * Age in milliseconds at which a connection ends, 10 % more or less; 0 for no limit. HTTP/2 sends GOAWAY and goes on until
   * its calls have ended. In HTTP/1.1 the next response has `Connection: close`. Clients behind a load balancer of
   * connections so spread over new replicas.
   */
  maxConnectionAgeMs: number;
  /** Milliseconds that calls have to end after `maxConnectionAgeMs`. Then the connection is cut. 0 for no limit. */
  maxConnectionAgeGraceMs: number;
  /** Milliseconds without a call after which a connection ends; 0 for no limit. HTTP/1.1 has `keepAliveMs` as well. */
  maxConnectionIdleMs: number;
  /**
   * Idle time in milliseconds before a keepalive: TCP keepalive by the kernel, and PING over HTTP/2. A connection that does
   * not reply for as long again is closed.
   */
  probeMs: number;
  /**
   * Maximum memory of one HTTP/2 connection in megabytes (10^6 bytes) with `http2: "node"`: streams, header tables, queued
   * frames. Above it new streams are rejected. Request messages and response bodies do not count: see `readMaxBytes` and
   * `unsentBytes`.
   */
  sessionMemoryMb: number;
  /**
   * Maximum unsent response bytes of one HTTP/2 connection. While more are unsent, further chunks of over 16 KiB reset their
   * stream with ENHANCE_YOUR_CALM (`resource_exhausted` in RPC clients). A response on its own may have any size. HTTP/1.1
   * serves one request at a time, so only one response waits.
   */
  unsentBytes: number;
  /**
   * Timeout in milliseconds of a stalled client; 0 turns it off. A client has stalled if it reads less than 1 kB/s while
   * responses wait, or if it stops in the middle of a message or of a request with one message. HTTP/2 resets the stream with
   * ENHANCE_YOUR_CALM. HTTP/1.1 closes the connection, and replies 408 first if nothing has been sent. A client may be idle
   * between two messages of a stream, and a stream may be idle, without a limit.
   */
  stallMs: number;
  /** Initial HTTP/2 flow-control window per stream in bytes (SETTINGS_INITIAL_WINDOW_SIZE). */
  streamWindowBytes: number;
  /** HTTP/2 flow-control window per connection in bytes. */
  connectionWindowBytes: number;
  /** Maximum size of a compressed HTTP/2 header block in bytes, all its frames together. A larger one closes the connection. */
  headerBlockBytes: number;
  /** Maximum number of CONTINUATION frames in a header block. More close the connection. */
  continuationFrames: number;
  /**
   * Maximum number of malformed HTTP/2 requests and frames, each of which makes the server reset a stream, before the
   * connection is closed (CVE-2025-8671). One more each second.
   */
  invalidFrames: number;
  /** Maximum number of streams above `streamsPerConnection` that a client may open before its connection is closed. One more each second. */
  rejectedStreams: number;
  /** Maximum number of entries in one SETTINGS frame. */
  settingsPerFrame: number;
  /**
   * Maximum number of HTTP/2 streams that a client may reset at once (rapid reset, CVE-2023-44487). A call that ends without
   * a reset pays for one. More close the connection. High, because a reset costs less than a call, and clients that cancel
   * many calls are honest.
   */
  resetBurst: number;
  /** Resets that are added to that budget each second. */
  resetsPerSecond: number;
  /**
   * Maximum number of HTTP/2 frames without content at once: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and unknown
   * frames. Every request, and every frame of a response, pays for four. More close the connection.
   */
  controlBurst: number;
  /** Frames that are added to that budget each second. */
  controlsPerSecond: number;
  /** Milliseconds between the end of the server's side of a connection and its close: time for the client to read an early response. */
  lingerMs: number;
  /** Maximum bytes of an unfinished HTTP/1.1 request that are discarded after an early response, so that the client can read it. */
  lingerBytes: number;
  /** Milliseconds between the start of a drain and the close of idle HTTP/1.1 connections: a request that was just sent still gets its response. */
  idleGraceMs: number;
}

export const DEFAULT_LISTEN_LIMITS: Readonly<ListenLimits> = {
  connections: 0,
  connectionsPerAddress: 0,
  headerBytes: 16 * 1024,
  headerCount: 128,
  streamsPerConnection: 250,
  openingMs: 10_000,
  headersMs: 15_000,
  requestMs: 0,
  keepAliveMs: 65_000,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  maxConnectionIdleMs: 0,
  probeMs: 20_000,
  sessionMemoryMb: 64,
  unsentBytes: 64 * 1024 * 1024,
  stallMs: 60_000,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  headerBlockBytes: 64 * 1024,
  continuationFrames: 16,
  invalidFrames: 100,
  rejectedStreams: 100,
  settingsPerFrame: 32,
  resetBurst: 100_000,
  resetsPerSecond: 10_000,
  controlBurst: 10_000,
  controlsPerSecond: 1000,
  lingerMs: 5000,
  lingerBytes: 16 * 1024 * 1024,
  idleGraceMs: 100,
};

/**
 * The limits with defaults for what is absent. @throws RangeError that names the limit.
 */
export function resolveLimits(given: Partial<ListenLimits> = {}): ListenLimits {
  const limits = { ...DEFAULT_LISTEN_LIMITS };
  for (const name of Object.keys(DEFAULT_LISTEN_LIMITS) as (keyof ListenLimits)[]) {
    const value = given[name] ?? DEFAULT_LISTEN_LIMITS[name];
    checkWholeNumber(`limits.${name}`, value, MAY_BE_ZERO.has(name) ? 0 : 1);
    limits[name] = value;
  }
  if (limits.requestMs !== 0 && limits.requestMs < limits.headersMs) {
    throw new RangeError(
      `limits.requestMs: expected 0 or at least headersMs (${limits.headersMs}), found ${limits.requestMs}`,
    );
  }
  return limits;
}

const MAY_BE_ZERO: ReadonlySet<keyof ListenLimits> = new Set([
  "connections",
  "connectionsPerAddress",
  "requestMs",
  "stallMs",
  "keepAliveMs",
  "maxConnectionAgeMs",
  "maxConnectionAgeGraceMs",
  "maxConnectionIdleMs",
  "lingerMs",
  "lingerBytes",
  "idleGraceMs",
]);

export function toHttp2Options(limits: ListenLimits): Http2Options & Record<string, unknown> {
  return {
    maxSessionMemory: limits.sessionMemoryMb,
    maxHeaderListPairs: limits.headerCount,
    maxSessionInvalidFrames: limits.invalidFrames,
    maxSessionRejectedStreams: limits.rejectedStreams,
    maxSettings: limits.settingsPerFrame,
    streamResetBurst: limits.resetBurst,
    streamResetRate: limits.resetsPerSecond,
    settings: {
      maxConcurrentStreams: limits.streamsPerConnection,
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.headerBytes,
    },
  };
}
