// HTTP/2 by its bytes (RFC 9113): frames out, frames in, and headers in the one way that needs no table (RFC 7541, 6.2.2).

/** The 24 bytes that a client begins with. */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Types of frames, RFC 9113 section 6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames. ACK is that of SETTINGS and PING, the others those of HEADERS, DATA and CONTINUATION. */
export const frameFlags = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** One frame. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Writes a frame. */
export function encodeFrame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Takes the whole frames at the beginning of what a server sent. */
export function decodeFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let start = 0;
  while (bytes.length >= start + 9) {
    const end = start + 9 + bytes.readUIntBE(start, 3);
    if (end > bytes.length) break;
    const [type, flags] = [bytes.readUInt8(start + 3), bytes.readUInt8(start + 4)];
    const stream = bytes.readUInt32BE(start + 5) & 0x7fffffff;
    frames.push({ type, flags, stream, payload: bytes.subarray(start + 9, end) });
    start = end;
  }
  return frames;
}

/** Writes a header block: every field as a literal without indexing, without Huffman coding. */
export function encodeHeaders(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), encodeText(name), encodeText(value)]));
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes]);
}

/** An integer with a prefix of so many bits, the bits before it zero: RFC 7541 section 5.1. */
function encodeInteger(value: number, prefixBits: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(value);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
