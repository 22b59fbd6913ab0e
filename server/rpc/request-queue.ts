// What arrives for a call, between the connection that brings it and the handler that asks for it.
import type { Message } from "@bufbuild/protobuf";
import { isPromise } from "../call/invoke.js";

const noMore = { done: true, value: undefined } as const;

/** How much of a body may wait for the handler before the connection is left unread. */
const maxWaitingBytes = 64 * 1024;

/** How many items that have been taken may stay in memory until others leave with them. */
const maxTaken = 1024;

/** Where requests come from. */
export interface RequestSource<Item, Value> {
  /** Makes a value of what has arrived. May throw. */
  open(item: Item): Value | Promise<Value>;
  /** Lets the client wait. */
  pause(): void;
  /** Goes on reading after `pause`. */
  read(): void;
}

/** An iterable of requests, for one handler. */
export class RequestQueue<Item, Value = Message> implements AsyncIterableIterator<Value, undefined> {
  readonly #source: RequestSource<Item, Value>;
  #items: Item[] = [];
  /** How many of `#items` have been taken. */
  #taken = 0;
  #waitingBytes = 0;
  #isPaused = false;
  #hasEnded = false;
  /** Why there are no more requests, where that is an error. */
  #error: unknown;
  #waiter:
    | {
        resolve: (result: IteratorResult<Value, undefined> | Promise<IteratorResult<Value, undefined>>) => void;
        promise: Promise<IteratorResult<Value, undefined>>;
      }
    | undefined;

  constructor(source: RequestSource<Item, Value>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Adds what has arrived, out of a chunk of so many bytes. The array is taken over. */
  push(items: Item[], chunkBytes: number): void {
    if (this.#hasEnded) return;
    if (this.#isEmpty) this.#replace(items);
    else for (const item of items) this.#items.push(item);
    this.#waitingBytes += chunkBytes;
    this.#wake();
    if (this.#waitingBytes <= maxWaitingBytes || this.#isEmpty) return;
    this.#isPaused = true;
    this.#source.pause();
  }

  /** There will be no more. With an error, the handler gets it after what has arrived before. */
  end(error?: unknown): void {
    this.#hasEnded = true;
    this.#error ??= error;
    this.#wake();
  }

  /** No more requests for the handler. What still comes is read and dropped, so that the connection goes on. */
  stop(error?: unknown): void {
    this.#replace([]);
    this.#resume();
    this.end(error);
  }

  /** The next request. Calls that overlap are answered in their order. */
  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#waiter !== undefined) return this.#waiter.promise.then(() => this.next());
    const taken = this.#take();
    if (taken !== undefined) return taken;
    let resolve: (result: IteratorResult<Value, undefined> | Promise<IteratorResult<Value, undefined>>) => void =
      () => {};
    const promise = new Promise<IteratorResult<Value, undefined>>((settle) => {
      resolve = settle;
    });
    // A handler may ask and then not wait for the answer; an error that it does not see must not end the process.
    promise.catch(() => {});
    this.#waiter = { resolve, promise };
    return promise;
  }

  async return(): Promise<IteratorResult<Value, undefined>> {
    this.stop();
    return noMore;
  }

  get #isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  /** What there is to take; undefined if it is yet to come. */
  #take(): Promise<IteratorResult<Value, undefined>> | undefined {
    if (this.#isEmpty) {
      if (this.#error !== undefined) return Promise.reject(this.#error);
      return this.#hasEnded ? Promise.resolve(noMore) : undefined;
    }
    const item = this.#items[this.#taken++] as Item;
    if (this.#taken >= maxTaken) this.#replace(this.#items.slice(this.#taken));
    if (this.#isEmpty) this.#resume();
    try {
      const message = this.#source.open(item);
      if (isPromise(message)) return message.then((value) => ({ done: false, value }));
      return Promise.resolve({ done: false, value: message });
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  #replace(items: Item[]): void {
    this.#items = items;
    this.#taken = 0;
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const taken = this.#take();
    if (taken === undefined) return;
    this.#waiter = undefined;
    waiter.resolve(taken);
  }

  #resume(): void {
    this.#waitingBytes = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.read();
  }
}
