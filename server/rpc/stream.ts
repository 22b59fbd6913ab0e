// A streaming call over any protocol, in the order in which it happens. Requests are read as the handler asks for them, and
// replies are written as it yields them.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Call, type CallWire, type ResponseMetadata } from "../call/call.js";
import { invokeStream } from "../call/invoke.js";
import type { StreamMethod } from "../call/method.js";
import { ReplyBatch } from "../call/reply-batch.js";
import { ReplyPump } from "../call/reply-pump.js";
import { RequestQueue } from "../call/request-queue.js";
import type { Exchange } from "../http/exchange.js";
import type { Envelope } from "./envelope.js";
import { EnvelopeRequest, type EnvelopeSetup, readEnvelopeHead } from "./envelope-request.js";
import { EnvelopeResponse } from "./envelope-response.js";
import type { Format } from "./format.js";
import { sendSharedError } from "./refuse.js";

/** Serves one call. */
export function serveStream(setup: EnvelopeSetup<StreamMethod>, format: Format, exchange: Exchange): void {
  new StreamWire(setup, format, exchange).call.start();
}

class StreamWire implements CallWire {
  readonly call: Call;
  readonly #method: StreamMethod;
  readonly #request: EnvelopeRequest;
  readonly #requests: RequestQueue<Envelope>;
  readonly #response: EnvelopeResponse;
  readonly #format: Format;
  readonly #batch: ReplyBatch;
  readonly #pump: ReplyPump;
  /** Replies that were not sent before the call failed. */
  #unsent: Uint8Array | undefined;

  constructor(setup: EnvelopeSetup<StreamMethod>, format: Format, exchange: Exchange) {
    const head = readEnvelopeHead(setup, format, exchange);
    this.call = new Call(setup, exchange, head, this);
    this.#method = setup.method;
    this.#request = new EnvelopeRequest(setup, format, head, this.call);
    this.#requests = new RequestQueue({
      open: (envelope) => this.#request.open(envelope),
      pause: () => exchange.pause(),
      read: () => exchange.read(),
    });
    this.#format = format;
    this.#response = new EnvelopeResponse(setup, format, head, this.call);
    this.#batch = new ReplyBatch((bytes) => this.#response.write(bytes));
    this.#pump = new ReplyPump(this.call, this.#batch);
  }

  receive(): void {
    this.call.exchange.read();
    this.call.run(() => this.#serve()).catch((reason) => this.call.fail(reason));
  }

  async #serve(): Promise<void> {
    const replies = await invokeStream(this.#method, this.#requests, this.call.context);
    const isWhole = await this.#pump.run(replies, (reply) => this.#add(reply));
    if (isWhole) this.#response.finish(() => this.#batch.take());
  }

  get hasPartOfMessage(): boolean {
    return this.#request.hasPart;
  }

  onData(chunk: Buffer): void {
    if (this.#request.isBroken) return;
    const problem = this.#request.push(chunk);
    if (problem !== undefined) this.#requests.end(problem);
    else if (this.#request.arrived.length > 0) this.#requests.push(this.#request.take(), chunk.length);
  }

  onEnd(): void {
    if (!this.#request.isBroken) this.#requests.end(this.#request.end());
  }

  /** Adds a reply to the batch. Returns true: the handler is to yield more. */
  #add(reply: Message): true | Promise<true> {
    this.#response.fixHeaders();
    const added = this.#response.add(reply, this.#batch);
    return added === undefined || added.then(() => true);
  }

  onDrain(): void {
    this.#batch.drained();
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    this.#unsent ??= this.#batch.take();
    return this.#response.sendError(error, metadata, this.#unsent);
  }

  sendRefusal(error: ConnectError): void {
    sendSharedError(this.call.exchange, this.#format, error);
  }

  onSettled(error: ConnectError | undefined): void {
    this.#requests.stop(error);
    this.#pump.stop();
  }
}
