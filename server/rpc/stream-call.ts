// A streaming call in envelopes: requests are taken as the handler asks for them, replies are written as it yields them.
import { create, type Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { invokeStream, isPromise, leave, type ReplyStream } from "../call/invoke.js";
import { ReplyBatch } from "../call/reply-batch.js";
import { RequestQueue } from "../call/request-queue.js";
import type { Exchange } from "../http/exchange.js";
import { compressedFlag, type Envelope } from "./envelope.js";
import { EnvelopeCall, type EnvelopeShape } from "./envelope-call.js";
import type { Format } from "./format.js";

/** A method of any streaming kind, over any protocol. */
export class StreamCall extends EnvelopeCall {
  readonly #requests: RequestQueue<Envelope>;
  readonly #batch: ReplyBatch;
  #replies: AsyncIterator<unknown> | undefined;
  #unsent: Buffer | undefined;

  constructor(shape: EnvelopeShape, format: Format, exchange: Exchange) {
    super(shape, format, exchange);
    this.#requests = new RequestQueue({
      open: (envelope) => this.#open(envelope),
      pause: () => exchange.pause(),
      read: () => exchange.read(),
    });
    this.#batch = new ReplyBatch((bytes) => this.send(bytes));
  }

  protected override receive(): void {
    super.receive();
    invokeStream(this.method, this.#requests, this.context)
      .then((replies) => this.#pump(replies))
      .catch((reason) => this.fail(reason));
  }

  protected onArrival(chunkBytes: number): void {
    this.#requests.push(this.takeArrived(), chunkBytes);
  }

  protected onArrivalEnd(problem: ConnectError | undefined): void {
    this.#requests.end(problem);
  }

  override onDrain(): void {
    this.#batch.drained();
  }

  #open(envelope: Envelope): Message | Promise<Message> {
    if ((envelope.flags & compressedFlag) === 0) return this.codec.parse(envelope.data);
    return Promise.resolve(this.open(envelope)).then((data) => this.codec.parse(data));
  }

  async #pump({ messages, end }: ReplyStream): Promise<void> {
    const replies = messages[Symbol.asyncIterator]();
    this.#replies = replies;
    const { output } = this.method.spec.method;
    for (;;) {
      const next = await replies.next();
      if (this.isDone) return;
      if (next.done === true) break;
      this.fixHead();
      const sealed = this.seal(create(output, next.value));
      this.#batch.add(isPromise(sealed) ? await sealed : sealed);
      if (this.#batch.isFull) await this.#batch.room();
      if (this.isDone) return;
    }
    this.#replies = undefined;
    end();
    this.finish(() => this.unsentReplies());
  }

  protected override settle(error: ConnectError | undefined, reason?: unknown): void {
    super.settle(error, reason);
    this.#requests.stop(error);
    this.#batch.drained();
    leave(this.#replies);
    this.#replies = undefined;
  }

  protected override unsentReplies(): Buffer | undefined {
    this.#unsent ??= this.#batch.take();
    return this.#unsent;
  }
}
