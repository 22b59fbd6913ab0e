// One HTTP/2 connection, of either side: bytes in, calls of a listener out; calls in, bytes out (RFC 9113).
//
// It knows no socket, no timer and no promise. The owner of the socket calls `receive` with what came and `tick` from time to
// time, and writes what `takeOutput` returns. It never throws for what a peer sent: that ends a stream, or the connection.
//
// What comes is in `incoming/`, what is sent in `outgoing.ts`, what ends in `stream-endings.ts` and `connection-ending.ts`.
import { ConnectionCore, type ConnectionOptions } from "./connection-core.js";
import { ConnectionEnding } from "./connection-ending.js";
import { ErrorCode } from "./errors.js";
import type { Fields } from "./frame/frame-writer.js";
import { probePing } from "./incoming/controls.js";
import { Incoming } from "./incoming/incoming.js";
import { OutputWatch } from "./output-watch.js";
import { ownSettings, type PeerSettings } from "./settings.js";
import type { Stream } from "./stream.js";
import { StreamEndings } from "./stream-endings.js";
import { StreamEvent, StreamState, stateAfterSending } from "./stream-state.js";
import { defaultWindowBytes } from "./window.js";

export class Connection<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #streamEndings: StreamEndings<Owner>;
  readonly #ending: ConnectionEnding<Owner>;
  readonly #incoming: Incoming<Owner>;
  readonly #outputWatch: OutputWatch<Owner>;
  readonly #openedAt: number;

  constructor(options: ConnectionOptions<Owner>) {
    const { side, limits, listener, now } = options;
    const core = new ConnectionCore<Owner>(options, {
      onEndSent: (stream) => this.#streamEndings.onEndSent(stream),
      onDrain: (stream) => listener.onDrain(stream),
    });
    this.#core = core;
    this.#streamEndings = new StreamEndings(core, () => this.#ending.closeIfDone());
    this.#ending = new ConnectionEnding(core, this.#streamEndings);
    this.#incoming = new Incoming(core, this.#streamEndings, this.#ending);
    this.#outputWatch = new OutputWatch(core, this.#streamEndings, this.#ending);
    this.#openedAt = now;
    const { frames } = core.outgoing;
    if (side === "client") frames.preface();
    frames.settings(ownSettings(side, limits));
    const increment = limits.connectionWindowBytes - defaultWindowBytes;
    if (increment > 0) frames.windowUpdate(0, increment);
  }

  /** What the peer has announced. */
  get peer(): PeerSettings {
    return this.#core.peer;
  }

  /** Whether `onClose` has been called. */
  get isClosed(): boolean {
    return this.#core.isClosed;
  }

  /** Streams that are open. */
  get streamCount(): number {
    return this.#core.streams.count;
  }

  /** Bytes of output that have not been taken. Bodies that wait in their streams are not counted. */
  get outputBytes(): number {
    return this.#core.outgoing.frames.bytes;
  }

  /** Whether so much output waits that the socket should not be read until some of it has been taken. */
  get isBacklogged(): boolean {
    return this.#core.outgoing.isFull;
  }

  /** Client: whether `open` would open a stream. */
  get canOpen(): boolean {
    const { streams, peer, isClosed } = this.#core;
    return !isClosed && !this.#ending.hasBegun && streams.ownCount < peer.maxConcurrentStreams;
  }

  /**
   * Takes bytes of the peer, cut anywhere. They are not kept.
   *
   * @param now milliseconds of the clock
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#core.isClosed) return;
    this.#core.now = now;
    this.#incoming.receive(chunk);
  }

  /** Returns what is to be written now, in order. To be called only if the socket takes it. */
  takeOutput(): Uint8Array[] {
    const core = this.#core;
    const { outgoing } = core;
    core.isOutputTold = true;
    outgoing.fill();
    const parts = outgoing.frames.take();
    core.isOutputTold = false;
    this.#outputWatch.onTaken();
    if (!core.isClosed && outgoing.hasTurns) core.tellOutput();
    return parts;
  }

  /**
   * Looks at what has taken too long. To be called about once a second, as long as the connection is open.
   *
   * @param now milliseconds of the clock
   */
  tick(now: number): void {
    const core = this.#core;
    if (core.isClosed) return;
    core.now = now;
    if (!core.isSettled && now - this.#openedAt > core.limits.openingMs) {
      this.#ending.fail(ErrorCode.settingsTimeout, "SETTINGS not acknowledged in time");
      return;
    }
    this.#ending.tick();
    this.#streamEndings.tick();
    this.#outputWatch.tick();
  }

  /** Client: opens a stream with a request. Returns undefined if `canOpen` is false. */
  open(fields: Fields, isEnd: boolean, options: { more?: Fields; isHead?: boolean } = {}): Stream<Owner> | undefined {
    const id = this.canOpen ? this.#core.streams.takeOwnId() : undefined;
    if (id === undefined) return undefined;
    const stream = this.#core.createStream(id);
    stream.state = StreamState.open;
    stream.isHeadRequest = options.isHead === true;
    this.#core.streams.add(stream);
    this.sendHead(stream, fields, isEnd, options.more);
    return stream;
  }

  /** Sends a response of status 1xx. */
  sendInformational(stream: Stream<Owner>, fields: Fields): void {
    if (stream.isHeadSent || stateAfterSending(stream.state, StreamEvent.sendHeaders) === undefined) return;
    this.#core.outgoing.sendHeaders(stream, fields, undefined, false);
    this.#core.tellOutput();
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
    this.#core.outgoing.sendHeaders(stream, fields, more, isEnd);
    this.#core.tellOutput();
  }

  /**
   * Sends a part of a body. Large ones are not copied, so `bytes` must not change afterwards. Returns false if the caller
   * should wait for `onDrain`. Nothing happens if the stream is closed or has been ended.
   */
  sendData(stream: Stream<Owner>, bytes: Uint8Array, isEnd: boolean): boolean {
    if (!this.#canSendBody(stream)) return true;
    stream.isEnding = isEnd;
    const goesOn = this.#core.outgoing.sendData(stream, bytes, isEnd);
    this.#core.tellOutput();
    return goesOn;
  }

  /** Sends trailers after the body, which ends the stream. */
  sendTrailers(stream: Stream<Owner>, fields: Fields): void {
    if (!this.#canSendBody(stream)) return;
    stream.isEnding = true;
    this.#core.outgoing.sendTrailers(stream, fields);
    this.#core.tellOutput();
  }

  /** Resets a stream. What waits on it is dropped. `onStreamClose` is called before this returns. */
  reset(stream: Stream<Owner>, code: number): void {
    this.#streamEndings.reset(stream, code);
  }

  /** Tells the connection that bytes of the body were read, so that the peer may send more. */
  consume(stream: Stream<Owner>, bytes: number): void {
    this.#core.consume(stream, bytes);
  }

  /** Asks the peer whether it is there: `onPong`. */
  ping(id: number): void {
    if (this.#core.isClosed) return;
    this.#core.outgoing.frames.ping(probePing, id, false);
    this.#core.tellOutput();
  }

  /**
   * Ends the connection when its streams have ended. A server goes on taking streams for a round trip: GOAWAY(2^31 - 1), and
   * after the PING is acknowledged, GOAWAY with the last id. Then, and when no stream is left, `onClose` is called.
   */
  goaway(message = ""): void {
    this.#ending.goaway(message);
  }

  /** Ends the connection at once, with a code, or if the socket has closed. Streams that are open are closed with CANCEL. */
  close(code: number = ErrorCode.noError, message = ""): void {
    if (code === ErrorCode.noError) this.#ending.close(undefined);
    else this.#ending.fail(code, message);
  }

  #canSendBody(stream: Stream<Owner>): boolean {
    return stream.isHeadSent && !stream.isEnding && stateAfterSending(stream.state, StreamEvent.sendData) !== undefined;
  }
}
