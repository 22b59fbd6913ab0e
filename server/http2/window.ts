// Flow-control windows (RFC 9113 §5.2), of a stream or of the connection.

/** What a window is before SETTINGS_INITIAL_WINDOW_SIZE or WINDOW_UPDATE change it. */
export const defaultWindowBytes = 65_535;
export const maxWindowBytes: number = 2 ** 31 - 1;

/** What we may send. */
export class SendWindow {
  /** Below 0 if the peer has made its initial windows smaller meanwhile. */
  bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** Opens the window, or closes it by a negative number. Returns false if it would be too large. */
  open(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= maxWindowBytes;
  }
}

/** What the peer may send. */
export class ReceiveWindow {
  readonly #size: number;
  #bytes: number;
  /** What has been consumed and not been announced yet. */
  #consumed = 0;

  /**
   * @param size what the peer may have sent ahead of its reader
   * @param bytes what it may send at first
   */
  constructor(size: number, bytes: number = size) {
    this.#size = size;
    this.#bytes = bytes;
  }

  /** Counts what has been received. Returns false if it was more than allowed. */
  take(bytes: number): boolean {
    this.#bytes -= bytes;
    return this.#bytes >= 0;
  }

  /**
   * Counts what has been consumed. Returns the increment to be announced, or 0: small ones wait until they make half of the
   * window.
   */
  consume(bytes: number): number {
    this.#consumed += bytes;
    const increment = this.#consumed;
    if (increment * 2 < this.#size) return 0;
    this.#consumed = 0;
    this.#bytes += increment;
    return increment;
  }

  /** The peer has learnt that its initial window is smaller than it took it to be. */
  shrink(bytes: number): void {
    this.#bytes -= bytes;
  }
}
