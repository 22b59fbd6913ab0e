// Receives DATA: the windows it closes, and the body it is a part of.
import type { ConnectionCore } from "../connection-core.js";
import { ConnectionError, ErrorCode, StreamError } from "../errors.js";
import type { FrameReader } from "../frame/frame-reader.js";
import { Flag } from "../frame/frame-types.js";
import type { Stream } from "../stream.js";
import type { StreamEndings } from "../stream-endings.js";
import { StreamEvent, StreamState } from "../stream-state.js";
import { defaultWindowBytes, ReceiveWindow } from "../window.js";

export class IncomingBodies<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #endings: StreamEndings<Owner>;
  /** The window of the connection. */
  readonly #window: ReceiveWindow;

  constructor(core: ConnectionCore<Owner>, endings: StreamEndings<Owner>) {
    this.#core = core;
    this.#endings = endings;
    this.#window = new ReceiveWindow(Math.max(core.limits.connectionWindowBytes, defaultWindowBytes));
  }

  onData(frame: FrameReader): void {
    const { streamId } = frame;
    const total = frame.length;
    const { streams, budget, listener, now } = this.#core;
    const stream = streams.find(streamId);
    this.#takeConnectionWindow(total);
    const state = streams.stateAfterReceiving(stream, StreamEvent.receiveData, streamId);
    const padding = frame.dropPadding();
    const { length } = frame;
    const isEnd = (frame.flags & Flag.endStream) !== 0;
    if (length === 0 && !isEnd) budget.spendControl(now);
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
    if (isEnd) this.#endings.receiveEnd(stream);
    if (padding > 0) this.#core.consume(stream, padding);
    if (stream.isReleased) this.#drop(stream, length);
    else if (length > 0) listener.onData(stream, frame.bytes, frame.start, frame.end);
    if (isEnd) this.#endings.onEndReceived(stream);
  }

  /** Counts what has come, and opens the window again: a reader that waits holds the window of its stream only. */
  #takeConnectionWindow(bytes: number): void {
    if (!this.#window.take(bytes)) {
      throw new ConnectionError(ErrorCode.flowControlError, "DATA: over the window of the connection");
    }
    const increment = this.#window.consume(bytes);
    if (increment > 0) this.#core.outgoing.frames.windowUpdate(0, increment);
  }

  /** The rest of a request whose response has been sent. */
  #drop(stream: Stream<Owner>, bytes: number): void {
    if (stream.receivedBytes <= this.#core.limits.lingerBytes) this.#core.consume(stream, bytes);
  }
}
