// What arrives for a call, between the connection that brings it and the handler that asks for it.
import type { Message } from "@bufbuild/protobuf";
import { isPromise } from "./invoke.js";

const noMore = { done: true, value: undefined } as const;
const ignore = (): void => {};

type Result<Value> = IteratorResult<Value, undefined>;

/** A handler that has asked for a request which is yet to come. */
interface Waiter<Value> {
  readonly promise: Promise<Result<Value>>;
  readonly resolve: (result: Result<Value> | Promise<Result<Value>>) => void;
}

/** How much of a body may wait for the handler before the connection is left unread. */
const maxWaitingBytes = 64 * 1024;

/** How many items that have been taken may stay in memory until others leave with them. */
const maxTaken = 1024;

/** Where requests come from. */
interface RequestSource<Item, Value> {
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
  #waiter: Waiter<Value> | undefined;

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

  /** Returns the next request. Overlapping calls resolve in order. */
  next(): Promise<Result<Value>> {
    if (this.#waiter !== undefined) return quiet(this.#waiter.promise.then(() => this.next()));
    const taken = this.#take();
    if (taken !== undefined) return isPromise(taken) ? taken : Promise.resolve(taken);
    this.#waiter = createWaiter();
    return this.#waiter.promise;
  }

  async return(): Promise<Result<Value>> {
    this.stop();
    return noMore;
  }

  get #isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  /** What there is to take; undefined if it is yet to come. */
  #take(): Result<Value> | Promise<Result<Value>> | undefined {
    if (this.#isEmpty) {
      if (this.#error !== undefined) return quiet(Promise.reject(this.#error));
      return this.#hasEnded ? noMore : undefined;
    }
    const item = this.#items[this.#taken++] as Item;
    if (this.#taken >= maxTaken) this.#replace(this.#items.slice(this.#taken));
    if (this.#isEmpty) this.#resume();
    try {
      const message = this.#source.open(item);
      if (isPromise(message)) return quiet(message.then((value) => ({ done: false, value })));
      return { done: false, value: message };
    } catch (reason) {
      return quiet(Promise.reject(reason));
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
    if (isPromise(taken)) void quiet(waiter.promise);
  }

  #resume(): void {
    this.#waitingBytes = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.read();
  }
}

function createWaiter<Value>(): Waiter<Value> {
  let resolve: Waiter<Value>["resolve"] = ignore;
  const promise = new Promise<Result<Value>>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Avoids an unhandled rejection if a handler asks for a request and does not await it. */
function quiet<Settled>(promise: Promise<Settled>): Promise<Settled> {
  promise.catch(ignore);
  return promise;
}
