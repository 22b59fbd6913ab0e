// Envelopes of messages, as gRPC-Web and Connect's streams have them: one byte of flags, four of length, the message.
// https://connectrpc.com/docs/protocol#streaming-rpcs, https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md

/** One envelope. */
export interface Frame {
  readonly flags: number;
  readonly text: string;
}

const headBytes = 5;

/** Puts messages into envelopes, one after the other. */
export function encodeFrames(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const messages = texts.map((text) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + headBytes + length, 0));
  let offset = 0;
  for (const message of messages) {
    new DataView(bytes.buffer).setUint32(offset + 1, message.length);
    bytes.set(message, offset + headBytes);
    offset += headBytes + message.length;
  }
  return bytes;
}

/** Reads envelopes from the chunks of a body. */
export class FrameReader {
  #rest = new Uint8Array();

  /** Returns the envelopes that are complete. */
  push(chunk: Uint8Array): Frame[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const view = new DataView(bytes.buffer);
    const frames: Frame[] = [];
    let start = 0;
    while (start + headBytes <= bytes.length) {
      const end = start + headBytes + view.getUint32(start + 1);
      if (end > bytes.length) break;
      frames.push({
        flags: view.getUint8(start),
        text: new TextDecoder().decode(bytes.subarray(start + headBytes, end)),
      });
      start = end;
    }
    this.#rest = bytes.slice(start);
    return frames;
  }
}
