// A request of an HTTP/1.1 server of Node as an Exchange.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { type Body, type Exchange, noSniff, splitTarget } from "../../http/exchange.js";
import { checkHeaderBytes, checkHeaderSize, maxHeaderBytes } from "../../http/header.js";
import { peerOf } from "../../http/peer.js";
import type { PreparedHead } from "../../http/prepared-head.js";
import { loadOf } from "../connection-load.js";
import { type BodySource, NodeExchange } from "../node-exchange.js";

/** Up to here a body is cheaper to join to the text of the head, as Node does with text, than to write on its own. */
const maxTextLength = 16 * 1024;

export class NodeHttp1Exchange extends NodeExchange implements Exchange {
  readonly httpVersion = 1;
  readonly maxHeaderBytes: number = maxHeaderBytes;
  readonly resetCode: number = constants.NGHTTP2_CANCEL;
  readonly path: string;
  readonly query: string | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #hasWritten = false;

  constructor(request: BodySource<IncomingMessage>, response: ServerResponse) {
    super(request, request.complete, loadOf(request.socket));
    this.#request = request;
    this.#response = response;
    const { path, query } = splitTarget(request.url ?? "");
    this.path = path;
    this.query = query;
  }

  get method(): string {
    return this.#request.method ?? "";
  }
  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }
  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }
  get isHttp10(): boolean {
    return this.#request.httpVersionMinor === 0;
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
  get peer(): string {
    return peerOf(this.#request.socket);
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
    checkHeaderSize(this, headers, "headers");
    this.#response.writeHead(status, headers);
  }
  sendPreparedHead(head: PreparedHead): void {
    checkHeaderBytes(this, head.bytes, "headers");
    this.#response.writeHead(head.status, head.headers);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    this.sendHead(status, headers);
    this.#response.end();
  }
  write(chunk: Uint8Array): boolean {
    this.#hasWritten = true;
    const hasRoom = this.#response.write(chunk);
    if (!hasRoom) this.#response.once("drain", () => this.owner?.onDrain());
    return hasRoom;
  }
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) {
      checkHeaderSize(this, trailers, "trailers");
      this.#response.addTrailers(trailers as Record<string, string>);
    }
    if (chunk === undefined || this.#hasWritten || chunk.length > maxTextLength) {
      this.#response.end(chunk);
      return;
    }
    // A response that ends with a chunk writes to the socket twice, unless all of it has left before it ends.
    const { socket } = this.#request;
    socket.cork();
    this.#response.write(toLatin1(chunk), "latin1");
    socket.uncork();
    this.#response.end();
  }
  cut(): void {
    const { socket, httpVersionMinor } = this.#request;
    // In HTTP/1.0 the end of a response is the end of the connection, so only a reset says that it is incomplete.
    if (httpVersionMinor === 0 && isTcp(socket)) socket.resetAndDestroy();
    this.#response.destroy();
  }
  get unsentBytes(): number {
    return this.#response.closed ? 0 : this.#request.socket.writableLength;
  }
  /** Responds with 408 if nothing has been sent, and closes the connection. */
  endStalled(): void {
    if (this.isHeadSent) this.#request.socket.destroy();
    else {
      const headers = { ...this.refusalHeaders, ...noSniff, connection: "close", "content-length": 0 };
      this.#response.writeHead(408, headers).end();
    }
  }
}

/** Whether a socket can be reset. That of TLS and that of a Unix path cannot. */
function isTcp(socket: Socket): boolean {
  return !("encrypted" in socket) && socket.remoteAddress !== undefined;
}

/** A body as text of the encoding that the head has: each character is one byte. */
function toLatin1(body: Body): string {
  if (typeof body !== "string") return Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1");
  const isAscii = Buffer.byteLength(body) === body.length;
  return isAscii ? body : Buffer.from(body).toString("latin1");
}
