// What a peer may take of one connection: sizes, counts and times.

export interface ConnectionLimits {
  /**
   * Maximum size of a header list in bytes (SETTINGS_MAX_HEADER_LIST_SIZE: names + values + 32 per field). A stream with a
   * larger one is reset with ENHANCE_YOUR_CALM.
   */
  readonly headerBytes: number;
  /** Maximum number of fields in a header list, pseudo-header fields not counted. A stream with more is reset with ENHANCE_YOUR_CALM. */
  readonly headerCount: number;
  /** Maximum size of a compressed header block in bytes, all its frames together. A larger one ends the connection. */
  readonly headerBlockBytes: number;
  /** Maximum number of CONTINUATION frames in a header block. More end the connection. */
  readonly continuationFrames: number;
  /** Streams that the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). Further ones are refused. */
  readonly concurrentStreams: number;
  /** Streams over `concurrentStreams` that the peer may try before its connection is ended; one more each second. */
  readonly refusedStreams: number;
  /** Bytes that the peer may send ahead on one stream (SETTINGS_INITIAL_WINDOW_SIZE). */
  readonly streamWindowBytes: number;
  /** Bytes that the peer may send ahead on the connection, at least 65,535. */
  readonly connectionWindowBytes: number;
  /** Entries in one SETTINGS frame. More end the connection. */
  readonly settingsPerFrame: number;
  /** Stream errors, for each of which we send RST_STREAM, before the connection is ended (CVE-2025-8671); one more each second. */
  readonly streamErrors: number;
  /**
   * Streams that the peer may reset at once (CVE-2023-44487). A stream that ends regularly pays for one reset. Our work for
   * a reset is that of a short call, and clients that cancel many calls are honest, so it is high.
   */
  readonly resetBurst: number;
  /** Resets that become free again each second. */
  readonly resetsPerSecond: number;
  /**
   * Frames that cost the peer nothing, at once: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM of closed streams, DATA
   * and CONTINUATION without bytes, unknown frames. A request, and each HEADERS and DATA frame of ours, pays for four.
   */
  readonly controlBurst: number;
  /** Such frames that become free again each second. */
  readonly controlsPerSecond: number;
  /** Bytes of responses to frames (acknowledgements, resets, window updates) that may wait to be sent. More end the connection. */
  readonly unsentControlBytes: number;
  /** Bytes of responses that may wait for the socket besides the bodies that wait in their streams. More end the connection. */
  readonly unsentBytes: number;
  /** Streams reset by us whose late frames are still recognized. */
  readonly rememberedResets: number;
  /** Milliseconds in which the peer has to acknowledge our SETTINGS. */
  readonly openingMs: number;
  /** Milliseconds for which the rest of a request is read and dropped after its response, then RST_STREAM(NO_ERROR) follows. */
  readonly lingerMs: number;
  /** Bytes of it that are dropped. The peer cannot send more, because its window is not opened any more. */
  readonly lingerBytes: number;
  /** Milliseconds after the first GOAWAY of a server within which the peer has to say that it has read it, or it is taken for read. */
  readonly goawayMs: number;
  /**
   * Milliseconds after which a stream is reset with ENHANCE_YOUR_CALM if bytes wait and the peer takes none; 0 for no limit.
   */
  readonly stallMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  headerBytes: 16 * 1024,
  headerCount: 128,
  headerBlockBytes: 64 * 1024,
  continuationFrames: 16,
  concurrentStreams: 250,
  refusedStreams: 100,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 1024 * 1024,
  settingsPerFrame: 32,
  streamErrors: 100,
  resetBurst: 100_000,
  resetsPerSecond: 10_000,
  controlBurst: 10_000,
  controlsPerSecond: 1000,
  unsentControlBytes: 64 * 1024,
  unsentBytes: 64 * 1024 * 1024,
  rememberedResets: 1000,
  openingMs: 10_000,
  lingerMs: 1000,
  lingerBytes: 16 * 1024 * 1024,
  goawayMs: 1000,
  stallMs: 60_000,
};
