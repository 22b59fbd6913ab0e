// Node's http2, and so nghttp2, as a reader and as a writer of header blocks.
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { decodeFrames, encodeFrame, type Frame, frameFlags, frameTypes, preface } from "../../support/http2-frames.js";
import { MemorySocket } from "../../support/memory-socket.js";

/** Error code of HPACK, RFC 9113 section 7. */
const compressionError = 9;

export type NameAndValue = readonly [name: string, value: string];

/** What nghttp2 makes of a block. */
export type Verdict =
  /** Fields that HTTP does not allow are missing. */
  | { readonly kind: "fields"; readonly fields: readonly NameAndValue[] }
  /** It is HPACK, but no request. */
  | { readonly kind: "no-request" }
  /** It is no HPACK. The connection has ended. */
  | { readonly kind: "refused" }
  /** The connection has ended for another reason. */
  | { readonly kind: "ended"; readonly code: number };

/** The frames that the other side sends. */
class FrameQueue {
  #rest = Buffer.alloc(0);
  /** Bytes to come before the first frame. */
  #prefaceBytes: number;
  readonly #frames: Frame[] = [];
  #wake = () => {};
  isClosed = false;

  constructor(prefaceBytes = 0) {
    this.#prefaceBytes = prefaceBytes;
  }

  push(bytes: Buffer): void {
    const skipped = Math.min(this.#prefaceBytes, bytes.length);
    this.#prefaceBytes -= skipped;
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(skipped)]);
    for (const frame of decodeFrames(this.#rest)) {
      this.#frames.push(frame);
      this.#rest = this.#rest.subarray(9 + frame.payload.length);
    }
    this.#wake();
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }

  /** Resolves with the next frame; undefined if there will be none. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift();
  }
}

/** A server that reads blocks as the headers of requests. */
export class Nghttp2Reader implements Disposable {
  readonly #frames = new FrameQueue();
  readonly #socket = new MemorySocket((bytes) => this.#frames.push(bytes));
  readonly #server: Http2Server;
  #streamId = -1;
  #seen: readonly NameAndValue[] | undefined;

  /** @param headerTableSize its SETTINGS_HEADER_TABLE_SIZE, which we acknowledge before the first block */
  constructor(headerTableSize = 4096) {
    this.#server = createServer({ settings: { headerTableSize }, maxSessionInvalidFrames: 1_000_000 });
    this.#server.on("session", (session: ServerHttp2Session) => session.on("error", () => {}));
    this.#server.on("stream", (stream: ServerHttp2Stream, _headers: unknown, _flags: number, raw: string[]) => {
      this.#seen = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] as string] as const] : []));
      stream.on("error", () => {});
      stream.respond({}, { endStream: true });
    });
    this.#socket.on("close", () => this.#frames.close());
    this.#socket.on("error", () => {});
    this.#server.emit("connection", this.#socket);
    this.#socket.push(preface);
    this.#socket.push(encodeFrame(frameTypes.settings, 0, 0));
    this.#socket.push(encodeFrame(frameTypes.settings, frameFlags.ack, 0));
  }

  async read(block: Uint8Array): Promise<Verdict> {
    this.#streamId += 2;
    this.#seen = undefined;
    this.#socket.push(
      Buffer.concat([...headerFrames(this.#streamId, block), encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8))]),
    );
    for (;;) {
      const frame = await this.#frames.next();
      if (frame === undefined) return { kind: "ended", code: -1 };
      if (frame.type === frameTypes.goaway) {
        const code = frame.payload.readUInt32BE(4);
        return code === compressionError ? { kind: "refused" } : { kind: "ended", code };
      }
      if (frame.type !== frameTypes.ping) continue;
      return this.#seen === undefined ? { kind: "no-request" } : { kind: "fields", fields: this.#seen };
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A block as a HEADERS frame that ends its stream, with as many CONTINUATION frames as it takes. */
function headerFrames(streamId: number, block: Uint8Array): Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start === 0 || start < block.length; start += 16_384) {
    const part = block.subarray(start, start + 16_384);
    const isLast = start + 16_384 >= block.length;
    const type = start === 0 ? frameTypes.headers : frameTypes.continuation;
    const endStream = start === 0 ? frameFlags.endStream : 0;
    frames.push(encodeFrame(type, endStream | (isLast ? frameFlags.endHeaders : 0), streamId, part));
  }
  return frames;
}

/** A client that writes blocks as the headers of requests. */
export class Nghttp2Writer implements Disposable {
  readonly #frames = new FrameQueue(preface.length);
  readonly #socket = new MemorySocket((bytes) => this.#frames.push(bytes));
  readonly #session: ClientHttp2Session;

  constructor() {
    this.#session = connect("http://localhost", { createConnection: () => this.#socket });
    this.#session.on("error", () => {});
    this.#socket.on("close", () => this.#frames.close());
    this.#socket.push(encodeFrame(frameTypes.settings, 0, 0));
  }

  /** Sends our SETTINGS_HEADER_TABLE_SIZE. Resolves when nghttp2 has acknowledged it. */
  async setHeaderTableSize(size: number): Promise<void> {
    const setting = Buffer.alloc(6);
    setting.writeUInt16BE(1);
    setting.writeUInt32BE(size, 2);
    this.#socket.push(encodeFrame(frameTypes.settings, 0, 0, setting));
    // The first settings are acknowledged as well, so that only a PING after ours says which is which.
    this.#socket.push(encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)));
    await this.#until(frameTypes.ping);
  }

  /** Resolves with the block that nghttp2 makes of a request with these headers. */
  async write(headers: OutgoingHttpHeaders): Promise<Uint8Array> {
    const stream = this.#session.request(headers, { endStream: true });
    stream.on("error", () => {});
    let frame = await this.#until(frameTypes.headers);
    const { stream: streamId } = frame;
    const parts = [withoutPriority(frame)];
    while ((frame.flags & frameFlags.endHeaders) === 0) {
      frame = await this.#until(frameTypes.continuation);
      parts.push(frame.payload);
    }
    // `:status: 200` ends the stream.
    const flags = frameFlags.endStream | frameFlags.endHeaders;
    this.#socket.push(encodeFrame(frameTypes.headers, flags, streamId, Uint8Array.of(0x88)));
    stream.resume();
    return Buffer.concat(parts);
  }

  async #until(type: number): Promise<Frame> {
    for (;;) {
      const frame = await this.#frames.next();
      if (frame === undefined) throw new Error(`expected a frame of type ${type}, found the end of the connection`);
      if (frame.type === type) return frame;
    }
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** Returns the part of a block in a HEADERS frame, before which nghttp2 may put a priority. */
function withoutPriority({ flags, payload }: Frame): Buffer {
  const priority = 0x20;
  return (flags & priority) === 0 ? payload : payload.subarray(5);
}
