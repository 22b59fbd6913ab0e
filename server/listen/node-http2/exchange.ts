// A stream of HTTP/2 as an Exchange, on Node's stream itself: the request and response objects of Node's compatibility
// layer would cost as much again as the stream.
import type { OutgoingHttpHeaders } from "node:http";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Clock } from "../../clock.js";
import { type Body, type Exchange, type ExchangeOwner, splitTarget } from "../../http/exchange.js";
import { checkHeaderBytes, checkHeaderSize } from "../../http/header.js";
import { peerOf } from "../../http/peer.js";
import type { PreparedHead } from "../../http/prepared-head.js";
import { loadOf } from "../connection-load.js";
import { type BodySource, exchangeKey, NodeExchange } from "../node-exchange.js";
import { socketOf } from "./session-end.js";
import { maxHeaderBytesOf, resetWithError, stopUploadAfterAnswer } from "./stream-end.js";

type Stream = BodySource<ServerHttp2Stream> & { [exchangeKey]?: NodeHttp2Exchange | undefined };

const withTrailers = { waitForTrailers: true };
const withoutBody = { endStream: true };
const pseudoHeaders = [":method", ":scheme", ":authority", ":path", ":protocol"] as const;

export class NodeHttp2Exchange extends NodeExchange implements Exchange {
  readonly httpVersion = 2;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly peer: string;
  readonly #stream: Stream;
  readonly #clock: Clock;
  trailers: OutgoingHttpHeaders | undefined;

  /** @param headers those of the stream, out of which the pseudo-headers are taken */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, clock: Clock) {
    const socket = socketOf(stream.session);
    super(stream, stream.endAfterHeaders, loadOf(socket));
    this.#stream = stream;
    this.#clock = clock;
    this.#stream.push = push;
    const { ":path": target = "", ":method": method = "", ":authority": authority = headers.host ?? "" } = headers;
    const { path, query } = splitTarget(target);
    this.method = method;
    this.authority = authority;
    this.path = path;
    this.query = query;
    this.headers = headers;
    const connection = socket ?? stream.session?.socket;
    this.peer = connection === undefined ? "" : peerOf(connection);
    for (const name of pseudoHeaders) delete headers[name];
    stream.on("close", onClose);
  }

  get scheme(): "http" | "https" {
    return this.#stream.session?.encrypted === true ? "https" : "http";
  }
  get socket(): Socket {
    return this.#stream.session?.socket as Socket;
  }
  get isHeadSent(): boolean {
    return this.#stream.headersSent;
  }
  get isClosed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
  get isFinished(): boolean {
    const { writableEnded, writableLength, rstCode } = this.#stream;
    // Not `writableFinished`: Node may close a stream before it says so.
    return writableEnded && writableLength === 0 && rstCode === constants.NGHTTP2_NO_ERROR;
  }
  get maxHeaderBytes(): number {
    return maxHeaderBytesOf(this.#stream);
  }
  get resetCode(): number {
    // Node invents codes for the streams of a lost connection.
    const isConnectionLost = this.#stream.session === undefined || this.#stream.session.destroyed;
    return isConnectionLost ? constants.NGHTTP2_CANCEL : (this.#stream.rstCode ?? constants.NGHTTP2_CANCEL);
  }

  override attach(owner: ExchangeOwner): void {
    super.attach(owner);
    // An empty body may have ended already.
    this.hearEnd();
  }
  override endBody(): void {
    // Node also emits "end" for an aborted body.
    if (!this.#stream.aborted) super.endBody();
  }
  sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void {
    // Node throws if the client is gone.
    if (this.isClosed) return;
    checkHeaderSize(this, headers, "headers");
    this.#respond({ ":status": status, ...headers }, hasTrailers);
  }
  sendPreparedHead(head: PreparedHead, hasTrailers?: boolean): void {
    if (this.isClosed) return;
    checkHeaderBytes(this, head.bytes, "headers");
    this.#respond(head.http2, hasTrailers);
  }
  #respond(head: OutgoingHttpHeaders, hasTrailers: boolean | undefined): void {
    this.#stream.respond(head, hasTrailers === true ? withTrailers : undefined);
    if (hasTrailers === true) this.#stream.on("wantTrailers", onWantTrailers);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    checkHeaderSize(this, headers, "headers");
    this.#stopUpload();
    this.#stream.respond({ ":status": status, ...headers }, withoutBody);
  }
  write(chunk: Uint8Array): boolean {
    if (!this.#checkRoom(chunk.length)) return true;
    const hasRoom = this.#stream.write(chunk);
    if (!hasRoom) this.#stream.once("drain", onDrain);
    return hasRoom;
  }
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    if (trailers !== undefined) checkHeaderSize(this, trailers, "trailers");
    if (chunk !== undefined && !this.#checkRoom(chunk.length)) return;
    this.trailers = trailers;
    this.#stopUpload();
    this.#stream.end(chunk);
  }
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }
  endStalled(): void {
    resetWithError(this.#stream, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
  /** Resets the stream if too much waits on its connection already. */
  #checkRoom(chunkBytes: number): boolean {
    if (this.hasRoomFor(chunkBytes)) return true;
    this.endStalled();
    return false;
  }
  #stopUpload(): void {
    if (this.isBodyEnded) return;
    this.readFromStream();
    stopUploadAfterAnswer(this.#stream, this.#clock);
  }
  cut(): void {
    resetWithError(this.#stream);
  }
}

/** Replaces the `push` of a stream. */
function push(this: Stream, chunk: Buffer | null): boolean {
  const taker = this[exchangeKey];
  // Node handles the end of an aborted body.
  if (this.closed || !taker?.takesPushed()) return Readable.prototype.push.call(this, chunk);
  const goesOn = taker.take(chunk);
  // Otherwise Node keeps the stream until its readable side ends.
  if (chunk === null) this.readable = false;
  return goesOn;
}

function onDrain(this: Stream): void {
  this[exchangeKey]?.owner?.onDrain();
}

function onWantTrailers(this: Stream): void {
  try {
    this.sendTrailers(this[exchangeKey]?.trailers ?? {});
  } catch {
    // Node rejects the trailers.
    resetWithError(this);
  }
}

/** Node retains closed streams for a while, so drop our reference right away. */
function onClose(this: Stream): void {
  const closed = this[exchangeKey];
  this[exchangeKey] = undefined;
  closed?.close();
}
