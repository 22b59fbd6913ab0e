// Writes and reads HTTP/2 frames, RFC 9113 section 4.1, with header blocks that are prepared: a client that costs a few
// microseconds a call, so that the server is what is measured.

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

const withoutIndexing = 0x00;
const withIndexing = 0x40;
const indexed = 0x80;
/** Of the entry that was added to the dynamic table last. */
const newestIndex = 62;

/** @param {Record<string, string>} headers names and values shorter than 127 bytes */
export function encodeHeaderBlock(headers) {
  return encodeLiterals(withoutIndexing, headers);
}

/**
 * Blocks for a connection that sends the same headers again and again, as real clients do: the first one adds them to the
 * dynamic table, RFC 7541 section 6.2.1, and the later ones refer to them there.
 * @param {Record<string, string>} headers at most 64, names and values shorter than 127 bytes, 4,096 bytes as section 4.1 counts them
 * @param {Record<string, string>} varying those whose values differ from call to call
 */
export function encodeRepeatedBlocks(headers, varying) {
  const oldest = newestIndex + Object.keys(headers).length - 1;
  const references = Buffer.from(Object.keys(headers).map((_, place) => indexed | (oldest - place)));
  const literals = encodeHeaderBlock(varying);
  return {
    first: Buffer.concat([encodeLiterals(withIndexing, headers), literals]),
    later: Buffer.concat([references, literals]),
  };
}

/**
 * @param {number} kind the first byte of each
 * @param {Record<string, string>} headers
 */
function encodeLiterals(kind, headers) {
  const encodeString = (/** @type {string} */ text) => {
    if (text.length >= 127) throw new RangeError(`header: expected less than 127 bytes, found ${text.length}`);
    return [text.length, ...Buffer.from(text)];
  };
  return Buffer.from(
    Object.entries(headers).flatMap(([name, value]) => [kind, ...encodeString(name), ...encodeString(value)]),
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
