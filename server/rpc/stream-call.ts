// A streaming call: requests are taken as the handler asks for them, replies are written as it yields them.
import { create, type Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { invokeStream, isPromise, type ReplyStream } from "../call/invoke.js";
import { EnvelopeCall } from "./envelope-call.js";

/** How much of a body may wait for the handler before the socket is left unread. */
const maxWaitingBytes = 64 * 1024;
/** Replies that are ready together leave together, up to this much. */
const maxBatchBytes = 32 * 1024;

type Result = IteratorResult<Message, undefined>;
const noMore: Result = { done: true, value: undefined };

/** A method of any streaming kind, over any protocol. */
export class StreamCall extends EnvelopeCall {
  #waitingBytes = 0;
  #isPaused = false;
  #hasEnded = false;
  /** Why there are no more requests, where that is an error. */
  #inputError: ConnectError | undefined;
  #waiter: { resolve: (result: Result | Promise<Result>) => void; promise: Promise<Result> } | undefined;
  #replies: AsyncIterator<unknown> | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #isBlocked = false;
  #unblock: (() => void) | undefined;

  protected override receive(): void {
    super.receive();
    const requests: AsyncIterableIterator<Message, undefined> = {
      [Symbol.asyncIterator]: () => requests,
      next: () => this.#next(),
      return: async () => {
        this.#stopReading(undefined);
        return noMore;
      },
    };
    invokeStream(this.method, requests, this.context)
      .then((replies) => this.#pump(replies))
      .catch((reason) => this.fail(reason));
  }

  protected onArrival(chunkBytes: number): void {
    this.#waitingBytes += chunkBytes;
    this.#wake();
    if (this.#hasEnded) this.arrived.length = 0;
    else if (this.#waitingBytes > maxWaitingBytes && this.arrived.length > 0) this.#pause();
  }

  protected onArrivalEnd(problem: ConnectError | undefined): void {
    this.#hasEnded = true;
    this.#inputError ??= problem;
    this.#wake();
  }

  /** The next request. Calls that overlap are answered in their order. */
  #next(): Promise<Result> {
    if (this.#waiter !== undefined) return this.#waiter.promise.then(() => this.#next());
    const taken = this.#take();
    if (taken !== undefined) return taken;
    let resolve: (result: Result | Promise<Result>) => void = () => {};
    const promise = new Promise<Result>((settle) => {
      resolve = settle;
    });
    // A handler may ask and then not wait for the answer; an error that it does not see must not end the process.
    promise.catch(() => {});
    this.#waiter = { resolve, promise };
    return promise;
  }

  /** What there is to take; undefined if it is yet to come. */
  #take(): Promise<Result> | undefined {
    const envelope = this.arrived.shift();
    if (envelope === undefined) {
      if (this.#inputError !== undefined) return Promise.reject(this.#inputError);
      return this.#hasEnded ? Promise.resolve(noMore) : undefined;
    }
    if (this.arrived.length === 0) {
      this.#waitingBytes = 0;
      this.#resume();
    }
    try {
      const data = this.open(envelope);
      if (isPromise(data)) return data.then((bytes) => ({ done: false, value: this.parse(bytes) }));
      return Promise.resolve({ done: false, value: this.parse(data) });
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const taken = this.#take();
    if (taken === undefined) return;
    this.#waiter = undefined;
    waiter.resolve(taken);
  }

  /** No more requests for the handler. What still comes is read and dropped, so that the connection goes on. */
  #stopReading(error: ConnectError | undefined): void {
    this.#hasEnded = true;
    this.#inputError ??= error;
    this.arrived.length = 0;
    this.#resume();
    this.#wake();
  }

  async #pump({ messages, end }: ReplyStream): Promise<void> {
    const replies = messages[Symbol.asyncIterator]();
    this.#replies = replies;
    const { output } = this.method.spec.method;
    for (;;) {
      const next = await replies.next();
      if (this.isDone) return;
      if (next.done === true) break;
      const sealed = this.seal(this.serialize(create(output, next.value)));
      this.#add(isPromise(sealed) ? await sealed : sealed);
      if (this.isDone) return;
      if (this.#batchBytes >= maxBatchBytes) await this.#flushAndYield();
      if (this.#isBlocked) await this.#whenUnblocked();
    }
    this.#replies = undefined;
    end();
    this.settle(undefined);
    this.write(() => this.close(undefined, this.#takeBatch()));
  }

  /** Adds a reply to those that leave together, at the latest when the handler has nothing more at hand. */
  #add(envelope: Buffer): void {
    if (this.#batch.length === 0) process.nextTick(this.#flush);
    this.#batch.push(envelope);
    this.#batchBytes += envelope.length;
  }

  readonly #flush = (): void => {
    const batch = this.#takeBatch();
    if (batch === undefined || this.isClosed) return;
    this.write(() => {
      this.#isBlocked = !this.send(batch);
    });
  };

  /** A handler that always has more at hand would otherwise never let timers and sockets have their turn. */
  #flushAndYield(): Promise<void> {
    this.#flush();
    return new Promise((resolve) => setImmediate(resolve));
  }

  #takeBatch(): Buffer | undefined {
    const [first] = this.#batch;
    if (first === undefined) return undefined;
    const batch = this.#batch.length === 1 ? first : Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    return batch;
  }

  /** Resolves when the client has read enough, or the call has ended. */
  #whenUnblocked(): Promise<void> {
    if (this.isDone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#unblock = () => {
        this.#isBlocked = false;
        resolve();
      };
    });
  }

  override onDrain(): void {
    this.#unblock?.();
    this.#isBlocked = false;
  }

  #pause(): void {
    this.#isPaused = true;
    this.exchange.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.exchange.read();
  }

  protected override settle(error: ConnectError | undefined, reason?: unknown): void {
    super.settle(error, reason);
    this.#stopReading(error);
    this.#unblock?.();
    // Lets the handler's `finally` blocks run. What they throw has nobody left to tell.
    this.#replies?.return?.().catch(() => {});
    this.#replies = undefined;
  }

  protected override sendError(error: ConnectError): void {
    this.close(error, this.#takeBatch());
  }
}
