// Receives the bytes of the peer: the preface, then frames, each by its type.
import type { ConnectionCore } from "../connection-core.js";
import type { ConnectionEnding } from "../connection-ending.js";
import { ConnectionError, ErrorCode, StreamError } from "../errors.js";
import { FrameReader } from "../frame/frame-reader.js";
import { clientPreface, Flag, FrameType } from "../frame/frame-types.js";
import { HpackError } from "../hpack/block-reader.js";
import type { StreamEndings } from "../stream-endings.js";
import { IncomingBodies } from "./bodies.js";
import { IncomingControls } from "./controls.js";
import { IncomingHeads } from "./heads.js";

export class Incoming<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #streamEndings: StreamEndings<Owner>;
  readonly #ending: ConnectionEnding<Owner>;
  readonly #reader = new FrameReader();
  readonly #heads: IncomingHeads<Owner>;
  readonly #bodies: IncomingBodies<Owner>;
  readonly #controls: IncomingControls<Owner>;
  /** Bytes of the client's preface that have come. */
  #prefaceBytes: number;
  #isFirstFrame = true;

  constructor(core: ConnectionCore<Owner>, streamEndings: StreamEndings<Owner>, ending: ConnectionEnding<Owner>) {
    this.#core = core;
    this.#streamEndings = streamEndings;
    this.#ending = ending;
    this.#heads = new IncomingHeads(core, streamEndings);
    this.#bodies = new IncomingBodies(core, streamEndings);
    this.#controls = new IncomingControls(core, streamEndings, ending);
    this.#prefaceBytes = core.side === "server" ? 0 : clientPreface.length;
  }

  /** See `Connection.receive`. */
  receive(chunk: Uint8Array): void {
    const core = this.#core;
    core.isReceiving = true;
    try {
      const rest = this.#readPreface(chunk);
      if (rest !== undefined) {
        this.#reader.feed(rest);
        while (!core.isClosed && this.#readFrame());
      }
      this.#checkOutput();
    } catch (error) {
      this.#fail(error);
    } finally {
      core.isReceiving = false;
      if (core.isClosed) this.#reader.clear();
    }
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
    const { streams, budget, outgoing, now } = this.#core;
    budget.spendStreamError(now);
    const stream = streams.find(streamId);
    if (stream !== undefined) {
      stream.fault = message;
      this.#streamEndings.reset(stream, code);
      return;
    }
    streams.refuse(streamId);
    outgoing.frames.resetStream(streamId, code);
  }

  #fail(error: unknown): void {
    if (error instanceof ConnectionError) this.#ending.close(error);
    else if (error instanceof HpackError) this.#ending.fail(ErrorCode.compressionError, error.message);
    else {
      this.#ending.fail(ErrorCode.internalError, "unexpected error");
      throw error;
    }
  }

  #onFrame(frame: FrameReader): void {
    const { type } = frame;
    if (this.#isFirstFrame) this.#checkFirstFrame(frame);
    const pendingId = this.#heads.pendingStreamId;
    if (pendingId !== 0 && (type !== FrameType.continuation || frame.streamId !== pendingId)) {
      throw new ConnectionError(ErrorCode.protocolError, "expected CONTINUATION");
    }
    switch (type) {
      case FrameType.data:
        this.#bodies.onData(frame);
        break;
      case FrameType.headers:
        this.#heads.onHeaders(frame);
        break;
      case FrameType.priority:
        this.#controls.onPriority(frame);
        break;
      case FrameType.resetStream:
        this.#controls.onResetStream(frame);
        break;
      case FrameType.settings:
        this.#controls.onSettings(frame);
        break;
      case FrameType.pushPromise:
        throw new ConnectionError(ErrorCode.protocolError, "PUSH_PROMISE: not allowed");
      case FrameType.ping:
        this.#controls.onPing(frame);
        break;
      case FrameType.goaway:
        this.#controls.onGoaway(frame);
        break;
      case FrameType.windowUpdate:
        this.#controls.onWindowUpdate(frame);
        break;
      case FrameType.continuation:
        this.#heads.onContinuation(frame);
        break;
      default:
        this.#core.budget.spendControl(this.#core.now);
        break;
    }
  }

  #checkFirstFrame({ type, flags }: FrameReader): void {
    this.#isFirstFrame = false;
    if (type === FrameType.settings && (flags & Flag.ack) === 0) return;
    throw new ConnectionError(ErrorCode.protocolError, "expected SETTINGS as the first frame");
  }

  /** Ends a connection whose peer causes replies and does not read them. */
  #checkOutput(): void {
    const { outgoing, limits } = this.#core;
    const { controlBytes, bytes } = outgoing.frames;
    if (controlBytes <= limits.unsentControlBytes && bytes <= limits.unsentBytes) return;
    throw new ConnectionError(ErrorCode.enhanceYourCalm, "too much waits for the peer to read");
  }
}
