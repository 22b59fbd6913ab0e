// A call with a stream of requests, of replies, or of both.
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { RequestConnection, RequestStream } from "../http2/request.js";
import { toHeaders } from "../http2/request-fields.js";
import { Upload } from "../http2/upload.js";
import { GrpcCall, type GrpcCallInit } from "./call.js";
import type { Envelope } from "./envelopes.js";
import { hasStatus } from "./response.js";

/** What a stream returns when its response has begun. */
export interface StreamReply {
  readonly header: Headers;
  /** Complete when `message` has ended. */
  readonly trailer: Headers;
  readonly message: AsyncIterable<Message>;
}

export interface StreamCallInit extends GrpcCallInit {
  /** Messages, or what they are in their envelopes. */
  readonly messages: AsyncIterable<Message | Uint8Array>;
  readonly resolve: (reply: StreamReply) => void;
  readonly reject: (error: unknown) => void;
}

interface Queued {
  readonly envelope: Envelope;
  /** Bytes that are consumed when it is read. */
  readonly bytes: number;
}

/** Messages that were read before those that follow are moved to the front. */
const dropAt = 1024;

export class StreamCall extends GrpcCall {
  readonly #init: StreamCallInit;
  readonly #trailer = new Headers();
  #queue: Queued[] = [];
  /** Where the next message is. */
  #next = 0;
  #hasBegun = false;
  /** Whether all has been read. */
  #isRead = false;
  #error: ConnectError | undefined;
  /** Called when a message or the end has come. */
  #wake: (() => void) | undefined;
  readonly #upload: Upload<Message | Uint8Array>;

  constructor(init: StreamCallInit) {
    super(init);
    this.#init = init;
    this.#upload = new Upload(init.messages, {
      encode: (message) => (message instanceof Uint8Array ? message : init.method.encode(message)),
      isOver: () => this.isDone,
      onError: (error) => this.cancel(ConnectError.from(error)),
    });
  }

  onDrain(): void {
    this.#upload.wake();
  }

  override restart(): boolean {
    return super.restart() && this.#upload.restart();
  }

  protected onOpen(connection: RequestConnection, stream: RequestStream): void {
    this.#upload.begin(connection, stream);
  }

  /** @throws ConnectError if the headers have a status, as trailers, and it is an error */
  protected onHead(isEnd: boolean): void {
    const error = isEnd && hasStatus(this.headFields) ? this.statusError() : undefined;
    if (error !== undefined) throw error;
    this.#hasBegun = true;
    this.#upload.forget();
    const message = { [Symbol.asyncIterator]: () => ({ next: () => this.#read() }) };
    this.#init.resolve({ header: toHeaders(this.headFields), trailer: this.#trailer, message });
  }

  protected onMessage(envelope: Envelope, bytes: number): boolean {
    const isAwaited = this.#wake !== undefined;
    this.#queue.push({ envelope, bytes: isAwaited ? 0 : bytes });
    this.#wakeReader();
    return isAwaited;
  }

  protected onDone(error: ConnectError | undefined): void {
    for (const { name, value } of this.trailerFields) this.#trailer.append(name, value);
    this.#error = error ?? this.statusError();
    if (!this.#hasBegun) this.#init.reject(this.#error);
    this.#upload.wake();
    this.#wakeReader();
  }

  override cancel(error: ConnectError): void {
    this.#queue = [];
    this.#next = 0;
    super.cancel(error);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async #read(): Promise<IteratorResult<Message>> {
    const { signal } = this.#init;
    if (signal?.aborted === true && !this.#isRead) throw ConnectError.from(signal.reason, Code.Canceled);
    for (;;) {
      const queued = this.#shift();
      if (queued !== undefined) return { done: false, value: await this.#decode(queued) };
      if (this.#error !== undefined) throw this.#error;
      if (this.isDone) {
        this.#isRead = true;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #shift(): Queued | undefined {
    const queued = this.#queue[this.#next];
    if (queued === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#queue.length || this.#next === dropAt) {
      this.#queue = this.#next === this.#queue.length ? [] : this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return queued;
  }

  async #decode({ envelope, bytes }: Queued): Promise<Message> {
    this.consume(bytes);
    try {
      return this.#init.method.decode(await this.dataOf(envelope));
    } catch (error) {
      const reason = ConnectError.from(error);
      this.cancel(reason);
      this.#error ??= reason;
      throw reason;
    }
  }
}
