// Error codes of RFC 9113 §7, and the two scopes that an error has.

export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** Ends the connection (RFC 9113 §5.4.1): GOAWAY with the code, then close. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** Error code of RFC 9113 §7. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Ends one stream (RFC 9113 §5.4.2): RST_STREAM with the code. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly streamId: number;
  /** Error code of RFC 9113 §7. */
  readonly code: number;

  constructor(streamId: number, code: number, message: string) {
    super(message);
    this.streamId = streamId;
    this.code = code;
  }
}
