// A request of HTTP/1.1 as an Exchange.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.js";
import type { NodeServerRequest, NodeServerResponse } from "./handler.js";
import { type BodySource, NodeExchange } from "./node-exchange.js";

/** Up to here a body is cheaper to copy into the string of the head than to write on its own. */
const maxTextBytes = 16 * 1024;

export class Http1Exchange extends NodeExchange implements Exchange {
  readonly httpVersion = 1;
  readonly resetCode: number = constants.NGHTTP2_CANCEL;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #hasWritten = false;

  constructor(request: BodySource<IncomingMessage>, response: ServerResponse) {
    super(request, request.complete);
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

  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers);
    this.#response.end();
  }
  write(chunk: Uint8Array): boolean {
    this.#hasWritten = true;
    const hasRoom = this.#response.write(chunk);
    if (!hasRoom) this.#response.once("drain", () => this.owner?.onDrain());
    return hasRoom;
  }
  end(chunk?: Uint8Array, trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) this.#response.addTrailers(trailers as Record<string, string>);
    if (chunk === undefined || this.#hasWritten || chunk.length > maxTextBytes) {
      this.#response.end(chunk);
      return;
    }
    // Node joins the head and a string in one write to the socket, but a head and bytes not.
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const { socket } = this.#request;
    socket.cork();
    this.#response.write(bytes.toString("latin1"), "latin1");
    // A socket that has nothing left to write when the response ends is not asked for a second write.
    socket.uncork();
    this.#response.end();
  }
  cut(): void {
    this.#response.destroy();
  }
  nodeRequest(): NodeServerRequest {
    this.preferStream();
    return this.#request;
  }
  nodeResponse(): NodeServerResponse {
    return this.#response;
  }
}
