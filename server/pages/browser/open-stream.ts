// A call whose requests are sent message by message, until its user ends it.
import type { Call } from "./lines.js";
import type { JsonValue } from "./method.js";
import type { Protocol } from "./protocols.js";

/** The messages of an open call. */
export class OpenStream {
  /** All that have been given. */
  readonly messages: JsonValue[] = [];
  /** The body of the request; undefined if the browser sends it as a whole, at the end. */
  readonly body: ReadableStream<Uint8Array> | undefined;
  /** Resolves when the request can be sent: at once, or at the end. */
  readonly ready: Promise<void>;
  readonly #protocol: Protocol;
  readonly #call: Call;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #finish = () => {};

  /** @param isStreamed whether the browser sends each message as it comes */
  constructor(protocol: Protocol, call: Call, isStreamed: boolean) {
    this.#protocol = protocol;
    this.#call = call;
    if (isStreamed) {
      this.body = new ReadableStream({
        start: (controller) => {
          this.#controller = controller;
        },
      });
      this.ready = Promise.resolve();
    } else {
      this.ready = new Promise((resolve) => {
        this.#finish = resolve;
      });
    }
  }

  /** @throws Error if a message cannot be written */
  send(messages: readonly JsonValue[]): void {
    const { body } = this.#protocol.request({ ...this.#call, messages });
    this.messages.push(...messages);
    if (body !== undefined) this.#controller?.enqueue(typeof body === "string" ? new TextEncoder().encode(body) : body);
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
    this.#finish();
  }
}
