// One stream: its state, its two windows, and what waits to be sent.
import type { Fields } from "./frame/frame-writer.js";
import { StreamState } from "./stream-state.js";
import { type ReceiveWindow, SendWindow } from "./window.js";

/** @typeParam Owner whatever serves the stream: an exchange of a server, a call of a client */
export class Stream<Owner> {
  readonly id: number;
  /** Set by the owner of the stream, so that the listener finds it. Cleared when the stream is closed. */
  owner: Owner | undefined = undefined;
  /** The error code it was closed with by either side, or undefined. REFUSED_STREAM if the peer has not processed it. */
  resetCode: number | undefined = undefined;
  /** What was wrong with what the peer sent, if we have reset the stream for that. */
  fault: string | undefined = undefined;
  /** Whether our headers, not counting informational responses, have been sent. */
  isHeadSent = false;
  /** Whether we have ended our side, also if a part of it waits for the peer to read. */
  isEnding = false;
  /** Whether the listener has had its last call, `onStreamClose`. */
  isReleased = false;

  // What follows belongs to the connection.
  state: number = StreamState.idle;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  /** Bytes that were passed to the listener and are not consumed yet. */
  heldBytes = 0;
  /** What the headers of the peer have announced as `content-length`, or -1. */
  contentLength = -1;
  /** Bytes of the peer's body. */
  receivedBytes = 0;
  /** Whether the peer's headers, not counting informational responses, have come. */
  isHeadReceived = false;
  /** Of a client: the response has no body, whatever its `content-length` says. */
  isHeadRequest = false;
  waiting: Waiting | undefined = undefined;
  isDrainWanted = false;
  isQueued = false;
  nextQueued: Stream<Owner> | undefined = undefined;
  /** Milliseconds of the clock: when bytes began to wait without any leaving. */
  stalledSince = -1;
  /** Milliseconds of the clock when the rest of an unread request is not waited for any more, or -1 before the first tick. */
  lingersUntil = -1;

  constructor(id: number, sendWindowBytes: number, receiveWindow: ReceiveWindow) {
    this.id = id;
    this.sendWindow = new SendWindow(sendWindowBytes);
    this.receiveWindow = receiveWindow;
  }

  /** Bytes of the body that wait to be sent. */
  get waitingBytes(): number {
    return this.waiting === undefined ? 0 : this.waiting.bytes;
  }

  get isClosed(): boolean {
    return this.state >= StreamState.closed;
  }
}

/** Chunks that wait as they are. A peer that sends single bytes must not make us hold an object for each. */
const referencesMax = 16;
/** Chunks of this size take little more memory than their bytes. */
const largeBytes = 1024;
const blockBytes = 8 * 1024;

/** What waits to be sent on a stream: a part of a body, its end, trailers. */
export class Waiting {
  bytes = 0;
  /** Whether END_STREAM follows the last byte. */
  isEnd = false;
  /** Sent after the last byte. */
  trailers: Fields | undefined = undefined;
  #chunks: Uint8Array[] = [];
  /** Where the next byte is. */
  #chunk = 0;
  #offset = 0;
  /** Memory of the last chunk, if small ones are copied into it, and how much of it is used. */
  #block: Uint8Array | undefined;
  #blockUsed = 0;

  push(chunk: Uint8Array): void {
    const { length } = chunk;
    if (length === 0) return;
    this.bytes += length;
    if (length < largeBytes && this.#chunks.length - this.#chunk >= referencesMax) {
      this.#copy(chunk);
      return;
    }
    this.#block = undefined;
    this.#chunks.push(chunk);
  }

  /** Takes up to so many bytes, of one chunk. */
  shift(maxBytes: number): Uint8Array {
    const chunk = this.#chunks[this.#chunk] as Uint8Array;
    const end = Math.min(chunk.length, this.#offset + maxBytes);
    const part = chunk.subarray(this.#offset, end);
    this.bytes -= part.length;
    if (end < chunk.length) this.#offset = end;
    else this.#dropChunk();
    return part;
  }

  #copy(chunk: Uint8Array): void {
    if (this.#block === undefined || this.#blockUsed + chunk.length > blockBytes) {
      this.#block = new Uint8Array(blockBytes);
      this.#blockUsed = 0;
      this.#chunks.push(this.#block);
    }
    this.#block.set(chunk, this.#blockUsed);
    this.#blockUsed += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#blockUsed);
  }

  #dropChunk(): void {
    this.#offset = 0;
    this.#chunk++;
    // Dropping each at once would move the others each time.
    if (this.#chunk * 2 < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#chunk);
    this.#chunk = 0;
  }
}
