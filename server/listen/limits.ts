// What a peer may take of one listener: sizes, counts and times, and their names in Node's HTTP/1.1 and HTTP/2 servers.
import type { ServerOptions as Http1Options } from "node:http";
import type { ServerOptions as Http2Options } from "node:http2";

export interface ListenLimits {
  /**
   * The head of a request, in bytes. Over it, HTTP/1.1 answers 431 and closes; HTTP/2 announces it as
   * SETTINGS_MAX_HEADER_LIST_SIZE (names + values + 32 per field) and resets the stream.
   */
  headerBytes: number;
  /** Headers of a request. Over it, HTTP/1.1 answers 431; HTTP/2 resets the stream. */
  headerCount: number;
  /** Calls at the same time on one connection: streams of HTTP/2 (SETTINGS_MAX_CONCURRENT_STREAMS), pipelined requests of HTTP/1.1. */
  streamsPerConnection: number;
  /** Milliseconds for each step before the first request: TLS handshake, first bytes, HTTP/2 SETTINGS. Then the socket is closed. */
  openingMs: number;
  /** Milliseconds for the head of an HTTP/1.1 request, from its first byte. Then 408. */
  headersMs: number;
  /**
   * Milliseconds for a whole HTTP/1.1 request with its body; 0 for no limit. Off by default: the body of a client
   * stream is as long as its call, and the deadline of a call is the caller's to set.
   */
  requestMs: number;
  /** Milliseconds that an HTTP/1.1 connection may idle between requests; 0 for no limit. Longer than the 60 s of common proxies, so that they close first. */
  keepAliveMs: number;
  /**
   * Milliseconds of silence after which a peer is asked whether it is still there, by the kernel and over HTTP/2 by PING; one
   * that does not answer in as long again is cut off.
   */
  probeMs: number;
  /**
   * Memory of Node's own for one HTTP/2 connection, in megabytes (10^6 bytes): streams, header tables, frames on their way.
   * Over it new streams are refused. Messages of requests and bodies of responses do not count: see `unsentBytes` and
   * `readMaxBytes`.
   */
  sessionMemoryMb: number;
  /**
   * Bytes of response bodies that may wait for the client of one HTTP/2 connection to read them. While more wait, further
   * chunks of over 16 KiB reset their stream with ENHANCE_YOUR_CALM (`resource_exhausted` in RPC clients); one response
   * alone may be of any size. HTTP/1.1 answers one request at a time, so only one response waits.
   */
  unsentBytes: number;
  /**
   * Milliseconds after which a stalled client loses its call; 0 for no limit. It has stalled if responses wait and it reads
   * less than 1 kB a second, or if it stops in the middle of a message or of a request with one message. HTTP/2 resets the
   * stream with ENHANCE_YOUR_CALM; HTTP/1.1 closes the connection, after 408 if nothing has been sent. A stream without
   * anything to send, and a client between two messages of its stream, may wait for ever.
   */
  stallMs: number;
  /** Bytes that a client may send ahead on one HTTP/2 stream (SETTINGS_INITIAL_WINDOW_SIZE). */
  streamWindowBytes: number;
  /** Bytes that a client may send ahead on one HTTP/2 connection. */
  connectionWindowBytes: number;
  /** Malformed HTTP/2 frames after which a connection is cut. */
  invalidFrames: number;
  /** Streams over `streamsPerConnection` that a client may try before its connection is cut. */
  rejectedStreams: number;
  /** Entries in one SETTINGS frame. */
  settingsPerFrame: number;
  /** Streams that a client may reset at once (rapid reset). Node 20 has 1,000 built in and ignores this. */
  resetBurst: number;
  /** Resets that become free again each second. Node 20 has 33 built in and ignores this. */
  resetsPerSecond: number;
  /** Milliseconds for which the peer may go on after the server ended its side: to read an early answer, to close in turn. */
  lingerMs: number;
  /** Bytes of an unfinished HTTP/1.1 request that are read and thrown away after its answer, so that the client gets to read it. */
  lingerBytes: number;
  /** Milliseconds between the start of a drain and the closing of idle HTTP/1.1 connections: a client that just sent a request still gets its answer. */
  idleGraceMs: number;
}

export const DEFAULT_LISTEN_LIMITS: Readonly<ListenLimits> = {
  headerBytes: 16 * 1024,
  headerCount: 128,
  streamsPerConnection: 250,
  openingMs: 10_000,
  headersMs: 15_000,
  requestMs: 0,
  keepAliveMs: 65_000,
  probeMs: 20_000,
  sessionMemoryMb: 64,
  unsentBytes: 64 * 1024 * 1024,
  stallMs: 60_000,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  invalidFrames: 100,
  rejectedStreams: 100,
  settingsPerFrame: 32,
  resetBurst: 1000,
  resetsPerSecond: 33,
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
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    if (!Number.isInteger(value) || value < least || value > MOST) {
      throw new RangeError(`limits.${name}: expected a whole number from ${least} to ${MOST}, found ${value}`);
    }
    limits[name] = value;
  }
  if (limits.requestMs !== 0 && limits.requestMs < limits.headersMs) {
    throw new RangeError(
      `limits.requestMs: expected 0 or at least headersMs (${limits.headersMs}), found ${limits.requestMs}`,
    );
  }
  return limits;
}

/** The largest HTTP/2 window and the longest timer of Node. */
const MOST = 2 ** 31 - 1;
const MAY_BE_ZERO: ReadonlySet<keyof ListenLimits> = new Set([
  "requestMs",
  "stallMs",
  "keepAliveMs",
  "lingerMs",
  "lingerBytes",
  "idleGraceMs",
]);

export function toHttp1Options(limits: ListenLimits): Http1Options {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    // Node looks for expired requests once per interval (30 s unless told), so the interval is the error of both times.
    connectionsCheckingInterval: Math.min(2000, Math.ceil(limits.headersMs / 4)),
    keepAliveTimeout: limits.keepAliveMs,
    keepAlive: true,
    keepAliveInitialDelay: limits.probeMs,
    noDelay: true,
    // The missing Host is refused together with the malformed one.
    requireHostHeader: false,
  };
}

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
