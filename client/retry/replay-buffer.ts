// The body of a request, which is kept until it is certain that it need not be sent again.

/** Bytes that all calls of a transport may keep together. */
export class ReplayMemory {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns false, and takes nothing, if there are not so many left. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

const end: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class ReplayBuffer {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #memory: ReplayMemory;
  readonly #maxBytes: number;
  /** Those that have been read: while they are kept, all; then those that the attempt has not taken. */
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isKept = true;
  /** Counts attempts: those before the last one get no more. */
  #attempt = 0;
  /** Chunks that the attempt has taken. */
  #taken = 0;
  #hasEnded = false;
  #failure: { readonly reason: unknown } | undefined;
  /** A read under way, which may outlive its attempt. */
  #reading: Promise<void> | undefined;
  #onCommit = (): void => {};

  /** @param maxBytes bytes that are kept. A body that is longer commits the attempt that sends it */
  constructor(body: AsyncIterable<Uint8Array>, maxBytes: number, memory: ReplayMemory) {
    this.#source = body[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /**
   * Returns the body from its beginning, for another attempt.
   *
   * @param onCommit called if the attempt has to be the last one: the body is too long, or it has failed
   */
  begin(onCommit: () => void): AsyncIterable<Uint8Array> {
    this.rewind();
    const attempt = this.#attempt;
    this.#onCommit = onCommit;
    if (!this.#isKept || this.#failure !== undefined) onCommit();
    const iterator = { next: () => this.#next(attempt), return: () => this.#leave(attempt) };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /** Ends the attempt. What it has taken is there for the next one. */
  rewind(): void {
    this.#attempt += 1;
    this.#taken = 0;
  }

  /** Keeps no more, and forgets what has been taken. */
  commit(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#chunks.splice(0, this.#taken);
    this.#taken = 0;
    this.#memory.giveBack(this.#bytes);
    this.#onCommit();
  }

  /** Forgets all. The body is not read any more. */
  close(): void {
    this.rewind();
    this.commit();
    this.#chunks.length = 0;
    this.#source.return?.().catch(() => {
      // It has been left, and nothing waits for it.
    });
  }

  async #next(attempt: number): Promise<IteratorResult<Uint8Array>> {
    while (attempt === this.#attempt) {
      const chunk = this.#isKept ? this.#chunks[this.#taken++] : this.#chunks.shift();
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#isKept) this.#taken -= 1;
      if (this.#failure !== undefined) throw this.#failure.reason;
      if (this.#hasEnded) return end;
      this.#reading ??= this.#read();
      await this.#reading;
    }
    return end;
  }

  /** A request that needs no more of its body ends it, if it is the last one. */
  async #leave(attempt: number): Promise<IteratorResult<Uint8Array>> {
    if (attempt === this.#attempt && !this.#isKept) this.close();
    return end;
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done === true) this.#hasEnded = true;
      else this.#add(value);
    } catch (reason) {
      this.#failure = { reason };
      this.#onCommit();
    }
    this.#reading = undefined;
  }

  #add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    if (!this.#isKept) return;
    if (this.#bytes + chunk.length <= this.#maxBytes && this.#memory.take(chunk.length)) this.#bytes += chunk.length;
    else this.commit();
  }
}
