// A stream of HTTP/2 as an Exchange.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { type Body, type Exchange, type ExchangeOwner, statusHasBody, toBytes } from "../../http/exchange.js";
import { checkHeaderBytes, checkHeaderSize, maxHeaderBytes } from "../../http/header.js";
import { peerOf } from "../../http/peer.js";
import type { PreparedHead } from "../../http/prepared-head.js";
import type { Connection } from "../../http2/connection.js";
import { ErrorCode } from "../../http2/errors.js";
import type { Fields } from "../../http2/frame/frame-writer.js";
import { PreparedFields } from "../../http2/hpack/encoder.js";
import type { Stream } from "../../http2/stream.js";
import { type ConnectionLoad, type LoadingExchange, UploadWatch } from "../connection-load.js";
import { currentDate, toFields } from "./headers.js";
import type { KnownHead } from "./known-head.js";

/** What the exchanges of a connection share. */
export interface ExchangeConnection {
  readonly connection: Connection<Http2Exchange>;
  readonly socket: Socket;
  readonly scheme: "http" | "https";
  readonly load: ConnectionLoad;
}

const nothing = new Uint8Array(0);

/** Maximum size of headers, and of trailers, of which a client has announced that it takes them. */
const maxAnnouncedBytes = 1024 * 1024;

export class Http2Exchange implements Exchange, LoadingExchange {
  readonly httpVersion = 2;
  place = -1;
  isClosed = false;
  isFinished = false;
  readonly #shared: ExchangeConnection;
  readonly #stream: Stream<Http2Exchange>;
  readonly #head: KnownHead;
  readonly #body: RequestBody;

  constructor(shared: ExchangeConnection, stream: Stream<Http2Exchange>, head: KnownHead) {
    this.#shared = shared;
    this.#stream = stream;
    this.#head = head;
    this.#body = new RequestBody(shared.connection, stream);
    shared.load.begin(this);
  }

  get method(): string {
    return this.#head.method;
  }
  get scheme(): "http" | "https" {
    return this.#shared.scheme;
  }
  get authority(): string {
    return this.#head.authority;
  }
  get path(): string {
    return this.#head.path;
  }
  get query(): string | undefined {
    return this.#head.query;
  }
  get headers(): IncomingHttpHeaders {
    return this.#head.headers;
  }
  get socket(): Socket {
    return this.#shared.socket;
  }
  get peer(): string {
    return peerOf(this.#shared.socket);
  }
  get isHeadSent(): boolean {
    return this.#stream.isHeadSent;
  }
  get resetCode(): number {
    return this.#stream.resetCode ?? ErrorCode.noError;
  }
  get maxHeaderBytes(): number {
    const announced = this.#shared.connection.peer.maxHeaderListBytes;
    return announced === Number.POSITIVE_INFINITY ? maxHeaderBytes : Math.min(announced, maxAnnouncedBytes);
  }

  // The response

  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    if (this.isClosed) return;
    checkHeaderSize(this, headers, "headers");
    this.#sendHead(toFields(status, headers), "date" in headers, this.#hasNoBody(status));
  }
  sendPreparedHead(head: PreparedHead): void {
    if (this.isClosed) return;
    checkHeaderBytes(this, head.bytes, "headers");
    this.#sendHead(preparedFieldsOf(head), "date" in head.headers, this.#hasNoBody(head.status));
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    if (this.isClosed) return;
    checkHeaderSize(this, headers, "headers");
    this.#sendHead(toHeadOnly(status, headers), "date" in headers, true);
  }
  #sendHead(fields: Fields, hasDate: boolean, isEnd: boolean): void {
    this.#shared.connection.sendHead(this.#stream, fields, isEnd, hasDate ? undefined : currentDate());
  }
  #hasNoBody(status: number): boolean {
    return this.#head.method === "HEAD" || !statusHasBody(status);
  }
  write(chunk: Uint8Array): boolean {
    if (this.isClosed || !this.#checkRoom(chunk.length)) return true;
    return this.#shared.connection.sendData(this.#stream, chunk, false);
  }
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    const { connection } = this.#shared;
    const fields = trailers === undefined ? undefined : this.#toTrailers(trailers);
    if (this.isClosed) return;
    const bytes = chunk === undefined ? nothing : toBytes(chunk);
    if (!this.#checkRoom(bytes.length)) return;
    if (fields === undefined) {
      connection.sendData(this.#stream, bytes, true);
      return;
    }
    if (bytes.length > 0) connection.sendData(this.#stream, bytes, false);
    connection.sendTrailers(this.#stream, fields);
  }
  /** Resets the stream if HTTP/2 does not allow the trailers. @throws HeaderSizeError */
  #toTrailers(trailers: OutgoingHttpHeaders): Fields | undefined {
    const known = preparedTrailers.get(trailers);
    if (known !== undefined) return known;
    checkHeaderSize(this, trailers, "trailers");
    try {
      return prepareTrailers(trailers);
    } catch {
      this.cut();
      return undefined;
    }
  }
  cut(): void {
    this.#shared.connection.reset(this.#stream, ErrorCode.internalError);
  }
  get unsentBytes(): number {
    return this.#stream.waitingBytes;
  }
  endStalled(): void {
    this.#shared.connection.reset(this.#stream, ErrorCode.enhanceYourCalm);
  }
  /** Resets the stream if too much waits on its connection already. */
  #checkRoom(chunkBytes: number): boolean {
    if (this.#shared.load.hasRoomFor(chunkBytes)) return true;
    this.endStalled();
    return false;
  }

  // The request

  attach(owner: ExchangeOwner): void {
    this.#body.owner = owner;
  }
  read(): void {
    this.#body.read();
  }
  pause(): void {
    this.#body.pause();
  }
  hasStalledUpload(nowMs: number, stallMs: number): boolean {
    return this.#body.hasStalled(nowMs, stallMs);
  }

  // What the session passes on

  onData(chunk: Buffer): void {
    this.#body.take(chunk);
  }
  onEnd(): void {
    this.#body.end();
  }
  onDrain(): void {
    this.#body.owner?.onDrain();
  }
  onClose(): void {
    this.isClosed = true;
    this.isFinished = this.#stream.resetCode === undefined;
    this.#shared.load.end(this);
    this.#body.close()?.onClose();
  }
}

/** Chunks that may wait before they are joined: a client that sends single bytes must not make us hold an object for each. */
const maxHeldChunks = 64;

/** The body of a request, on its way to the owner of the exchange. What it does not read yet keeps the window closed. */
class RequestBody {
  owner: ExchangeOwner | undefined;
  readonly #connection: Connection<Http2Exchange>;
  readonly #stream: Stream<Http2Exchange>;
  readonly #upload = new UploadWatch();
  #isReading = false;
  /** Whether all of the body has come, and whether the owner knows. */
  #hasEnded = false;
  #isEndTold = false;
  /** What has come and was not read, if anything. */
  #held: Buffer[] | undefined;
  #isDeliveryDue = false;

  constructor(connection: Connection<Http2Exchange>, stream: Stream<Http2Exchange>) {
    this.#connection = connection;
    this.#stream = stream;
  }

  read(): void {
    this.#isReading = true;
    if (this.#held !== undefined || this.#hasEnded) this.#deliverSoon();
  }

  pause(): void {
    this.#isReading = false;
  }

  take(chunk: Buffer): void {
    this.#upload.receive(chunk.length);
    if (this.#isReading && !this.#isDeliveryDue) {
      this.#pass(chunk);
      return;
    }
    this.#held ??= [];
    if (this.#held.length >= maxHeldChunks) this.#held = [Buffer.concat(this.#held)];
    this.#held.push(chunk);
  }

  end(): void {
    this.#hasEnded = true;
    if (this.#isReading && !this.#isDeliveryDue) this.#tellEnd();
  }

  /** Lets go of all. Returns the owner. */
  close(): ExchangeOwner | undefined {
    const { owner } = this;
    this.owner = undefined;
    this.#held = undefined;
    return owner;
  }

  hasStalled(nowMs: number, stallMs: number): boolean {
    const isDue = !this.#hasEnded && this.#isReading && this.owner?.owesRest === true;
    return this.#upload.hasStalled(isDue, nowMs, stallMs);
  }

  /** Not from within `read`, whose caller does not expect what follows yet. */
  #deliverSoon(): void {
    if (this.#isDeliveryDue) return;
    this.#isDeliveryDue = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    const held = this.#held ?? [];
    let next = 0;
    while (this.#isReading && next < held.length) this.#pass(held[next++] as Buffer);
    this.#held = next < held.length ? held.slice(next) : undefined;
    this.#isDeliveryDue = false;
    if (this.#isReading && this.#hasEnded) this.#tellEnd();
  }

  #pass(chunk: Buffer): void {
    this.#connection.consume(this.#stream, chunk.length);
    this.owner?.onData(chunk);
  }

  #tellEnd(): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.owner?.onEnd();
  }
}

const prepared = new WeakMap<PreparedHead, PreparedFields>();

function preparedFieldsOf(head: PreparedHead): PreparedFields {
  const known = prepared.get(head);
  if (known !== undefined) return known;
  const fields = new PreparedFields(toFields(head.status, head.headers));
  prepared.set(head, fields);
  return fields;
}

/** Heads that are frozen come again, with the same status. */
const preparedHeads = new WeakMap<OutgoingHttpHeaders, PreparedFields>();

function toHeadOnly(status: number, headers: OutgoingHttpHeaders): Fields {
  const known = preparedHeads.get(headers);
  if (known !== undefined) return known;
  const fields = toFields(status, headers);
  if (!Object.isFrozen(headers)) return fields;
  const made = new PreparedFields(fields);
  preparedHeads.set(headers, made);
  return made;
}

/** Trailers that are frozen come again. */
const preparedTrailers = new WeakMap<OutgoingHttpHeaders, PreparedFields>();

function prepareTrailers(trailers: OutgoingHttpHeaders): Fields {
  const fields = toFields(undefined, trailers);
  if (!Object.isFrozen(trailers)) return fields;
  const made = new PreparedFields(fields);
  preparedTrailers.set(trailers, made);
  return made;
}
