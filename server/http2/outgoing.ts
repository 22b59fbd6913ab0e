// What is sent: heads at once, bodies as far as the windows and the socket allow, the rest when its turn comes.
import type { Budget } from "./budget.js";
import { maxFrameBytes } from "./frame/frame-types.js";
import { type Fields, FrameWriter } from "./frame/frame-writer.js";
import { HpackEncoder } from "./hpack/encoder.js";
import { type Stream, Waiting } from "./stream.js";
import { defaultWindowBytes, SendWindow } from "./window.js";

/** While more than this waits for the socket, bodies wait in their streams, where they can still be reset. */
const fullBytes = 256 * 1024;
/** Maximum bytes that wait on a stream before `sendData` returns false. */
const highWaterBytes = 16 * 1024;

/** Called for what happens to streams when it is their turn. */
export interface SendEvents<Owner> {
  /** END_STREAM has been written. */
  onEndSent(stream: Stream<Owner>): void;
  onDrain(stream: Stream<Owner>): void;
}

export class Outgoing<Owner> {
  readonly frames: FrameWriter = new FrameWriter();
  readonly encoder: HpackEncoder = new HpackEncoder();
  /** The window of the connection. */
  readonly window: SendWindow = new SendWindow(defaultWindowBytes);
  readonly #queue = new SendQueue<Owner>();
  readonly #events: SendEvents<Owner>;
  readonly #budget: Budget;

  constructor(events: SendEvents<Owner>, budget: Budget) {
    this.#events = events;
    this.#budget = budget;
  }

  get isFull(): boolean {
    return this.frames.bytes >= fullBytes;
  }

  sendHeaders(stream: Stream<Owner>, fields: Fields, more: Fields | undefined, isEnd: boolean): void {
    this.frames.headers(stream.id, this.encoder, fields, more, isEnd);
    this.#budget.earnControls();
    if (isEnd) this.#events.onEndSent(stream);
  }

  /** Sends a part of a body. Returns false if so much waits that the caller should, too: `onDrain` follows. */
  sendData(stream: Stream<Owner>, bytes: Uint8Array, isEnd: boolean): boolean {
    const { length } = bytes;
    if (stream.waiting === undefined) {
      if (this.#canSend(stream, length)) {
        if (length > 0 || isEnd) this.#writeData(stream, bytes, isEnd);
        return true;
      }
      stream.waiting = new Waiting();
    }
    stream.waiting.push(bytes);
    stream.waiting.isEnd = isEnd;
    this.schedule(stream);
    if (stream.waiting.bytes < highWaterBytes) return true;
    stream.isDrainWanted = true;
    return false;
  }

  /** Sends trailers after what waits. They end the stream. */
  sendTrailers(stream: Stream<Owner>, trailers: Fields): void {
    if (stream.waiting === undefined) this.sendHeaders(stream, trailers, undefined, true);
    else stream.waiting.trailers = trailers;
  }

  /** Lets a stream take turns, if it has something to send and a window. */
  schedule(stream: Stream<Owner>): void {
    if (stream.waiting !== undefined && stream.sendWindow.bytes > 0) this.#queue.push(stream);
  }

  /** Whether a stream could send, if it were taken. */
  get hasTurns(): boolean {
    return !this.#queue.isEmpty && this.window.bytes > 0;
  }

  /** Writes what waits in streams, as far as the window of the connection allows and until much waits for the socket. */
  fill(): void {
    while (this.window.bytes > 0 && !this.isFull) {
      const stream = this.#queue.shift();
      if (stream === undefined) return;
      if (!stream.isClosed && stream.waiting !== undefined) this.#sendTurn(stream, stream.waiting);
    }
  }

  clear(): void {
    this.#queue.clear();
  }

  /** Whether a part of a body needs not wait: one frame, open windows, and no stream that has waited longer. */
  #canSend(stream: Stream<Owner>, length: number): boolean {
    if (length === 0) return true;
    if (length > maxFrameBytes || !this.#queue.isEmpty || this.isFull) return false;
    return length <= stream.sendWindow.bytes && length <= this.window.bytes;
  }

  #writeData(stream: Stream<Owner>, bytes: Uint8Array, isEnd: boolean): void {
    stream.sendWindow.bytes -= bytes.length;
    this.window.bytes -= bytes.length;
    this.frames.data(stream.id, bytes, isEnd);
    this.#budget.earnControls();
    if (isEnd) this.#events.onEndSent(stream);
  }

  #sendTurn(stream: Stream<Owner>, waiting: Waiting): void {
    const maxBytes = Math.min(stream.sendWindow.bytes, this.window.bytes, maxFrameBytes);
    if (maxBytes <= 0) return;
    stream.stalledSince = -1;
    const bytes = waiting.shift(maxBytes);
    const isLast = waiting.bytes === 0;
    if (isLast) stream.waiting = undefined;
    const { trailers } = waiting;
    this.#writeData(stream, bytes, isLast && waiting.isEnd && trailers === undefined);
    if (!isLast) {
      this.schedule(stream);
      return;
    }
    if (trailers !== undefined) this.sendHeaders(stream, trailers, undefined, true);
    else if (stream.isDrainWanted && !stream.isEnding) {
      stream.isDrainWanted = false;
      this.#events.onDrain(stream);
    }
  }
}

/** Decides whose DATA goes next: streams that have bytes and a window take turns, one frame each. */
class SendQueue<Owner> {
  #first: Stream<Owner> | undefined;
  #last: Stream<Owner> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Adds a stream as the last one, unless it waits already. */
  push(stream: Stream<Owner>): void {
    if (stream.isQueued) return;
    stream.isQueued = true;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.nextQueued = stream;
    this.#last = stream;
  }

  /** Takes the first stream. It may have been closed meanwhile. */
  shift(): Stream<Owner> | undefined {
    const stream = this.#first;
    if (stream === undefined) return undefined;
    this.#first = stream.nextQueued;
    if (this.#first === undefined) this.#last = undefined;
    stream.nextQueued = undefined;
    stream.isQueued = false;
    return stream;
  }

  clear(): void {
    while (this.shift() !== undefined);
  }
}
