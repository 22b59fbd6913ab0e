// A stream of HTTP/2 as an Exchange, on Node's stream itself: the request and response objects of Node's compatibility
// layer cost as much again as the stream, and are made only where somebody asks for them.
import type { OutgoingHttpHeaders } from "node:http";
import { constants, Http2ServerRequest, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Exchange } from "./exchange.js";
import type { NodeServerRequest, NodeServerResponse } from "./handler.js";
import { Http2Response, stopUploadAfterAnswer } from "./http2.js";

const withTrailers = { waitForTrailers: true };

export class Http2Exchange implements Exchange {
  readonly httpVersion = 2;
  readonly headers: IncomingHttpHeaders;
  readonly #stream: ServerHttp2Stream;
  readonly #rawHeaders: readonly string[];
  #trailers: OutgoingHttpHeaders | undefined;
  #node: { request: NodeServerRequest; response: NodeServerResponse } | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.#stream = stream;
    this.headers = headers;
    this.#rawHeaders = rawHeaders;
  }

  get method(): string {
    return this.headers[":method"] ?? "";
  }
  get target(): string {
    return this.headers[":path"] ?? "";
  }
  get scheme(): "http" | "https" {
    return this.#stream.session?.encrypted === true ? "https" : "http";
  }
  get authority(): string {
    return this.headers[":authority"] ?? this.headers.host ?? "";
  }
  get socket(): Socket {
    return this.#stream.session?.socket as Socket;
  }
  get body(): Readable {
    return this.#stream;
  }
  get isHeadSent(): boolean {
    return this.#stream.headersSent;
  }
  get isClosed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
  get isFinished(): boolean {
    return this.#stream.writableFinished;
  }
  get resetCode(): number {
    return this.#stream.rstCode ?? constants.NGHTTP2_CANCEL;
  }

  sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void {
    // Node adds the date to the object it is given, so that it gets one of its own.
    this.#stream.respond({ ":status": status, ...headers }, hasTrailers === true ? withTrailers : undefined);
    if (hasTrailers === true) this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(this.#trailers ?? {}));
  }
  write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk);
  }
  end(chunk?: Uint8Array, trailers?: OutgoingHttpHeaders): void {
    this.#trailers = trailers;
    stopUploadAfterAnswer(this.#stream);
    this.#stream.end(chunk);
  }
  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
  onClose(listener: () => void): void {
    this.#stream.on("close", listener);
  }
  onDrain(listener: () => void): void {
    this.#stream.once("drain", listener);
  }
  toNode(): { request: NodeServerRequest; response: NodeServerResponse } {
    this.#node ??= {
      request: new Http2ServerRequest(this.#stream, this.headers, {}, this.#rawHeaders),
      response: new Http2Response(this.#stream),
    };
    return this.#node;
  }
}
