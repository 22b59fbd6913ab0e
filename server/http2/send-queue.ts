// Decides whose DATA goes next: streams that have bytes and a window take turns, one frame each.
import type { Stream } from "./stream.js";

export class SendQueue<Owner> {
  #first: Stream<Owner> | undefined;
  #last: Stream<Owner> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Adds a stream as the last one, unless it waits already. */
  push(stream: Stream<Owner>): void {
    if (stream.isQueued) return;
    stream.isQueued = true;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.nextQueued = stream;
    this.#last = stream;
  }

  /** Takes the first stream. It may have been closed meanwhile. */
  shift(): Stream<Owner> | undefined {
    const stream = this.#first;
    if (stream === undefined) return undefined;
    this.#first = stream.nextQueued;
    if (this.#first === undefined) this.#last = undefined;
    stream.nextQueued = undefined;
    stream.isQueued = false;
    return stream;
  }

  clear(): void {
    while (this.shift() !== undefined);
  }
}
