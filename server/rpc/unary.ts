// A unary call over gRPC or gRPC-Web, in the order in which it happens: one message in an envelope comes, one goes.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Call, type CallWire, type ResponseMetadata } from "../call/call.js";
import { invokeUnary, takeSingle } from "../call/invoke.js";
import type { UnaryMethod } from "../call/method.js";
import type { Exchange } from "../http/exchange.js";
import { compressedFlag } from "./envelope.js";
import { EnvelopeRequest } from "./envelope-request.js";
import { EnvelopeResponse } from "./envelope-response.js";
import { type EnvelopeSetup, readEnvelopeHead } from "./envelope-setup.js";
import type { Format } from "./format.js";

/** Serves one call. */
export function serveUnary(setup: EnvelopeSetup<UnaryMethod>, format: Format, exchange: Exchange): void {
  new UnaryWire(setup, format, exchange).call.start();
}

class UnaryWire implements CallWire {
  readonly call: Call;
  readonly #method: UnaryMethod;
  readonly #request: EnvelopeRequest;
  readonly #response: EnvelopeResponse;
  /** Whether the request has been found to be odd, so that its end tells nothing more. */
  #isOdd = false;

  constructor(setup: EnvelopeSetup<UnaryMethod>, format: Format, exchange: Exchange) {
    const head = readEnvelopeHead(setup, format, exchange);
    this.call = new Call(setup, exchange, head, this);
    this.#method = setup.method;
    this.#request = new EnvelopeRequest(setup, format, head);
    this.#response = new EnvelopeResponse(setup, format, head, this.call);
  }

  receive(): void {
    this.call.exchange.read();
  }

  onData(chunk: Buffer): void {
    if (this.#request.isBroken) return;
    const problem = this.#request.push(chunk);
    if (problem !== undefined) this.#takeMessage(problem);
    // A second message is an error already; waiting for the end would buffer whatever else comes.
    else if (this.#request.arrived.length > 1) this.#takeOdd(undefined);
  }

  onEnd(): void {
    if (!this.#request.isBroken) this.#takeMessage(this.#request.end());
  }

  /** Nothing more comes: the body has ended, or `problem` says why it is not read on. */
  #takeMessage(problem: ConnectError | undefined): void {
    const [only] = this.#request.arrived;
    const isUsual = problem === undefined && only !== undefined && (only.flags & compressedFlag) === 0;
    if (!isUsual || this.#isOdd) {
      this.#takeOdd(problem);
      return;
    }
    try {
      this.#invoke(this.#request.open(only) as Message);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  /** A request that is compressed, or has not exactly one message. */
  #takeOdd(problem: ConnectError | undefined): void {
    if (this.#isOdd) return;
    this.#isOdd = true;
    takeSingle(this.#messages(problem), "unary").then(
      (message) => this.#invoke(message),
      (reason) => this.call.fail(reason),
    );
  }

  async *#messages(problem: ConnectError | undefined): AsyncGenerator<Message> {
    for (const envelope of this.#request.take()) yield await this.#request.open(envelope);
    if (problem !== undefined) throw problem;
  }

  #invoke(message: Message): void {
    this.call.whenReady(
      () => invokeUnary(this.#method, message, this.call.context),
      (output) => this.#reply(output),
    );
  }

  #reply(output: Message): void {
    this.call.whenReady(
      () => this.#response.seal(output),
      (envelope) => this.#response.finish(() => envelope),
    );
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    return this.#response.sendError(error, metadata);
  }
}
