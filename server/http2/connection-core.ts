// What the parts of a connection share: its limits, its streams, its output, the time.
import { Budget } from "./budget.js";
import type { ConnectionListener } from "./connection-listener.js";
import type { ConnectionLimits } from "./limits.js";
import { Outgoing, type SendEvents } from "./outgoing.js";
import { PeerSettings, type Side } from "./settings.js";
import { Stream } from "./stream.js";
import { StreamState } from "./stream-state.js";
import { Streams } from "./streams.js";
import { defaultWindowBytes, ReceiveWindow } from "./window.js";

export interface ConnectionOptions<Owner> {
  readonly side: Side;
  readonly limits: ConnectionLimits;
  readonly listener: ConnectionListener<Owner>;
  /** Called once when there is output, until it is taken. Not called within `receive`, after which output is to be taken anyway. */
  readonly onOutput: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
}

export class ConnectionCore<Owner> {
  readonly side: Side;
  readonly limits: ConnectionLimits;
  readonly listener: ConnectionListener<Owner>;
  readonly peer: PeerSettings;
  readonly streams: Streams<Owner>;
  readonly budget: Budget;
  readonly outgoing: Outgoing<Owner>;
  readonly #onOutput: () => void;
  /** Milliseconds of the clock, as of the last `receive` or `tick`. */
  now: number;
  /** Whether the peer has acknowledged our settings. */
  isSettled = false;
  isClosed = false;
  /** Whether `receive` is under way, after which output is taken anyway. */
  isReceiving = false;
  /** Whether `onOutput` has been called, and no output taken since. */
  isOutputTold = false;

  constructor(options: ConnectionOptions<Owner>, sendEvents: SendEvents<Owner>) {
    const { side, limits, listener, onOutput, now } = options;
    this.side = side;
    this.limits = limits;
    this.listener = listener;
    this.now = now;
    this.peer = new PeerSettings(side);
    this.streams = new Streams(side, limits.rememberedResets);
    this.budget = new Budget(limits, now);
    this.outgoing = new Outgoing(sendEvents, this.budget);
    this.#onOutput = onOutput;
  }

  createStream(id: number): Stream<Owner> {
    const size = this.limits.streamWindowBytes;
    // Until it has our settings, the peer may take the window for larger.
    const bytes = this.isSettled ? size : Math.max(size, defaultWindowBytes);
    return new Stream<Owner>(id, this.peer.initialWindowBytes, new ReceiveWindow(size, bytes));
  }

  /** Tells the connection that bytes of the body were read, so that the peer may send more. */
  consume(stream: Stream<Owner>, bytes: number): void {
    stream.heldBytes -= bytes;
    // Who has sent everything needs no window.
    if (stream.state !== StreamState.open && stream.state !== StreamState.halfClosedLocal) return;
    const increment = stream.receiveWindow.consume(bytes);
    if (increment === 0) return;
    this.outgoing.frames.windowUpdate(stream.id, increment);
    this.tellOutput();
  }

  tellOutput(): void {
    if (this.isReceiving || this.isOutputTold) return;
    this.isOutputTold = true;
    this.#onOutput();
  }
}
