// A unary call over gRPC or gRPC-Web, in the order in which it happens. Request and response have one envelope each.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Call, type CallWire, type ResponseMetadata } from "../call/call.js";
import { invokeUnary, takeSingle } from "../call/invoke.js";
import type { UnaryMethod } from "../call/method.js";
import type { Exchange } from "../http/exchange.js";
import { compressedFlag } from "./envelope.js";
import { EnvelopeRequest, type EnvelopeSetup, readEnvelopeHead } from "./envelope-request.js";
import { EnvelopeResponse } from "./envelope-response.js";
import type { Format } from "./format.js";
import { sendSharedError } from "./refuse.js";

/** Serves one call. */
export function serveUnary(setup: EnvelopeSetup<UnaryMethod>, format: Format, exchange: Exchange): void {
  new UnaryWire(setup, format, exchange).call.start();
}

class UnaryWire implements CallWire {
  readonly call: Call;
  readonly #method: UnaryMethod;
  readonly #request: EnvelopeRequest;
  readonly #response: EnvelopeResponse;
  readonly #format: Format;
  /** True once the slow path has taken over. */
  #isOnSlowPath = false;

  constructor(setup: EnvelopeSetup<UnaryMethod>, format: Format, exchange: Exchange) {
    const head = readEnvelopeHead(setup, format, exchange);
    this.call = new Call(setup, exchange, head, this);
    this.#method = setup.method;
    this.#request = new EnvelopeRequest(setup, format, head, this.call);
    this.#format = format;
    this.#response = new EnvelopeResponse(setup, format, head, this.call);
  }

  receive(): void {
    this.call.exchange.read();
  }

  onData(chunk: Buffer): void {
    if (this.#request.isBroken) return;
    const problem = this.#request.push(chunk);
    if (problem !== undefined) this.#takeMessage(problem);
    // A second message is an error already. Waiting for the end would buffer the rest of the body.
    else if (this.#request.arrived.length > 1) this.#takeSlowly(undefined);
  }

  onEnd(): void {
    if (!this.#request.isBroken) this.#takeMessage(this.#request.end());
  }

  /** Uses the message once the body has ended, or once `problem` says why it is not read further. */
  #takeMessage(problem: ConnectError | undefined): void {
    const [only] = this.#request.arrived;
    const isUsual = problem === undefined && only !== undefined && (only.flags & compressedFlag) === 0;
    if (!isUsual || this.#isOnSlowPath) {
      this.#takeSlowly(problem);
      return;
    }
    try {
      this.#invoke(this.#request.open(only) as Message);
    } catch (reason) {
      this.call.fail(reason);
    }
  }

  /** Slow path: compressed request, or not exactly one message. */
  #takeSlowly(problem: ConnectError | undefined): void {
    if (this.#isOnSlowPath) return;
    this.#isOnSlowPath = true;
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
      () => this.call.run(() => invokeUnary(this.#method, message, this.call.context)),
      (output) => this.#reply(output),
    );
  }

  #reply(output: Message): void {
    this.call.whenReady(
      () => this.#response.seal(output),
      (envelope) =>
        this.#response.finish(() => {
          this.call.messagesSent++;
          return envelope;
        }),
    );
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    return this.#response.sendError(error, metadata);
  }

  sendRefusal(error: ConnectError): void {
    sendSharedError(this.call.exchange, this.#format, error);
  }
}
