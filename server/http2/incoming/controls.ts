// Receives the frames that carry neither heads nor bodies.
import type { ConnectionCore } from "../connection-core.js";
import { type ConnectionEnding, goawayPing } from "../connection-ending.js";
import { ConnectionError, ErrorCode, StreamError } from "../errors.js";
import type { FrameReader } from "../frame/frame-reader.js";
import { Flag, maxStreamId } from "../frame/frame-types.js";
import type { StreamEndings } from "../stream-endings.js";
import { StreamEvent, StreamState } from "../stream-state.js";
import { defaultWindowBytes } from "../window.js";
import { checkDependency, checkLength, checkStreamZero } from "./checks.js";

/** The first half of the payload of `Connection.ping`. */
export const probePing = 0x6d77_0001;

export class IncomingControls<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #streamEndings: StreamEndings<Owner>;
  readonly #ending: ConnectionEnding<Owner>;

  constructor(core: ConnectionCore<Owner>, streamEndings: StreamEndings<Owner>, ending: ConnectionEnding<Owner>) {
    this.#core = core;
    this.#streamEndings = streamEndings;
    this.#ending = ending;
  }

  onPriority(frame: FrameReader): void {
    this.#core.budget.spendControl(this.#core.now);
    if (frame.streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "PRIORITY: on stream 0");
    if (frame.length !== 5) {
      const message = `PRIORITY: expected 5 bytes, found ${frame.length}`;
      if (this.#core.streams.find(frame.streamId) === undefined) {
        throw new ConnectionError(ErrorCode.frameSizeError, message);
      }
      throw new StreamError(frame.streamId, ErrorCode.frameSizeError, message);
    }
    checkDependency(frame);
  }

  onResetStream(frame: FrameReader): void {
    const { streamId } = frame;
    checkLength(frame, "RST_STREAM", 4);
    const { streams, budget, now } = this.#core;
    const stream = streams.find(streamId);
    streams.stateAfterReceiving(stream, StreamEvent.receiveReset, streamId);
    if (stream === undefined) {
      budget.spendControl(now);
      return;
    }
    budget.spendReset(now);
    stream.resetCode = frame.readUint32(0);
    this.#streamEndings.close(stream, StreamState.closed);
  }

  onSettings(frame: FrameReader): void {
    checkStreamZero(frame, "SETTINGS");
    if ((frame.flags & Flag.ack) !== 0) {
      checkLength(frame, "SETTINGS acknowledgement", 0);
      this.#onSettingsAck();
      return;
    }
    const { peer, outgoing, budget, limits, listener, now } = this.#core;
    budget.spendControl(now);
    const { length } = frame;
    if (length % 6 !== 0) throw new ConnectionError(ErrorCode.frameSizeError, `SETTINGS: ${length} bytes`);
    if (length / 6 > limits.settingsPerFrame) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "SETTINGS: too many entries");
    }
    const { initialWindowBytes } = peer;
    for (let at = 0; at < length; at += 6) {
      const { headerTableBytes } = peer;
      peer.apply(frame.readUint32(at) >>> 16, frame.readUint32(at + 2));
      // Each value counts: the smallest one empties the table of the peer (RFC 7541 §4.2).
      if (peer.headerTableBytes === headerTableBytes) continue;
      outgoing.encoder.setMaxTableBytes(peer.headerTableBytes);
    }
    this.#resizeSendWindows(peer.initialWindowBytes - initialWindowBytes);
    outgoing.frames.settingsAck();
    listener.onSettings();
  }

  onPing(frame: FrameReader): void {
    checkStreamZero(frame, "PING");
    checkLength(frame, "PING", 8);
    const high = frame.readUint32(0);
    const low = frame.readUint32(4);
    const { outgoing, budget, listener, now } = this.#core;
    if ((frame.flags & Flag.ack) === 0) {
      budget.spendControl(now);
      outgoing.frames.ping(high, low, true);
    } else if (high === probePing) listener.onPong(low);
    else if (high !== goawayPing || !this.#ending.onGoawayPong()) budget.spendControl(now);
  }

  onGoaway(frame: FrameReader): void {
    checkStreamZero(frame, "GOAWAY");
    if (frame.length < 8) throw new ConnectionError(ErrorCode.frameSizeError, `GOAWAY: ${frame.length} bytes`);
    const { streams, budget, listener, now } = this.#core;
    budget.spendControl(now);
    const lastId = frame.readUint32(0) & maxStreamId;
    const code = frame.readUint32(4);
    const debug = frame.bytes.subarray(frame.start + 8, frame.end);
    this.#ending.onPeerGoaway();
    for (const stream of streams.list()) {
      if (streams.isOfPeer(stream.id) || stream.id <= lastId || stream.isClosed) continue;
      stream.resetCode = ErrorCode.refusedStream;
      this.#streamEndings.close(stream, StreamState.reset);
    }
    listener.onGoaway(code, String.fromCharCode(...debug.subarray(0, 256)));
    this.#ending.closeIfDone();
  }

  onWindowUpdate(frame: FrameReader): void {
    const { streamId } = frame;
    checkLength(frame, "WINDOW_UPDATE", 4);
    const { streams, outgoing, budget, now } = this.#core;
    budget.spendControl(now);
    const increment = frame.readUint32(0) & maxStreamId;
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(ErrorCode.protocolError, "WINDOW_UPDATE: by 0");
      if (outgoing.window.open(increment)) return;
      throw new ConnectionError(ErrorCode.flowControlError, "WINDOW_UPDATE: the window overflows");
    }
    const stream = streams.find(streamId);
    streams.stateAfterReceiving(stream, StreamEvent.receiveWindowUpdate, streamId);
    if (stream === undefined) return;
    if (increment === 0) throw new StreamError(streamId, ErrorCode.protocolError, "WINDOW_UPDATE: by 0");
    if (!stream.sendWindow.open(increment)) {
      throw new StreamError(streamId, ErrorCode.flowControlError, "WINDOW_UPDATE: the window overflows");
    }
    outgoing.schedule(stream);
  }

  #resizeSendWindows(difference: number): void {
    if (difference === 0) return;
    for (const stream of this.#core.streams.list()) {
      if (!stream.sendWindow.open(difference)) {
        throw new ConnectionError(ErrorCode.flowControlError, "SETTINGS_INITIAL_WINDOW_SIZE: a window overflows");
      }
      this.#core.outgoing.schedule(stream);
    }
  }

  #onSettingsAck(): void {
    if (this.#core.isSettled)
      throw new ConnectionError(ErrorCode.protocolError, "SETTINGS: unexpected acknowledgement");
    this.#core.isSettled = true;
    const excess = defaultWindowBytes - this.#core.limits.streamWindowBytes;
    if (excess > 0) for (const stream of this.#core.streams.list()) stream.receiveWindow.shrink(excess);
  }
}
