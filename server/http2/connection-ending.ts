// How a connection ends: by GOAWAY of either side and the last stream, or at once.
import type { ConnectionCore } from "./connection-core.js";
import { ConnectionError, ErrorCode } from "./errors.js";
import { maxStreamId } from "./frame/frame-types.js";
import type { StreamEndings } from "./stream-endings.js";
import { StreamState } from "./stream-state.js";

/** The first half of the payload of the PING that follows the first GOAWAY of a server. */
export const goawayPing = 0x6d77_0002;

export class ConnectionEnding<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #streamEndings: StreamEndings<Owner>;
  #isGoingAway = false;
  /** Milliseconds of the clock at the first tick after `goaway`, or -1. */
  #goingAwaySince = -1;
  /** Whether we have sent GOAWAY with the last id. */
  #isLastIdSent = false;
  #isPeerGoingAway = false;

  constructor(core: ConnectionCore<Owner>, streamEndings: StreamEndings<Owner>) {
    this.#core = core;
    this.#streamEndings = streamEndings;
  }

  /** Whether either side has sent GOAWAY. */
  get hasBegun(): boolean {
    return this.#isGoingAway || this.#isPeerGoingAway;
  }

  /** See `Connection.goaway`. */
  goaway(message: string): void {
    if (this.#core.isClosed || this.#isGoingAway) return;
    this.#isGoingAway = true;
    if (this.#core.side === "client") {
      this.#sendLastId(message);
      return;
    }
    const { frames } = this.#core.outgoing;
    frames.goaway(maxStreamId, ErrorCode.noError, message);
    frames.ping(goawayPing, 0, false);
    this.#core.tellOutput();
  }

  /** The peer has acknowledged `goawayPing`. Returns false if we have not sent one, or twice. */
  onGoawayPong(): boolean {
    if (!this.#isGoingAway || this.#isLastIdSent) return false;
    this.#sendLastId("");
    return true;
  }

  /** The peer has sent GOAWAY. `closeIfDone` is to follow. */
  onPeerGoaway(): void {
    this.#isPeerGoingAway = true;
  }

  /** Closes the connection if it is going away and no stream is left. */
  closeIfDone(): void {
    const { streams, side, isClosed } = this.#core;
    if (!this.hasBegun || streams.count > 0 || isClosed) return;
    const isDone = this.#isGoingAway ? this.#isLastIdSent || this.#isPeerGoingAway : side === "client";
    if (isDone) this.close(undefined);
  }

  /** Closes the connection at once, and the streams that are open with CANCEL. */
  close(error: ConnectionError | undefined): void {
    const { streams, outgoing, listener, isClosed } = this.#core;
    if (isClosed) return;
    this.#core.isClosed = true;
    if (error !== undefined) outgoing.frames.goaway(streams.lastPeerId, error.code, asciiOf(error.message));
    else if (!this.#isLastIdSent) outgoing.frames.goaway(streams.lastPeerId, ErrorCode.noError, "");
    for (const stream of streams.list()) {
      stream.resetCode ??= ErrorCode.cancel;
      this.#streamEndings.close(stream, StreamState.closed);
    }
    outgoing.clear();
    this.#core.tellOutput();
    listener.onClose(error);
  }

  /** Closes the connection with an error, which the peer gets to know. */
  fail(code: number, message: string): void {
    this.close(new ConnectionError(code, message));
  }

  /** Takes the first GOAWAY for read after a while. */
  tick(): void {
    if (!this.#isGoingAway) return;
    const { now, limits } = this.#core;
    if (this.#goingAwaySince < 0) this.#goingAwaySince = now;
    else if (now - this.#goingAwaySince > limits.goawayMs) this.#sendLastId("");
  }

  #sendLastId(message: string): void {
    if (this.#isLastIdSent) return;
    this.#isLastIdSent = true;
    const { streams, outgoing } = this.#core;
    streams.maxPeerId = streams.lastPeerId;
    outgoing.frames.goaway(streams.lastPeerId, ErrorCode.noError, message);
    this.#core.tellOutput();
    this.closeIfDone();
  }
}

/** What is sent to the peer says nothing of a field's value. */
function asciiOf(message: string): string {
  return message.replace(/[^ -~]/g, "?").slice(0, 200);
}
