// A call of one request and one reply.
import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { RequestConnection, RequestStream } from "../http2/request.js";
import { toHeaders } from "../http2/request-fields.js";
import { GrpcCall, type GrpcCallInit } from "./call.js";
import type { Envelope } from "./envelopes.js";
import { hasStatus } from "./response.js";

/** What a unary call returns. */
export interface UnaryReply {
  readonly stream: false;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly message: Message;
  readonly header: Headers;
  readonly trailer: Headers;
}

export interface UnaryCallInit extends GrpcCallInit {
  /** The message in its envelope. */
  readonly body: Uint8Array;
  /** Called when the response has begun with more than a status, so that the call must not be sent again. */
  readonly commit: (() => void) | undefined;
  readonly resolve: (reply: UnaryReply) => void;
  readonly reject: (error: unknown) => void;
}

export class UnaryCall extends GrpcCall {
  readonly #init: UnaryCallInit;
  #reply: Envelope | undefined;

  constructor(init: UnaryCallInit) {
    super(init);
    this.#init = init;
  }

  onDrain(): void {}

  protected onOpen(connection: RequestConnection, stream: RequestStream): void {
    connection.sendData(stream, this.#init.body, true);
  }

  protected onHead(isEnd: boolean): void {
    if (!isEnd) this.#init.commit?.();
  }

  protected onMessage(envelope: Envelope): boolean {
    if (this.#reply !== undefined) {
      const text = "protocol error: received extra output message for unary method";
      throw new ConnectError(text, Code.Unimplemented);
    }
    this.#reply = envelope;
    return true;
  }

  protected onDone(error: ConnectError | undefined): void {
    const reason = error ?? this.statusError();
    if (reason !== undefined) this.#init.reject(reason);
    else if (this.#reply?.isCompressed === true) void this.#replyLater(this.#reply);
    else this.#replyNow(this.#reply?.data);
  }

  async #replyLater(reply: Envelope): Promise<void> {
    try {
      this.#replyNow(await this.dataOf(reply));
    } catch (error) {
      this.#init.reject(ConnectError.from(error));
    }
  }

  #replyNow(data: Uint8Array | undefined): void {
    try {
      const message = data === undefined ? undefined : this.#init.method.decode(data);
      this.#init.resolve(this.#toReply(message));
    } catch (error) {
      this.#init.reject(error);
    }
  }

  /** @throws ConnectError if there is no message */
  #toReply(message: Message | undefined): UnaryReply {
    if (message === undefined) throw this.#missingMessage();
    const { desc: method } = this.#init.method;
    const header = toHeaders(this.headFields);
    return { stream: false, service: method.parent, method, header, message, trailer: toHeaders(this.trailerFields) };
  }

  #missingMessage(): ConnectError {
    const text = "protocol error: missing output message for unary method";
    return new ConnectError(text, hasStatus(this.trailerFields) ? Code.Unimplemented : Code.Unknown);
  }
}
