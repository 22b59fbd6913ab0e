// A request of HTTP/1.1 as an Exchange.
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Body, type Exchange, type ExchangeOwner, noSniff, statusHasBody, toBytes } from "../../http/exchange.js";
import { checkHeaderBytes, checkHeaderSize, maxHeaderBytes } from "../../http/header.js";
import { peerOf } from "../../http/peer.js";
import type { PreparedHead } from "../../http/prepared-head.js";
import type { RequestHead } from "../../http1/request-head.js";
import { formatFields, formatHead, type ResponseHead } from "../../http1/response-head.js";
import { ErrorCode } from "../../http2/errors.js";
import { type ConnectionLoad, type LoadingExchange, UploadWatch } from "../connection-load.js";
import { isTcp } from "../tcp-handle.js";
import type { KnownHead } from "./known-head.js";

/** What an exchange needs of its connection. */
export interface ExchangeConnection {
  readonly socket: Socket;
  readonly scheme: "http" | "https";
  readonly load: ConnectionLoad;
  /** The exchange reads its body from now on. */
  readBody(): void;
  /**
   * Returns the fields that say whether the connection ends with the response.
   *
   * @param closes whether it has to
   */
  describeEnd(head: RequestHead, closes: boolean): string;
  /** Sends text of which each character is one byte. */
  sendText(text: string): void;
  sendBytes(bytes: Uint8Array): void;
  /** Whether the client reads fast enough. If not, `onDrain` follows. */
  hasRoom(): boolean;
  /** All of the response was given to the connection. */
  endResponse(): void;
  /** Writes to the socket what was sent. */
  flush(): void;
}

/** How the client finds the end of the body. */
type Framing = "none" | "length" | "chunks" | "close";

export class Http1Exchange implements Exchange, LoadingExchange {
  readonly httpVersion = 1;
  readonly maxHeaderBytes: number = maxHeaderBytes;
  readonly resetCode: number = ErrorCode.cancel;
  place = -1;
  isHeadSent = false;
  isClosed = false;
  isFinished = false;
  /** Whether the handler reads the body. */
  isReading = false;
  refusalHeaders: Readonly<OutgoingHttpHeaders> | undefined = undefined;
  readonly #connection: ExchangeConnection;
  readonly #head: RequestHead;
  readonly #known: KnownHead;
  readonly #upload = new UploadWatch();
  #owner: ExchangeOwner | undefined;
  #isBodyEnded = false;
  #framing: Framing = "none";

  constructor(connection: ExchangeConnection, head: RequestHead, known: KnownHead) {
    this.#connection = connection;
    this.#head = head;
    this.#known = known;
    connection.load.begin(this);
  }

  get method(): string {
    return this.#head.method;
  }
  get scheme(): "http" | "https" {
    return this.#connection.scheme;
  }
  get authority(): string {
    return this.#known.authority;
  }
  get path(): string {
    return this.#known.path;
  }
  get query(): string | undefined {
    return this.#known.query;
  }
  get headers(): IncomingHttpHeaders {
    return this.#known.headers;
  }
  get rawHeaders(): readonly string[] {
    return this.#head.rawHeaders;
  }
  get isHttp10(): boolean {
    return this.#head.isHttp10;
  }
  get socket(): Socket {
    return this.#connection.socket;
  }
  get peer(): string {
    return peerOf(this.#connection.socket);
  }

  // The response

  sendHead(status: number, headers: OutgoingHttpHeaders): void {
    if (this.isClosed) return;
    checkHeaderSize(this, headers, "headers");
    this.#sendHead(status, formatHead(status, reasonOf(status), headers), false);
  }
  sendPreparedHead(head: PreparedHead): void {
    if (this.isClosed) return;
    checkHeaderBytes(this, head.bytes, "headers");
    this.#sendHead(head.status, preparedHeadOf(head), false);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    if (this.isClosed) return;
    checkHeaderSize(this, headers, "headers");
    this.#sendHead(status, formatHead(status, reasonOf(status), headers), true);
    this.#connection.endResponse();
  }
  #sendHead(status: number, head: ResponseHead, isWhole: boolean): void {
    const { text, hasDate, hasLength, closes } = head;
    const canHaveBody = this.method !== "HEAD" && statusHasBody(status);
    this.#framing = canHaveBody ? this.#framingOf(hasLength, isWhole) : "none";
    this.isHeadSent = true;
    const date = hasDate ? "" : currentDate();
    const end = this.#connection.describeEnd(this.#head, closes || this.#framing === "close");
    const framing = this.#framing === "chunks" ? "Transfer-Encoding: chunked\r\n" : "";
    const isLengthDue = this.#framing === "none" && !hasLength && this.method !== "HEAD" && !isBodiless(status);
    const noLength = isLengthDue ? "Content-Length: 0\r\n" : "";
    this.#connection.sendText(`${text}${date}${end}${framing}${noLength}\r\n`);
  }
  #framingOf(hasLength: boolean, isWhole: boolean): Framing {
    if (isWhole) return "none";
    if (hasLength) return "length";
    return this.isHttp10 ? "close" : "chunks";
  }
  write(chunk: Uint8Array): boolean {
    if (this.isClosed) return true;
    this.#sendBody(chunk);
    return this.#connection.hasRoom();
  }
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    let end = "";
    if (trailers !== undefined) {
      checkHeaderSize(this, trailers, "trailers");
      end = formatFields(trailers);
    }
    if (this.isClosed) return;
    if (chunk !== undefined) this.#sendBody(chunk);
    if (this.#framing === "chunks") this.#connection.sendText(`0\r\n${end}\r\n`);
    this.#connection.endResponse();
  }
  #sendBody(chunk: Body): void {
    const isChunk = this.#framing === "chunks";
    if (this.#framing === "none" || chunk.length === 0) return;
    if (typeof chunk === "string" && isAscii(chunk) && chunk.length <= maxTextLength) {
      this.#connection.sendText(isChunk ? `${chunk.length.toString(16)}\r\n${chunk}\r\n` : chunk);
      return;
    }
    const bytes = toBytes(chunk);
    if (isChunk) this.#connection.sendText(`${bytes.length.toString(16)}\r\n`);
    this.#connection.sendBytes(bytes);
    if (isChunk) this.#connection.sendText("\r\n");
  }
  cut(): void {
    if (this.isClosed) return;
    const { socket } = this.#connection;
    this.#connection.flush();
    // In HTTP/1.0 the end of a response is the end of the connection, so only a reset says that it is incomplete.
    if (this.isHttp10 && isTcp(socket) && !("encrypted" in socket)) socket.resetAndDestroy();
    else socket.destroy();
  }
  get unsentBytes(): number {
    return this.isClosed ? 0 : this.#connection.socket.writableLength;
  }
  /** Responds with 408 if nothing has been sent, and closes the connection. */
  endStalled(): void {
    if (this.isHeadSent) this.#connection.socket.destroy();
    else this.sendHeadOnly(408, { ...this.refusalHeaders, ...noSniff, connection: "close" });
  }

  // The request

  attach(owner: ExchangeOwner): void {
    this.#owner = owner;
  }
  read(): void {
    if (this.isReading || this.isClosed) return;
    this.isReading = true;
    this.#connection.readBody();
  }
  pause(): void {
    this.isReading = false;
  }
  hasStalledUpload(nowMs: number, stallMs: number): boolean {
    const isDue = !this.#isBodyEnded && this.isReading && this.#owner?.owesRest === true;
    return this.#upload.hasStalled(isDue, nowMs, stallMs);
  }

  // What the connection passes on

  onData(chunk: Buffer): void {
    this.#upload.receive(chunk.length);
    this.#owner?.onData(chunk);
  }
  onEnd(): void {
    this.#isBodyEnded = true;
    this.#owner?.onEnd();
  }
  onDrain(): void {
    this.#owner?.onDrain();
  }
  /** @param isFinished whether all of the response was sent */
  onClose(isFinished: boolean): void {
    const owner = this.#owner;
    this.isClosed = true;
    this.isFinished = isFinished;
    this.#connection.load.end(this);
    this.#owner = undefined;
    owner?.onClose();
  }
}

/** Up to here a body is cheaper to join to the text of the head than to write on its own. */
export const maxTextLength: number = 16 * 1024;

/** Whether a text has as many bytes as characters. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? "unknown";
}

/** Whether clients know that no body follows, without being told (RFC 9112 section 6.3). They do not for 205. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

const prepared = new WeakMap<PreparedHead, ResponseHead>();

function preparedHeadOf(head: PreparedHead): ResponseHead {
  const known = prepared.get(head);
  if (known !== undefined) return known;
  const formatted = formatHead(head.status, reasonOf(head.status), head.headers);
  prepared.set(head, formatted);
  return formatted;
}

let dateSecond = 0;
let dateLine = "";

/** Returns the line that says when a response was made, which is the same for a second. */
function currentDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}
