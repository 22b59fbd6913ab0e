// One HTTP/2 connection, of either side: bytes in, calls of a listener out; calls in, bytes out (RFC 9113).
//
// It knows no socket, no timer and no promise. The owner of the socket calls `receive` with what came and `tick` from time to
// time, and writes what `takeOutput` returns. It never throws for what a peer sent: that ends a stream, or the connection.
import { Budget } from "./budget.js";
import { ConnectionError, ErrorCode, StreamError } from "./errors.js";
import {
  checkTrailers,
  type RequestHead,
  type ResponseHead,
  readRequestHead,
  readResponseHead,
} from "./field-rules.js";
import { FrameReader } from "./frame/frame-reader.js";
import { clientPreface, Flag, FrameType, maxStreamId } from "./frame/frame-types.js";
import type { Fields } from "./frame/frame-writer.js";
import { HeaderBlock } from "./frame/header-block.js";
import { HeadMemo } from "./head-memo.js";
import { HpackDecoder } from "./hpack/decoder.js";
import type { Field } from "./hpack/field.js";
import { HpackError } from "./hpack/hpack-error.js";
import type { ConnectionLimits } from "./limits.js";
import { Outgoing } from "./outgoing.js";
import { ownSettings, PeerSettings } from "./settings.js";
import { Stream } from "./stream.js";
import { StreamEvent, StreamState, stateAfterReceiving, stateAfterSending } from "./stream-state.js";
import { Streams } from "./streams.js";
import { defaultWindowBytes, ReceiveWindow } from "./window.js";

/**
 * What happens on a connection. Calls come from within `receive`, `tick`, `takeOutput` and the calls that send, and may call
 * the connection in turn. They must not throw.
 */
export interface ConnectionListener<Owner> {
  /** Server: a request has begun. Client: never called. If `hasBody` is false, `onEnd` follows at once. */
  onRequest(stream: Stream<Owner>, head: RequestHead, hasBody: boolean): void;
  /** Client: a response has begun, or an informational one (1xx) has come. Server: never called. */
  onResponse(stream: Stream<Owner>, head: ResponseHead, hasBody: boolean): void;
  /**
   * A part of the body: the bytes from `start` to `end`. They belong to the chunk given to `receive`. Its window is closed
   * by them until `consume` is called.
   */
  onData(stream: Stream<Owner>, bytes: Uint8Array, start: number, end: number): void;
  /** Trailers have come; `onEnd` follows. */
  onTrailers(stream: Stream<Owner>, trailers: readonly Field[]): void;
  /** The peer has sent everything, and it was complete. */
  onEnd(stream: Stream<Owner>): void;
  /** What waited after `sendData` returned false has been written. */
  onDrain(stream: Stream<Owner>): void;
  /**
   * The last call for a stream. Both sides have ended it, or it has been reset: then `stream.resetCode` is set. A server
   * gets it as soon as its response has been written, whether or not the rest of the request has come.
   */
  onStreamClose(stream: Stream<Owner>): void;
  /** The peer has announced settings: see `peer`. */
  onSettings(): void;
  /** The peer has acknowledged our `ping`. */
  onPong(id: number): void;
  /** The peer takes no more streams. Those of ours that it has not processed are closed first, with REFUSED_STREAM. */
  onGoaway(code: number, message: string): void;
  /**
   * The connection is over: the last call of all. What `takeOutput` still returns is to be written, then the socket to be
   * closed. Undefined if it ended regularly.
   */
  onClose(error: ConnectionError | undefined): void;
}

export interface ConnectionOptions<Owner> {
  readonly side: "server" | "client";
  readonly limits: ConnectionLimits;
  readonly listener: ConnectionListener<Owner>;
  /** Called once when there is output, until it is taken. Not called within `receive`, after which output is to be taken anyway. */
  readonly onOutput: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
}

/** Payload of our PINGs: the first half says what for. */
const probePing = 0x6d77_0001;
const goawayPing = 0x6d77_0002;

export class Connection<Owner> {
  /** What the peer has announced. */
  readonly peer: PeerSettings;
  readonly #side: "server" | "client";
  readonly #limits: ConnectionLimits;
  readonly #listener: ConnectionListener<Owner>;
  readonly #onOutput: () => void;
  readonly #reader = new FrameReader();
  readonly #block: HeaderBlock;
  readonly #decoder = new HpackDecoder();
  readonly #streams: Streams<Owner>;
  readonly #budget: Budget;
  readonly #outgoing: Outgoing<Owner>;
  readonly #window: ReceiveWindow;
  readonly #openedAt: number;
  readonly #requestHeads = new HeadMemo(readRequestHead);
  readonly #responseHeads = new HeadMemo(readResponseHead);
  /** The last trailers that were well-formed. */
  #lastTrailers: readonly Field[] | undefined;
  #lingering: Stream<Owner>[] = [];
  #now: number;
  #prefaceBytes: number;
  #isFirstFrame = true;
  #isReceiving = false;
  #isOutputTold = false;
  /** Milliseconds of the clock: since when output waits without any being taken, or -1. */
  #untakenSince = -1;
  #isSettled = false;
  #isClosed = false;
  #isGoingAway = false;
  /** Milliseconds of the clock at the first tick after `goaway`, or -1. */
  #goingAwaySince = -1;
  /** Whether the last id has been told. */
  #isLastTold = false;
  #isPeerGoingAway = false;

  constructor({ side, limits, listener, onOutput, now }: ConnectionOptions<Owner>) {
    this.#side = side;
    this.#limits = limits;
    this.#listener = listener;
    this.#onOutput = onOutput;
    this.#now = now;
    this.#openedAt = now;
    this.peer = new PeerSettings(side);
    this.#block = new HeaderBlock(limits);
    this.#streams = new Streams(side, limits.rememberedResets);
    this.#budget = new Budget(limits, now);
    this.#outgoing = new Outgoing(
      { onEndSent: (stream) => this.#onEndSent(stream), onDrain: (stream) => listener.onDrain(stream) },
      this.#budget,
    );
    this.#prefaceBytes = side === "server" ? 0 : clientPreface.length;
    this.#window = new ReceiveWindow(Math.max(limits.connectionWindowBytes, defaultWindowBytes));
    const { frames } = this.#outgoing;
    if (side === "client") frames.preface();
    frames.settings(ownSettings(side, limits));
    const increment = limits.connectionWindowBytes - defaultWindowBytes;
    if (increment > 0) frames.windowUpdate(0, increment);
  }

  /** Whether `onClose` has been called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Streams that are open. */
  get streamCount(): number {
    return this.#streams.count;
  }

  /** Bytes of output that have not been taken. Bodies that wait in their streams are not counted. */
  get outputBytes(): number {
    return this.#outgoing.frames.bytes;
  }

  /** Whether so much output waits that the socket should not be read until some of it has been taken. */
  get isBacklogged(): boolean {
    return this.#outgoing.isFull;
  }

  /** Client: whether `open` would open a stream. */
  get canOpen(): boolean {
    return (
      !this.#isClosed &&
      !this.#isGoingAway &&
      !this.#isPeerGoingAway &&
      this.#streams.ownCount < this.peer.maxConcurrentStreams
    );
  }

  /**
   * Takes bytes of the peer, cut anywhere. They are not kept.
   *
   * @param now milliseconds of the clock
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#isClosed) return;
    this.#now = now;
    this.#isReceiving = true;
    try {
      const rest = this.#readPreface(chunk);
      if (rest !== undefined) {
        this.#reader.feed(rest);
        while (!this.#isClosed && this.#readFrame());
      }
      this.#checkOutput();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Returns what is to be written now, in order. To be called only if the socket takes it. */
  takeOutput(): Uint8Array[] {
    this.#isOutputTold = true;
    this.#outgoing.fill();
    const parts = this.#outgoing.frames.take();
    this.#isOutputTold = false;
    this.#untakenSince = -1;
    if (!this.#isClosed && this.#outgoing.hasTurns) this.#tellOutput();
    return parts;
  }

  /**
   * Looks at what has taken too long. To be called about once a second, as long as the connection is open.
   *
   * @param now milliseconds of the clock
   */
  tick(now: number): void {
    if (this.#isClosed) return;
    this.#now = now;
    if (!this.#isSettled && now - this.#openedAt > this.#limits.openingMs) {
      this.#close(new ConnectionError(ErrorCode.settingsTimeout, "SETTINGS not acknowledged in time"));
      return;
    }
    if (this.#isGoingAway) this.#endGoingAway();
    this.#endLingering();
    if (this.#limits.stallMs > 0) this.#endStalled();
  }

  /** Client: opens a stream with a request. Returns undefined if `canOpen` is false. */
  open(fields: Fields, isEnd: boolean, options: { more?: Fields; isHead?: boolean } = {}): Stream<Owner> | undefined {
    const id = this.canOpen ? this.#streams.takeOwnId() : undefined;
    if (id === undefined) return undefined;
    const stream = this.#createStream(id);
    stream.state = StreamState.open;
    stream.isHeadRequest = options.isHead === true;
    this.#streams.add(stream);
    this.sendHead(stream, fields, isEnd, options.more);
    return stream;
  }

  /** Sends a response of status 1xx. */
  sendInformational(stream: Stream<Owner>, fields: Fields): void {
    if (stream.isHeadSent || stateAfterSending(stream.state, StreamEvent.sendHeaders) === undefined) return;
    this.#outgoing.sendHeaders(stream, fields, undefined, false);
    this.#tellOutput();
  }

  /**
   * Sends a head. Nothing happens if the stream is closed or has a head already. Fields are not checked: see `checkOutgoing`.
   *
   * @param more fields that follow `fields`, which may be prepared
   */
  sendHead(stream: Stream<Owner>, fields: Fields, isEnd: boolean, more?: Fields): void {
    if (stream.isHeadSent || stateAfterSending(stream.state, StreamEvent.sendHeaders) === undefined) return;
    stream.isHeadSent = true;
    stream.isEnding = isEnd;
    this.#outgoing.sendHeaders(stream, fields, more, isEnd);
    this.#tellOutput();
  }

  /**
   * Sends a part of a body. Large ones are not copied, so `bytes` must not change afterwards. Returns false if the caller
   * should wait for `onDrain`. Nothing happens if the stream is closed or has been ended.
   */
  sendData(stream: Stream<Owner>, bytes: Uint8Array, isEnd: boolean): boolean {
    if (!this.#canSendBody(stream)) return true;
    stream.isEnding = isEnd;
    const goesOn = this.#outgoing.sendData(stream, bytes, isEnd);
    this.#tellOutput();
    return goesOn;
  }

  /** Sends trailers after the body, which ends the stream. */
  sendTrailers(stream: Stream<Owner>, fields: Fields): void {
    if (!this.#canSendBody(stream)) return;
    stream.isEnding = true;
    this.#outgoing.sendTrailers(stream, fields);
    this.#tellOutput();
  }

  /** Resets a stream. What waits on it is dropped. `onStreamClose` is called before this returns. */
  reset(stream: Stream<Owner>, code: number): void {
    if (stateAfterSending(stream.state, StreamEvent.sendReset) === undefined) return;
    this.#outgoing.frames.resetStream(stream.id, code);
    stream.resetCode = code;
    this.#closeStream(stream, StreamState.reset);
    this.#tellOutput();
  }

  /** Tells the connection that bytes of the body were read, so that the peer may send more. */
  consume(stream: Stream<Owner>, bytes: number): void {
    stream.heldBytes -= bytes;
    // Who has sent everything needs no window.
    if (stream.state !== StreamState.open && stream.state !== StreamState.halfClosedLocal) return;
    const increment = stream.receiveWindow.consume(bytes);
    if (increment === 0) return;
    this.#outgoing.frames.windowUpdate(stream.id, increment);
    this.#tellOutput();
  }

  /** Asks the peer whether it is there: `onPong`. */
  ping(id: number): void {
    if (this.#isClosed) return;
    this.#outgoing.frames.ping(probePing, id, false);
    this.#tellOutput();
  }

  /**
   * Ends the connection when its streams have ended. A server goes on taking streams for a round trip: GOAWAY(2^31 - 1), and
   * after the PING is acknowledged, GOAWAY with the last id. Then, and when no stream is left, `onClose` is called.
   */
  goaway(message = ""): void {
    if (this.#isClosed || this.#isGoingAway) return;
    this.#isGoingAway = true;
    if (this.#side === "client") {
      this.#tellLast(message);
      return;
    }
    const { frames } = this.#outgoing;
    frames.goaway(maxStreamId, ErrorCode.noError, message);
    frames.ping(goawayPing, 0, false);
    this.#tellOutput();
  }

  /** Ends the connection at once, with a code, or if the socket has closed. Streams that are open are closed with CANCEL. */
  close(code: number = ErrorCode.noError, message = ""): void {
    this.#close(code === ErrorCode.noError ? undefined : new ConnectionError(code, message));
  }

  #canSendBody(stream: Stream<Owner>): boolean {
    return stream.isHeadSent && !stream.isEnding && stateAfterSending(stream.state, StreamEvent.sendData) !== undefined;
  }

  #createStream(id: number): Stream<Owner> {
    const size = this.#limits.streamWindowBytes;
    // Until it has our settings, the peer may take the window for larger.
    const bytes = this.#isSettled ? size : Math.max(size, defaultWindowBytes);
    return new Stream<Owner>(id, this.peer.initialWindowBytes, new ReceiveWindow(size, bytes));
  }

  #tellOutput(): void {
    if (this.#isReceiving || this.#isOutputTold) return;
    this.#isOutputTold = true;
    this.#onOutput();
  }

  /** Ends a connection whose peer causes replies and does not read them. */
  #checkOutput(): void {
    const { frames } = this.#outgoing;
    const { unsentControlBytes, unsentBytes } = this.#limits;
    if (frames.controlBytes <= unsentControlBytes && frames.bytes <= unsentBytes) return;
    throw new ConnectionError(ErrorCode.enhanceYourCalm, "too much waits for the peer to read");
  }

  /** Returns what follows the preface, or undefined as long as it is not complete. */
  #readPreface(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#prefaceBytes === clientPreface.length) return chunk;
    const count = Math.min(chunk.length, clientPreface.length - this.#prefaceBytes);
    for (let index = 0; index < count; index++) {
      if (chunk[index] === clientPreface[this.#prefaceBytes++]) continue;
      throw new ConnectionError(ErrorCode.protocolError, "invalid connection preface");
    }
    return this.#prefaceBytes === clientPreface.length ? chunk.subarray(count) : undefined;
  }

  /** Reads one frame, if there is one. */
  #readFrame(): boolean {
    try {
      if (!this.#reader.next()) return false;
      this.#onFrame(this.#reader);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#failStream(error);
    }
    return true;
  }

  #failStream({ streamId, code, message }: StreamError): void {
    this.#budget.spendStreamError(this.#now);
    const stream = this.#streams.find(streamId);
    if (stream !== undefined) {
      stream.fault = message;
      this.reset(stream, code);
      return;
    }
    this.#streams.refuse(streamId);
    this.#outgoing.frames.resetStream(streamId, code);
  }

  #fail(error: unknown): void {
    if (error instanceof ConnectionError) this.#close(error);
    else if (error instanceof HpackError) this.#close(new ConnectionError(ErrorCode.compressionError, error.message));
    else {
      this.#close(new ConnectionError(ErrorCode.internalError, "unexpected error"));
      throw error;
    }
  }

  #onFrame(frame: FrameReader): void {
    const { type } = frame;
    if (this.#isFirstFrame) this.#checkFirstFrame(frame);
    if (this.#block.streamId !== 0 && (type !== FrameType.continuation || frame.streamId !== this.#block.streamId)) {
      throw new ConnectionError(ErrorCode.protocolError, "expected CONTINUATION");
    }
    switch (type) {
      case FrameType.data:
        this.#onData(frame);
        break;
      case FrameType.headers:
        this.#onHeaders(frame);
        break;
      case FrameType.priority:
        this.#onPriority(frame);
        break;
      case FrameType.resetStream:
        this.#onResetStream(frame);
        break;
      case FrameType.settings:
        this.#onSettings(frame);
        break;
      case FrameType.pushPromise:
        throw new ConnectionError(ErrorCode.protocolError, "PUSH_PROMISE: not allowed");
      case FrameType.ping:
        this.#onPing(frame);
        break;
      case FrameType.goaway:
        this.#onGoaway(frame);
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(frame);
        break;
      case FrameType.continuation:
        this.#onContinuation(frame);
        break;
      default:
        this.#budget.spendControl(this.#now);
        break;
    }
  }

  #checkFirstFrame({ type, flags }: FrameReader): void {
    this.#isFirstFrame = false;
    if (type === FrameType.settings && (flags & Flag.ack) === 0) return;
    throw new ConnectionError(ErrorCode.protocolError, "expected SETTINGS as the first frame");
  }

  /** The state of a stream after a frame of the peer. Throws if the frame is not allowed. */
  #stateAfter(stream: Stream<Owner> | undefined, event: number, id: number): number {
    if (id === 0) throw new ConnectionError(ErrorCode.protocolError, "stream 0: a frame that belongs to a stream");
    return stateAfterReceiving(stream === undefined ? this.#streams.stateOfOther(id) : stream.state, event, id);
  }

  // DATA

  #onData(frame: FrameReader): void {
    const { streamId } = frame;
    const total = frame.length;
    const stream = this.#streams.find(streamId);
    this.#takeConnectionWindow(total);
    const state = this.#stateAfter(stream, StreamEvent.receiveData, streamId);
    const padding = frame.dropPadding();
    const { length } = frame;
    const isEnd = (frame.flags & Flag.endStream) !== 0;
    if (length === 0 && !isEnd) this.#budget.spendControl(this.#now);
    if (stream === undefined || state === StreamState.reset) return;
    if (!stream.isHeadReceived) throw new StreamError(streamId, ErrorCode.protocolError, "DATA before HEADERS");
    if (!stream.receiveWindow.take(total)) {
      throw new StreamError(streamId, ErrorCode.flowControlError, "DATA: over the window of the stream");
    }
    stream.heldBytes += total;
    stream.receivedBytes += length;
    if (stream.contentLength >= 0 && stream.receivedBytes > stream.contentLength) {
      throw new StreamError(streamId, ErrorCode.protocolError, "DATA: more than content-length");
    }
    if (isEnd) this.#receiveEnd(stream);
    if (padding > 0) this.consume(stream, padding);
    if (stream.isReleased) this.#drop(stream, length);
    else if (length > 0) this.#listener.onData(stream, frame.bytes, frame.start, frame.end);
    if (isEnd) this.#tellEnd(stream);
  }

  /** Counts what has come, and opens the window again: a reader that waits holds the window of its stream only. */
  #takeConnectionWindow(bytes: number): void {
    if (!this.#window.take(bytes)) {
      throw new ConnectionError(ErrorCode.flowControlError, "DATA: over the window of the connection");
    }
    const increment = this.#window.consume(bytes);
    if (increment > 0) this.#outgoing.frames.windowUpdate(0, increment);
  }

  /** The rest of a request whose response has been sent. */
  #drop(stream: Stream<Owner>, bytes: number): void {
    if (stream.receivedBytes <= this.#limits.lingerBytes) this.consume(stream, bytes);
  }

  /** Moves a stream on after END_STREAM, if it may end here. */
  #receiveEnd(stream: Stream<Owner>): void {
    if (stream.contentLength >= 0 && stream.receivedBytes !== stream.contentLength) {
      throw new StreamError(stream.id, ErrorCode.protocolError, "END_STREAM: less than content-length");
    }
    stream.state = stateAfterReceiving(stream.state, StreamEvent.receiveEnd, stream.id);
  }

  #tellEnd(stream: Stream<Owner>): void {
    if (stream.resetCode !== undefined) return;
    if (!stream.isReleased) this.#listener.onEnd(stream);
    if (stream.state === StreamState.closed) this.#closeStream(stream, StreamState.closed);
  }

  // HEADERS

  #onHeaders(frame: FrameReader): void {
    const { streamId, flags } = frame;
    if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "HEADERS: on stream 0");
    frame.dropPadding();
    if ((flags & Flag.priority) !== 0) {
      if (frame.length < 5) throw new ConnectionError(ErrorCode.frameSizeError, "HEADERS: shorter than its priority");
      this.#checkDependency(frame);
      frame.start += 5;
    }
    if ((flags & Flag.endHeaders) !== 0) {
      this.#onBlock(streamId, flags, frame.bytes, frame.start, frame.end);
    } else {
      this.#block.begin(streamId, flags, frame.bytes, frame.start, frame.end);
    }
  }

  #onContinuation(frame: FrameReader): void {
    const block = this.#block;
    if (block.streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "CONTINUATION: without HEADERS");
    if (frame.length === 0) this.#budget.spendControl(this.#now);
    block.continue(frame.bytes, frame.start, frame.end);
    if ((frame.flags & Flag.endHeaders) === 0) return;
    const { streamId, flags } = block;
    const bytes = block.take();
    this.#onBlock(streamId, flags, bytes, 0, bytes.length);
  }

  /** A whole header block. It is decoded whatever its stream is, because the table is of the connection. */
  #onBlock(id: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const fields = this.#decoder.decode(bytes, this.#limits.headerBytes, start, end);
    const isEnd = (flags & Flag.endStream) !== 0;
    const stream = this.#streams.find(id);
    if (stream === undefined) {
      this.#onOtherHeaders(id, fields, isEnd);
      return;
    }
    stateAfterReceiving(stream.state, StreamEvent.receiveHeaders, id);
    if (this.#isTooLarge(fields)) throw new StreamError(id, ErrorCode.enhanceYourCalm, "headers: too large");
    if (stream.isHeadReceived) this.#onTrailers(stream, fields, isEnd);
    else this.#onResponse(stream, fields, isEnd);
  }

  #isTooLarge(fields: readonly Field[] | undefined): fields is undefined {
    // Four pseudo-header fields are not counted.
    return fields === undefined || fields.length > this.#limits.headerCount + 4;
  }

  /** HEADERS on a stream that is not open. */
  #onOtherHeaders(id: number, fields: readonly Field[] | undefined, isEnd: boolean): void {
    if (this.#streams.stateOfOther(id) === StreamState.reset) return;
    if (!this.#streams.isOfPeer(id) || id <= this.#streams.lastPeerId || this.#side === "client") {
      const code = this.#streams.hasEnded(id) ? ErrorCode.streamClosed : ErrorCode.protocolError;
      throw new ConnectionError(code, `HEADERS: unexpected stream ${id}`);
    }
    if (this.#streams.peerCount >= this.#limits.concurrentStreams) this.#refuse(id);
    else this.#onRequest(id, fields, isEnd);
  }

  #refuse(id: number): void {
    // Until it has our settings, the peer does not know of the limit.
    if (this.#isSettled) this.#budget.spendRefusal(this.#now);
    else this.#budget.spendControl(this.#now);
    this.#streams.refuse(id);
    this.#outgoing.frames.resetStream(id, ErrorCode.refusedStream);
  }

  #onRequest(id: number, fields: readonly Field[] | undefined, isEnd: boolean): void {
    if (this.#isTooLarge(fields)) throw new StreamError(id, ErrorCode.enhanceYourCalm, "headers: too large");
    const head = this.#requestHeads.read(fields);
    if (typeof head === "string") throw new StreamError(id, ErrorCode.protocolError, head);
    if (isEnd && head.contentLength > 0) {
      throw new StreamError(id, ErrorCode.protocolError, "END_STREAM: less than content-length");
    }
    const stream = this.#createStream(id);
    stream.state = isEnd ? StreamState.halfClosedRemote : StreamState.open;
    stream.isHeadReceived = true;
    stream.contentLength = head.contentLength;
    this.#streams.add(stream);
    this.#budget.earnControls();
    this.#listener.onRequest(stream, head, !isEnd);
    if (isEnd) this.#tellEnd(stream);
  }

  #onResponse(stream: Stream<Owner>, fields: readonly Field[], isEnd: boolean): void {
    const head = this.#responseHeads.read(fields);
    if (typeof head === "string") throw new StreamError(stream.id, ErrorCode.protocolError, head);
    const { status } = head;
    if (status < 200) {
      if (isEnd) throw new StreamError(stream.id, ErrorCode.protocolError, "END_STREAM: in an informational response");
      this.#budget.spendControl(this.#now);
    } else {
      stream.isHeadReceived = true;
      stream.contentLength = stream.isHeadRequest || status === 304 ? (isEnd ? -1 : 0) : head.contentLength;
    }
    if (isEnd) this.#receiveEnd(stream);
    this.#listener.onResponse(stream, head, !isEnd);
    if (isEnd) this.#tellEnd(stream);
  }

  #onTrailers(stream: Stream<Owner>, fields: readonly Field[], isEnd: boolean): void {
    if (!isEnd) throw new StreamError(stream.id, ErrorCode.protocolError, "trailers: expected END_STREAM");
    const fault = fields === this.#lastTrailers ? undefined : checkTrailers(fields);
    if (fault !== undefined) throw new StreamError(stream.id, ErrorCode.protocolError, fault);
    this.#lastTrailers = fields;
    this.#receiveEnd(stream);
    if (!stream.isReleased) this.#listener.onTrailers(stream, fields);
    this.#tellEnd(stream);
  }

  // Other frames

  #onPriority(frame: FrameReader): void {
    this.#budget.spendControl(this.#now);
    if (frame.streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "PRIORITY: on stream 0");
    if (frame.length !== 5) {
      const message = `PRIORITY: expected 5 bytes, found ${frame.length}`;
      if (this.#streams.find(frame.streamId) === undefined) {
        throw new ConnectionError(ErrorCode.frameSizeError, message);
      }
      throw new StreamError(frame.streamId, ErrorCode.frameSizeError, message);
    }
    this.#checkDependency(frame);
  }

  /** The rest of priorities is not read. This is RFC 7540 §5.3.1. */
  #checkDependency(frame: FrameReader): void {
    if ((frame.readUint32(0) & maxStreamId) !== frame.streamId) return;
    throw new ConnectionError(ErrorCode.protocolError, `stream ${frame.streamId}: depends on itself`);
  }

  #onResetStream(frame: FrameReader): void {
    const { streamId } = frame;
    checkLength(frame, "RST_STREAM", 4);
    const stream = this.#streams.find(streamId);
    this.#stateAfter(stream, StreamEvent.receiveReset, streamId);
    if (stream === undefined) {
      this.#budget.spendControl(this.#now);
      return;
    }
    this.#budget.spendReset(this.#now);
    stream.resetCode = frame.readUint32(0);
    this.#closeStream(stream, StreamState.closed);
  }

  #onSettings(frame: FrameReader): void {
    this.#checkStreamZero(frame, "SETTINGS");
    if ((frame.flags & Flag.ack) !== 0) {
      checkLength(frame, "SETTINGS acknowledgement", 0);
      this.#onSettingsAck();
      return;
    }
    this.#budget.spendControl(this.#now);
    const { length } = frame;
    if (length % 6 !== 0) throw new ConnectionError(ErrorCode.frameSizeError, `SETTINGS: ${length} bytes`);
    if (length / 6 > this.#limits.settingsPerFrame) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "SETTINGS: too many entries");
    }
    const { initialWindowBytes } = this.peer;
    for (let at = 0; at < length; at += 6) {
      const { headerTableBytes } = this.peer;
      this.peer.apply(frame.readUint32(at) >>> 16, frame.readUint32(at + 2));
      // Each value counts: the smallest one empties the table of the peer (RFC 7541 §4.2).
      if (this.peer.headerTableBytes === headerTableBytes) continue;
      this.#outgoing.encoder.setMaxTableBytes(this.peer.headerTableBytes);
    }
    this.#resizeSendWindows(this.peer.initialWindowBytes - initialWindowBytes);
    this.#outgoing.frames.settingsAck();
    this.#listener.onSettings();
  }

  #resizeSendWindows(difference: number): void {
    if (difference === 0) return;
    for (const stream of this.#streams.list()) {
      if (!stream.sendWindow.open(difference)) {
        throw new ConnectionError(ErrorCode.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE: a window overflows");
      }
      this.#outgoing.schedule(stream);
    }
  }

  #onSettingsAck(): void {
    if (this.#isSettled) throw new ConnectionError(ErrorCode.protocolError, "SETTINGS: unexpected acknowledgement");
    this.#isSettled = true;
    const excess = defaultWindowBytes - this.#limits.streamWindowBytes;
    if (excess > 0) for (const stream of this.#streams.list()) stream.receiveWindow.shrink(excess);
  }

  #onPing(frame: FrameReader): void {
    this.#checkStreamZero(frame, "PING");
    checkLength(frame, "PING", 8);
    const high = frame.readUint32(0);
    const low = frame.readUint32(4);
    if ((frame.flags & Flag.ack) === 0) {
      this.#budget.spendControl(this.#now);
      this.#outgoing.frames.ping(high, low, true);
    } else if (high === probePing) this.#listener.onPong(low);
    else if (high === goawayPing && this.#isGoingAway && !this.#isLastTold) this.#tellLast("");
    else this.#budget.spendControl(this.#now);
  }

  #onGoaway(frame: FrameReader): void {
    this.#checkStreamZero(frame, "GOAWAY");
    if (frame.length < 8) throw new ConnectionError(ErrorCode.frameSizeError, `GOAWAY: ${frame.length} bytes`);
    this.#budget.spendControl(this.#now);
    const lastId = frame.readUint32(0) & maxStreamId;
    const code = frame.readUint32(4);
    const debug = frame.bytes.subarray(frame.start + 8, frame.end);
    this.#isPeerGoingAway = true;
    for (const stream of this.#streams.list()) {
      if (this.#streams.isOfPeer(stream.id) || stream.id <= lastId || stream.isClosed) continue;
      stream.resetCode = ErrorCode.refusedStream;
      this.#closeStream(stream, StreamState.reset);
    }
    this.#listener.onGoaway(code, String.fromCharCode(...debug.subarray(0, 256)));
    this.#closeIfDone();
  }

  #onWindowUpdate(frame: FrameReader): void {
    const { streamId } = frame;
    checkLength(frame, "WINDOW_UPDATE", 4);
    this.#budget.spendControl(this.#now);
    const increment = frame.readUint32(0) & maxStreamId;
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(ErrorCode.protocolError, "WINDOW_UPDATE: by 0");
      if (this.#outgoing.window.open(increment)) return;
      throw new ConnectionError(ErrorCode.flowControlError, "WINDOW_UPDATE: the window overflows");
    }
    const stream = this.#streams.find(streamId);
    this.#stateAfter(stream, StreamEvent.receiveWindowUpdate, streamId);
    if (stream === undefined) return;
    if (increment === 0) throw new StreamError(streamId, ErrorCode.protocolError, "WINDOW_UPDATE: by 0");
    if (!stream.sendWindow.open(increment)) {
      throw new StreamError(streamId, ErrorCode.flowControlError, "WINDOW_UPDATE: the window overflows");
    }
    this.#outgoing.schedule(stream);
  }

  #checkStreamZero({ streamId }: FrameReader, name: string): void {
    if (streamId !== 0) throw new ConnectionError(ErrorCode.protocolError, `${name}: on stream ${streamId}`);
  }

  // Ends

  #onEndSent(stream: Stream<Owner>): void {
    stream.state = stateAfterSending(stream.state, StreamEvent.sendEnd) ?? stream.state;
    if (stream.state === StreamState.closed) {
      // `onEnd` of the peer's side comes first, if it is under way.
      this.#closeStream(stream, StreamState.closed);
    } else if (this.#side === "server") this.#linger(stream);
  }

  /** The response has been sent, and the request goes on: the rest of it is dropped for a while. */
  #linger(stream: Stream<Owner>): void {
    this.#lingering.push(stream);
    this.#release(stream);
    this.consume(stream, stream.heldBytes);
  }

  #endLingering(): void {
    if (this.#lingering.length === 0) return;
    const left: Stream<Owner>[] = [];
    for (const stream of this.#lingering) {
      if (stream.lingersUntil < 0) stream.lingersUntil = this.#now + this.#limits.lingerMs;
      if (stream.lingersUntil <= this.#now) this.reset(stream, ErrorCode.noError);
      else if (!stream.isClosed) left.push(stream);
    }
    this.#lingering = left;
  }

  #endStalled(): void {
    if (this.outputBytes > 0 && this.#untakenSince < 0) this.#untakenSince = this.#now;
    if (this.#untakenSince >= 0 && this.#now - this.#untakenSince > this.#limits.stallMs) {
      this.#close(new ConnectionError(ErrorCode.enhanceYourCalm, "the peer does not read"));
    }
    for (const stream of this.#streams.list()) {
      if (stream.waiting === undefined) continue;
      if (stream.stalledSince < 0) stream.stalledSince = this.#now;
      else if (this.#now - stream.stalledSince > this.#limits.stallMs) this.reset(stream, ErrorCode.enhanceYourCalm);
    }
  }

  #closeStream(stream: Stream<Owner>, state: number): void {
    stream.state = state;
    stream.waiting = undefined;
    if (this.#streams.remove(stream) && stream.resetCode === undefined) this.#budget.earnReset();
    this.#release(stream);
    if (this.#isGoingAway || this.#isPeerGoingAway) this.#closeIfDone();
  }

  #release(stream: Stream<Owner>): void {
    if (stream.isReleased) return;
    stream.isReleased = true;
    this.#listener.onStreamClose(stream);
    stream.owner = undefined;
  }

  /** Takes the first GOAWAY for read after a while. */
  #endGoingAway(): void {
    if (this.#goingAwaySince < 0) this.#goingAwaySince = this.#now;
    else if (this.#now - this.#goingAwaySince > this.#limits.goawayMs) this.#tellLast("");
  }

  #tellLast(message: string): void {
    if (this.#isLastTold) return;
    this.#isLastTold = true;
    this.#streams.maxPeerId = this.#streams.lastPeerId;
    this.#outgoing.frames.goaway(this.#streams.lastPeerId, ErrorCode.noError, message);
    this.#tellOutput();
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#streams.count > 0 || this.#isClosed) return;
    const isDone = this.#isGoingAway
      ? this.#isLastTold || this.#isPeerGoingAway
      : this.#isPeerGoingAway && this.#side === "client";
    if (isDone) this.#close(undefined);
  }

  #close(error: ConnectionError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { lastPeerId } = this.#streams;
    if (error !== undefined) this.#outgoing.frames.goaway(lastPeerId, error.code, asciiOf(error.message));
    else if (!this.#isLastTold) this.#outgoing.frames.goaway(lastPeerId, ErrorCode.noError, "");
    for (const stream of this.#streams.list()) {
      stream.resetCode ??= ErrorCode.cancel;
      this.#closeStream(stream, StreamState.closed);
    }
    this.#outgoing.clear();
    this.#reader.clear();
    this.#lingering = [];
    this.#tellOutput();
    this.#listener.onClose(error);
  }
}

function checkLength({ length }: FrameReader, name: string, expected: number): void {
  if (length === expected) return;
  throw new ConnectionError(ErrorCode.frameSizeError, `${name}: expected ${expected} bytes, found ${length}`);
}

/** What is sent to the peer says nothing of a field's value. */
function asciiOf(message: string): string {
  return message.replace(/[^ -~]/g, "?").slice(0, 200);
}
