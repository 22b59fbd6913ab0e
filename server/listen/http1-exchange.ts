// A request of HTTP/1.1 as an Exchange.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange, ExchangeOwner } from "./exchange.js";
import type { NodeServerRequest, NodeServerResponse } from "./handler.js";

export class Http1Exchange implements Exchange {
  readonly httpVersion = 1;
  readonly resetCode: number = constants.NGHTTP2_CANCEL;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #owner: ExchangeOwner | undefined;
  #isReading = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get method(): string {
    return this.#request.method ?? "";
  }
  get target(): string {
    return this.#request.url ?? "";
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }
  get scheme(): "http" | "https" {
    return "encrypted" in this.#request.socket ? "https" : "http";
  }
  get authority(): string {
    return this.#request.headers.host ?? "";
  }
  get socket(): Socket {
    return this.#request.socket;
  }
  get isHeadSent(): boolean {
    return this.#response.headersSent;
  }
  get isClosed(): boolean {
    return this.#response.closed;
  }
  get isFinished(): boolean {
    return this.#response.writableFinished;
  }

  attach(owner: ExchangeOwner): void {
    this.#owner = owner;
    this.#response.on("close", () => {
      this.#owner = undefined;
      owner.onClose();
    });
  }
  read(): void {
    if (this.#isReading) {
      this.#request.resume();
      return;
    }
    this.#isReading = true;
    this.#request.on("data", (chunk: Buffer) => this.#owner?.onData(chunk));
    this.#request.on("end", () => this.#owner?.onEnd());
  }
  pause(): void {
    this.#request.pause();
  }
  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers);
  }
  write(chunk: Uint8Array): boolean {
    const hasRoom = this.#response.write(chunk);
    if (!hasRoom) this.#response.once("drain", () => this.#owner?.onDrain());
    return hasRoom;
  }
  end(chunk?: Uint8Array, trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) this.#response.addTrailers(trailers as Record<string, string>);
    this.#response.end(chunk);
  }
  cut(): void {
    this.#response.destroy();
  }
  toNode(): { request: NodeServerRequest; response: NodeServerResponse } {
    return { request: this.#request, response: this.#response };
  }
}
