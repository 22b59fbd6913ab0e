// Batches the replies of a stream: those that are ready together are written together, and none waits for the next.
import { ByteWriter } from "../byte-writer.js";

/** Up to here replies are kept together. */
const maxBatchBytes = 32 * 1024;
/** As much as one frame of HTTP/2 carries. Replies beyond it get memory of their own, instead of being moved to more. */
const blockBytes = 16 * 1024;
/** Chunks of this size are not copied. */
const referenceBytes = 4096;

/** Replies that are ready to be written. */
export class ReplyBatch {
  readonly #write: (bytes: Uint8Array) => boolean;
  /** Replies that are complete, and those that follow. */
  #blocks: Uint8Array[] = [];
  #blocksBytes = 0;
  readonly #last = new ByteWriter();
  #isFlushDue = false;
  /** Whether the client reads more slowly than the handler yields. */
  #isBlocked = false;
  #unblock: (() => void) | undefined;

  /** @param write writes to the connection; returns false if it should not be given more for now. Must not throw. */
  constructor(write: (bytes: Uint8Array) => boolean) {
    this.#write = write;
  }

  /** Returns where to append a reply, at once. It is written at the latest when the handler has no other reply ready. */
  open(): ByteWriter {
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      process.nextTick(this.#flush);
    }
    if (this.#last.position >= blockBytes) this.#closeBlock();
    return this.#last;
  }

  /** Adds a reply, which must not change afterwards. */
  add(chunk: Uint8Array): void {
    const replies = this.open();
    if (chunk.length < referenceBytes) {
      replies.write(chunk);
      return;
    }
    this.#closeBlock();
    this.#push(chunk);
  }

  /** Whether to wait for `room` before the handler is asked for more. */
  get isFull(): boolean {
    return this.#isBlocked || this.#blocksBytes + this.#last.position >= maxBatchBytes;
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
  take(): Uint8Array | undefined {
    const [first, ...others] = this.#takeBlocks();
    return first === undefined || others.length === 0 ? first : Buffer.concat([first, ...others]);
  }

  #takeBlocks(): Uint8Array[] {
    this.#closeBlock();
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#blocksBytes = 0;
    return blocks;
  }

  #closeBlock(): void {
    if (this.#last.position > 0) this.#push(this.#last.take());
  }

  #push(block: Uint8Array): void {
    this.#blocks.push(block);
    this.#blocksBytes += block.length;
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    for (const block of this.#takeBlocks()) this.#isBlocked = !this.#write(block);
  };
}
