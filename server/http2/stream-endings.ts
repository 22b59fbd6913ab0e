// How the streams of a connection end: each side for itself, then both, or by a reset.
import type { ConnectionCore } from "./connection-core.js";
import { ErrorCode, StreamError } from "./errors.js";
import type { Stream } from "./stream.js";
import { StreamEvent, StreamState, stateAfterReceiving, stateAfterSending } from "./stream-state.js";

export class StreamEndings<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #onStreamClosed: () => void;
  /** Streams of a server whose response has been sent, and whose request goes on. */
  #lingering: Stream<Owner>[] = [];

  /** @param onStreamClosed called after the end of each stream */
  constructor(core: ConnectionCore<Owner>, onStreamClosed: () => void) {
    this.#core = core;
    this.#onStreamClosed = onStreamClosed;
  }

  /** Moves a stream on after END_STREAM of the peer, if it may end here. */
  receiveEnd(stream: Stream<Owner>): void {
    if (stream.contentLength >= 0 && stream.receivedBytes !== stream.contentLength) {
      throw new StreamError(stream.id, ErrorCode.protocolError, "END_STREAM: less than content-length");
    }
    stream.state = stateAfterReceiving(stream.state, StreamEvent.receiveEnd, stream.id);
  }

  /** Calls the listener for END_STREAM of the peer, after what came with it. */
  onEndReceived(stream: Stream<Owner>): void {
    if (stream.resetCode !== undefined) return;
    if (!stream.isReleased) this.#core.listener.onEnd(stream);
    if (stream.state === StreamState.closed) this.close(stream, StreamState.closed);
  }

  /** Moves a stream on after our END_STREAM. */
  onEndSent(stream: Stream<Owner>): void {
    stream.state = stateAfterSending(stream.state, StreamEvent.sendEnd) ?? stream.state;
    if (stream.state === StreamState.closed) {
      // `onEnd` of the peer's side comes first, if it is under way.
      this.close(stream, StreamState.closed);
    } else if (this.#core.side === "server") this.#linger(stream);
  }

  /** See `Connection.reset`. */
  reset(stream: Stream<Owner>, code: number): void {
    if (stateAfterSending(stream.state, StreamEvent.sendReset) === undefined) return;
    this.#core.outgoing.frames.resetStream(stream.id, code);
    stream.resetCode = code;
    this.close(stream, StreamState.reset);
    this.#core.tellOutput();
  }

  /** @param state `closed` or `reset` */
  close(stream: Stream<Owner>, state: number): void {
    const { streams, budget } = this.#core;
    stream.state = state;
    stream.waiting = undefined;
    if (streams.remove(stream) && stream.resetCode === undefined) budget.earnReset();
    this.#release(stream);
    this.#onStreamClosed();
  }

  /** Resets the streams whose request has gone on for too long. */
  tick(): void {
    if (this.#lingering.length === 0) return;
    const { now, limits } = this.#core;
    const left: Stream<Owner>[] = [];
    for (const stream of this.#lingering) {
      if (stream.lingersUntil < 0) stream.lingersUntil = now + limits.lingerMs;
      if (stream.lingersUntil <= now) this.reset(stream, ErrorCode.noError);
      else if (!stream.isClosed) left.push(stream);
    }
    this.#lingering = left;
  }

  /** The response has been sent, and the request goes on: the rest of it is dropped for a while. */
  #linger(stream: Stream<Owner>): void {
    this.#lingering.push(stream);
    this.#release(stream);
    this.#core.consume(stream, stream.heldBytes);
  }

  #release(stream: Stream<Owner>): void {
    if (stream.isReleased) return;
    stream.isReleased = true;
    this.#core.listener.onStreamClose(stream);
    stream.owner = undefined;
  }
}
