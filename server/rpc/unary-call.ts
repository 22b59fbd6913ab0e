// A unary call in envelopes: one message in, one out.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { takeSingle } from "../call/invoke.js";
import { compressedFlag } from "./envelope.js";
import { EnvelopeCall } from "./envelope-call.js";

/** A method of kind `unary` over gRPC or gRPC-Web. */
export class UnaryCall extends EnvelopeCall {
  /** Whether the request has been found to be odd, so that its end tells nothing more. */
  #isOdd = false;

  protected onArrival(): void {
    // A second message is an error already; waiting for the end would buffer whatever else comes.
    if (this.arrived.length > 1 && !this.#isOdd) this.#takeOdd(undefined);
  }

  protected onArrivalEnd(problem: ConnectError | undefined): void {
    if (this.#isOdd) return;
    const [only] = this.arrived;
    const isUsual = problem === undefined && only !== undefined && (only.flags & compressedFlag) === 0;
    if (isUsual) this.invoke(this.codec.parse(only.data));
    else this.#takeOdd(problem);
  }

  /** A request that is compressed, or has not exactly one message. */
  #takeOdd(problem: ConnectError | undefined): void {
    this.#isOdd = true;
    takeSingle(this.#messages(problem), "unary").then(
      (message) => this.invoke(message),
      (reason) => this.fail(reason),
    );
  }

  async *#messages(problem: ConnectError | undefined): AsyncGenerator<Message> {
    for (const envelope of this.takeArrived()) yield this.codec.parse(await this.open(envelope));
    if (problem !== undefined) throw problem;
  }

  protected override reply(output: Message): void {
    this.whenReady(
      () => this.seal(output),
      (envelope) => this.finish(() => envelope),
    );
  }
}
