// Batches the replies of a stream: those that are ready together are written together, and none waits for the next.

/** Up to here replies are kept together. */
const maxBatchBytes = 32 * 1024;

/** Replies that are ready to be written. */
export class ReplyBatch {
  readonly #write: (bytes: Buffer) => boolean;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Whether the client reads more slowly than the handler yields. */
  #isBlocked = false;
  #unblock: (() => void) | undefined;

  /** @param write writes to the connection; returns false if it should not be given more for now. Must not throw. */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write;
  }

  /** Adds a reply. It is written at the latest when the handler has no other reply ready. */
  add(chunk: Buffer): void {
    if (this.#chunks.length === 0) process.nextTick(this.#flush);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Whether to wait for `room` before the handler is asked for more. */
  get isFull(): boolean {
    return this.#isBlocked || this.#bytes >= maxBatchBytes;
  }

  /**
   * Resolves when there is room for more, in a later turn of the event loop: a handler that always has more at hand would
   * otherwise never let timers and other connections have theirs. A socket that takes all at once says so in the same turn.
   */
  room(): Promise<void> {
    if (!this.#isBlocked) this.#flush();
    return new Promise((resolve) => {
      const resume = () => void setImmediate(resolve);
      if (this.#isBlocked) this.#unblock = resume;
      else resume();
    });
  }

  /** What was written has left. */
  drained(): void {
    this.#isBlocked = false;
    this.#unblock?.();
  }

  /** Takes what has not left yet; undefined if all has. */
  take(): Buffer | undefined {
    const [first] = this.#chunks;
    if (first === undefined) return undefined;
    const batch = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    return batch;
  }

  readonly #flush = (): void => {
    const batch = this.take();
    if (batch !== undefined) this.#isBlocked = !this.#write(batch);
  };
}
