// Reads the replies of a streaming method, as fast as the client reads them.
import type { Message } from "@bufbuild/protobuf";
import { messageMaker } from "../codec/create-message.js";
import type { Call } from "./call.js";
import { leave, type ReplyStream } from "./invoke.js";
import type { ReplyBatch } from "./reply-batch.js";

/** The replies of one call. */
export class ReplyPump {
  readonly #call: Call;
  readonly #batch: ReplyBatch;
  #replies: AsyncIterator<object> | undefined;

  constructor(call: Call, batch: ReplyBatch) {
    this.#call = call;
    this.#batch = batch;
  }

  /**
   * Takes the replies, until there are no more or `take` returns false. Rejects with what the handler or `take` throws.
   *
   * @param take adds a reply to the batch, now or when its promise resolves, and returns whether more are wanted
   * @returns false if the call ended before
   */
  async run({ messages, end }: ReplyStream, take: (reply: Message) => boolean | Promise<boolean>): Promise<boolean> {
    const replies = messages[Symbol.asyncIterator]();
    this.#replies = replies;
    const make = messageMaker(this.#call.method.spec.method.output);
    for (;;) {
      const next = await replies.next();
      if (this.#call.isDone) return false;
      if (next.done === true) {
        this.#replies = undefined;
        break;
      }
      const isMoreWanted = take(make(next.value));
      if (isMoreWanted !== true && !(await isMoreWanted)) break;
      if (this.#batch.isFull) await this.#batch.room();
      if (this.#call.isDone) return false;
    }
    end();
    return true;
  }

  /** Closes the handler's iterator, if it has not ended. */
  stop(): void {
    this.#batch.drained();
    leave(this.#replies);
    this.#replies = undefined;
  }
}
