// Frames to bytes (RFC 9113 §6). All frames of a turn go to one slab; large payloads of DATA are not copied.
import { ByteWriter } from "../../byte-writer.js";
import type { HpackEncoder, PreparedFields } from "../hpack/encoder.js";
import type { Field } from "../hpack/field.js";
import { clientPreface, Flag, FrameType, frameHeadBytes, maxFrameBytes } from "./frame-types.js";

/** Field lines to send. Those that are sent again and again are prepared. */
export type Fields = readonly Field[] | PreparedFields;

/** A payload of this size is not copied: a part more in a `writev` costs about as much as copying some KiB. */
const referenceBytes = 4096;

export class FrameWriter {
  readonly #slab = new ByteWriter();
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #controlBytes = 0;

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#partBytes + this.#slab.position;
  }

  /** Those of them that are neither HEADERS nor DATA. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Returns what has been written, in order, and forgets it. */
  take(): Uint8Array[] {
    if (this.#slab.position > 0) this.#parts.push(this.#slab.take());
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    this.#controlBytes = 0;
    return parts;
  }

  preface(): void {
    this.#slab.write(clientPreface);
  }

  /** Writes a DATA frame. A large payload must not change until it has left. */
  data(streamId: number, bytes: Uint8Array, isEnd: boolean): void {
    const { length } = bytes;
    this.#head(length, FrameType.data, isEnd ? Flag.endStream : 0, streamId);
    if (length < referenceBytes) {
      this.#slab.write(bytes);
      return;
    }
    const before = this.#slab.take();
    this.#parts.push(before, bytes);
    this.#partBytes += before.length + length;
  }

  /** Writes a header block of two parts, as HEADERS and as many CONTINUATION frames as it takes. */
  headers(streamId: number, encoder: HpackEncoder, fields: Fields, more: Fields | undefined, isEnd: boolean): void {
    const slab = this.#slab;
    const start = slab.position;
    slab.reserve(frameHeadBytes);
    slab.position = start + frameHeadBytes;
    encoder.encode(fields, slab);
    if (more !== undefined) encoder.encode(more, slab);
    const length = slab.position - start - frameHeadBytes;
    const flags = isEnd ? Flag.endStream : 0;
    if (length <= maxFrameBytes) {
      writeHead(slab.bytes, start, length, FrameType.headers, flags | Flag.endHeaders, streamId);
      return;
    }
    const block = slab.bytes.slice(start + frameHeadBytes, slab.position);
    slab.position = start;
    for (let at = 0; at < length; at += maxFrameBytes) {
      const part = block.subarray(at, at + maxFrameBytes);
      const ends = at + maxFrameBytes >= length ? Flag.endHeaders : 0;
      if (at === 0) this.#head(part.length, FrameType.headers, flags, streamId);
      else this.#head(part.length, FrameType.continuation, ends, streamId);
      slab.write(part);
    }
  }

  resetStream(streamId: number, code: number): void {
    this.#controlHead(4, FrameType.resetStream, 0, streamId);
    this.#uint32(code);
  }

  /** @param entries pairs of id and value, one after the other */
  settings(entries: readonly number[]): void {
    this.#controlHead(entries.length * 3, FrameType.settings, 0, 0);
    for (let index = 0; index < entries.length; index += 2) {
      const id = entries[index] as number;
      this.#slab.reserve(2);
      this.#slab.bytes[this.#slab.position++] = id >>> 8;
      this.#slab.bytes[this.#slab.position++] = id;
      this.#uint32(entries[index + 1] as number);
    }
  }

  settingsAck(): void {
    this.#controlHead(0, FrameType.settings, Flag.ack, 0);
  }

  /** @param high and low: the eight bytes of the payload */
  ping(high: number, low: number, isAck: boolean): void {
    this.#controlHead(8, FrameType.ping, isAck ? Flag.ack : 0, 0);
    this.#uint32(high);
    this.#uint32(low);
  }

  /** @param message debug data: ASCII, one char per byte */
  goaway(lastStreamId: number, code: number, message: string): void {
    this.#controlHead(8 + message.length, FrameType.goaway, 0, 0);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.#slab.write(Uint8Array.from(message, (char) => char.charCodeAt(0)));
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#controlHead(4, FrameType.windowUpdate, 0, streamId);
    this.#uint32(increment);
  }

  #controlHead(length: number, type: number, flags: number, streamId: number): void {
    this.#controlBytes += frameHeadBytes + length;
    this.#head(length, type, flags, streamId);
  }

  #head(length: number, type: number, flags: number, streamId: number): void {
    const slab = this.#slab;
    slab.reserve(frameHeadBytes);
    writeHead(slab.bytes, slab.position, length, type, flags, streamId);
    slab.position += frameHeadBytes;
  }

  #uint32(value: number): void {
    this.#slab.reserve(4);
    writeUint32(this.#slab.bytes, this.#slab.position, value);
    this.#slab.position += 4;
  }
}

function writeHead(into: Uint8Array, at: number, length: number, type: number, flags: number, streamId: number): void {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  writeUint32(into, at + 5, streamId);
}

function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
