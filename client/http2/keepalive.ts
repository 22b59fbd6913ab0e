// Finds out by PING whether a silent server is still there.
// https://github.com/grpc/proposal/blob/0ba0c190/A8-client-side-keepalive.md

/** The longest delay of Node's timers. With a longer one they fire after 1 ms. */
const delayMaxMs = 2 ** 31 - 1;

/** Calls back later, without keeping the process alive; never, if that is more than 24.8 days. */
export function startTimer(callback: () => void, ms: number): NodeJS.Timeout | undefined {
  return ms > delayMaxMs ? undefined : setTimeout(callback, ms).unref();
}

/** As in Connect's `Http2SessionOptions`; infinity for no PINGs. */
export interface KeepaliveOptions {
  pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly pingIdleConnection: boolean;
}

export interface KeepaliveEvents {
  /** Sends a PING. */
  ping(): void;
  /** Whether calls are open. */
  isBusy(): boolean;
  onDead(): void;
}

export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #events: KeepaliveEvents;
  /** Milliseconds of `performance.now`: when bytes came last. */
  #aliveAt = performance.now();
  #pingedAt = 0;
  #intervalTimer: NodeJS.Timeout | undefined;
  #pongTimer: NodeJS.Timeout | undefined;

  constructor(options: KeepaliveOptions, events: KeepaliveEvents) {
    this.#options = options;
    this.#events = events;
    this.watch();
  }

  /** Whether the server has been silent for so long that a call has to wait for the acknowledgement of a PING. */
  get isDoubtful(): boolean {
    return performance.now() - this.#aliveAt > this.#options.pingIntervalMs;
  }

  /** Bytes have come. */
  onBytes(): void {
    this.#aliveAt = performance.now();
  }

  onPong(): void {
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
    this.watch();
  }

  /** Begins to watch, if it is wanted. To be called when a call is opened. */
  watch(): void {
    if (this.#intervalTimer !== undefined || this.#pongTimer !== undefined || !this.#isWanted()) return;
    const silentMs = performance.now() - this.#aliveAt;
    const waitMs = Math.max(0, this.#options.pingIntervalMs - silentMs);
    this.#intervalTimer = startTimer(() => this.#onInterval(), Math.ceil(waitMs));
  }

  /** Sends a PING now, unless one is under way. */
  ping(): void {
    if (this.#pongTimer !== undefined) return;
    this.#pingedAt = performance.now();
    this.#pongTimer = startTimer(() => this.#onPongTimeout(), this.#options.pingTimeoutMs);
    this.#events.ping();
  }

  stop(): void {
    clearTimeout(this.#intervalTimer);
    clearTimeout(this.#pongTimer);
  }

  #isWanted(): boolean {
    return this.#options.pingIdleConnection || this.#events.isBusy();
  }

  #onInterval(): void {
    this.#intervalTimer = undefined;
    if (!this.#isWanted()) return;
    if (performance.now() - this.#aliveAt >= this.#options.pingIntervalMs) this.ping();
    else this.watch();
  }

  #onPongTimeout(): void {
    this.#pongTimer = undefined;
    if (this.#aliveAt > this.#pingedAt) this.watch();
    else this.#events.onDead();
  }
}
