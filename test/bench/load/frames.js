// Writes and reads HTTP/2 frames, RFC 9113 section 4.1, with header blocks of literals, RFC 7541 section 6.2.2: a client that
// costs a few microseconds a call, so that the server is what is measured.

export const type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 };
export const endStream = 0x1;
export const ack = 0x1;
export const endHeaders = 0x4;
export const headBytes = 9;

/**
 * @param {number} frameType
 * @param {number} flags
 * @param {number} stream
 * @param {Buffer} payload at most 16 KiB
 */
export function encodeFrame(frameType, flags, stream, payload) {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = frameType;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** @param {Record<string, string>} headers names and values shorter than 127 bytes */
export function encodeHeaderBlock(headers) {
  const encodeString = (/** @type {string} */ text) => {
    if (text.length >= 127) throw new RangeError(`header: expected less than 127 bytes, found ${text.length}`);
    return [text.length, ...Buffer.from(text)];
  };
  return Buffer.from(
    Object.entries(headers).flatMap(([name, value]) => [0, ...encodeString(name), ...encodeString(value)]),
  );
}

/** @typedef {(frame: { type: number, flags: number, stream: number, payload: Buffer }) => void} OnFrame */

/** Cuts a row of chunks into frames. */
export class FrameReader {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);

  /**
   * @param {Buffer} chunk
   * @param {OnFrame} onFrame
   */
  push(chunk, onFrame) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    while (bytes.length - offset >= headBytes) {
      const start = offset + headBytes;
      const end = start + bytes.readUIntBE(offset, 3);
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(offset + 5);
      onFrame({
        type: bytes[offset + 3] ?? 0,
        flags: bytes[offset + 4] ?? 0,
        stream,
        payload: bytes.subarray(start, end),
      });
      offset = end;
    }
    this.#rest = bytes.subarray(offset);
  }
}
