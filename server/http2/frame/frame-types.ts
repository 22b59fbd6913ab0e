// Frames of RFC 9113 §4 and §6: types, flags, sizes.

export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  resetStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const Flag = {
  /** Of DATA and HEADERS. */
  endStream: 0x1,
  /** Of SETTINGS and PING. */
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Length (24 bits), type, flags, stream (31 bits). */
export const frameHeadBytes = 9;

/**
 * Payload of a frame. It is what SETTINGS_MAX_FRAME_SIZE is until it is changed, which we do not do, and the least that a peer
 * must take, which is all that we send: larger frames would make other streams wait.
 */
export const maxFrameBytes = 16_384;

export const maxStreamId: number = 2 ** 31 - 1;

const text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** What a client sends first (RFC 9113 §3.4). */
export const clientPreface: Uint8Array = Uint8Array.from(text, (char) => char.charCodeAt(0));
