// Sends a body that is read from an iterable, and what was sent of it once more if the request begins again.
import { KeptBody } from "./kept-body.js";
import type { RequestConnection, RequestStream } from "./request.js";

const empty = new Uint8Array();

export interface UploadEvents<Item> {
  /** Returns the bytes of an item. */
  encode(item: Item): Uint8Array | Promise<Uint8Array>;
  /** Whether the rest of the body is of no use. */
  isOver(): boolean;
  /** The iterable has thrown, or an item cannot be encoded. */
  onError(error: unknown): void;
}

export class Upload<Item> {
  readonly #items: AsyncIterable<Item>;
  readonly #events: UploadEvents<Item>;
  #connection: RequestConnection | undefined;
  #stream: RequestStream | undefined;
  #hasBegun = false;
  /** Whether the last item has been sent. */
  #isComplete = false;
  readonly #kept = new KeptBody();
  #onDrained: (() => void) | undefined;

  constructor(items: AsyncIterable<Item>, events: UploadEvents<Item>) {
    this.#items = items;
    this.#events = events;
  }

  /** Sends the body on a stream: the first, or the next after `restart`. */
  begin(connection: RequestConnection, stream: RequestStream): void {
    this.#connection = connection;
    this.#stream = stream;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      void this.#run();
      return;
    }
    this.#kept.send(connection, stream, this.#isComplete);
    this.wake();
  }

  /** Waits for another stream. Returns false if a part of the body is lost. */
  restart(): boolean {
    if (!this.#kept.isWhole) return false;
    this.#stream = undefined;
    return true;
  }

  /** The response has begun: there is no other stream. */
  forget(): void {
    this.#kept.forget();
  }

  /** Goes on with the body, or ends if it is over. */
  wake(): void {
    this.#onDrained?.();
  }

  async #run(): Promise<void> {
    try {
      for await (const item of this.#items) {
        if (this.#events.isOver()) return;
        const chunk = await this.#events.encode(item);
        if (!this.#send(chunk)) await this.#drained();
        if (this.#events.isOver()) return;
      }
      this.#isComplete = true;
      if (this.#stream !== undefined) this.#connection?.sendData(this.#stream, empty, true);
    } catch (error) {
      this.#events.onError(error);
    }
  }

  /** Returns whether the next chunk may follow. */
  #send(chunk: Uint8Array): boolean {
    this.#kept.add(chunk, this.#stream !== undefined);
    if (this.#stream === undefined || this.#connection === undefined) return false;
    return this.#connection.sendData(this.#stream, chunk, false);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }
}
