// A unary call by a route, in the order of a call: the request is in path, query and body; the reply is
// JSON, or as the bytes of a google.api.HttpBody.
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Call, type CallWire, type ResponseMetadata } from "../call/call.js";
import { invokeUnary } from "../call/invoke.js";
import type { UnaryMethod } from "../call/method.js";
import type { Exchange } from "../http/exchange.js";
import { type RestMatch, type RestSetup, readRestHead } from "./head.js";
import { RestRequest } from "./rest-request.js";
import { RestResponse } from "./rest-response.js";

/** Serves one call. */
export function serveUnary(setup: RestSetup<UnaryMethod>, match: RestMatch, exchange: Exchange): void {
  new UnaryWire(setup, match, exchange).call.start();
}

class UnaryWire implements CallWire {
  readonly call: Call;
  readonly #method: UnaryMethod;
  readonly #request: RestRequest;
  readonly #response: RestResponse;

  constructor(setup: RestSetup<UnaryMethod>, match: RestMatch, exchange: Exchange) {
    const head = readRestHead(setup, exchange);
    this.call = new Call(setup, exchange, head, this);
    this.#method = setup.method;
    this.#response = new RestResponse(setup, head, this.call);
    this.#request = new RestRequest(setup, match, head, this.call, this.#response);
  }

  receive(): void {
    this.#request.checkOne();
    this.call.exchange.read();
  }

  onData(chunk: Buffer): void {
    this.#request.push(chunk);
  }

  onEnd(): void {
    this.#request.end((body) => this.#invoke(this.#request.decode(body)));
  }

  #invoke(message: Message): void {
    this.call.whenReady(
      () => this.call.run(() => invokeUnary(this.#method, message, this.call.context)),
      (output) => this.#response.send(output),
    );
  }

  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    return this.#response.sendError(error, metadata);
  }

  sendRefusal(error: ConnectError): void {
    this.#response.sendShared(error);
  }
}
