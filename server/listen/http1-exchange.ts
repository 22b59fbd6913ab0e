// A request of HTTP/1.1 as an Exchange.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Exchange } from "./exchange.js";
import type { NodeServerRequest, NodeServerResponse } from "./handler.js";

export class Http1Exchange implements Exchange {
  readonly httpVersion = 1;
  readonly resetCode: number = constants.NGHTTP2_CANCEL;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

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
  get body(): Readable {
    return this.#request;
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

  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers);
  }
  write(chunk: Uint8Array): boolean {
    return this.#response.write(chunk);
  }
  end(chunk?: Uint8Array, trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) this.#response.addTrailers(trailers as Record<string, string>);
    this.#response.end(chunk);
  }
  cut(): void {
    this.#response.destroy();
  }
  onClose(listener: () => void): void {
    this.#response.on("close", listener);
  }
  onDrain(listener: () => void): void {
    this.#response.once("drain", listener);
  }
  toNode(): { request: NodeServerRequest; response: NodeServerResponse } {
    return { request: this.#request, response: this.#response };
  }
}
