// One connection of HTTP/1.1: a socket, the requests on it one after the other, and its end.
import type { Socket } from "node:net";
import type { Clock } from "../../clock.js";
import type { Counters, Refusal } from "../../counters.js";
import { type BodyReader, createBodyReader } from "../../http1/body-reader.js";
import { RequestError } from "../../http1/errors.js";
import { HeadReader } from "../../http1/head-reader.js";
import { Input } from "../../http1/input.js";
import type { RequestHead } from "../../http1/request-head.js";
import type { Retirable } from "../connection-ages.js";
import type { ConnectionLoad } from "../connection-load.js";
import type { ListenLimits } from "../limits.js";
import type { Report } from "../report.js";
import type { OnRequest } from "../well-formed.js";
import { type ExchangeConnection, Http1Exchange, maxTextLength } from "./exchange.js";
import { knownHeadOf } from "./known-head.js";
import { endAndDiscard } from "./linger.js";
import { formatRefusal } from "./refusal.js";

/** What the connections of a server share. */
export interface ConnectionSetup {
  readonly limits: ListenLimits;
  readonly clock: Clock;
  readonly onRequest: OnRequest;
  readonly report: Report;
  readonly counters: Counters;
  /** Milliseconds after which an idle connection ends, or 0. */
  readonly idleMs: number;
  /** Fields of a response after which the connection stays open. */
  readonly keepAliveLines: string;
  /** Whether each connection ends after the calls that it has. */
  readonly isDraining: () => boolean;
  /** Whether one without a call ends at once. */
  readonly isGraceOver: () => boolean;
}

/** Up to here the rest of an unread body is read and thrown away, and the connection lives on. */
const shortBodyBytes = 64 * 1024;
/** What is held of a body that the handler does not read. Then the client has to wait. */
const heldBytes = 64 * 1024;
/**
 * What is held of requests that follow the present one. The client does not have to wait, because a socket that is not read
 * does not tell that its client has left.
 */
const pipelinedBytes = 1024 * 1024;

const connectionKey: unique symbol = Symbol("HTTP/1.1");
type ServedSocket = Socket & { [connectionKey]?: Http1Connection };

export class Http1Connection implements ExchangeConnection, Retirable {
  readonly socket: Socket;
  readonly scheme: "http" | "https";
  readonly load: ConnectionLoad;
  readonly #setup: ConnectionSetup;
  readonly #input = new Input();
  readonly #heads: HeadReader;
  /** The request whose response is not complete. The next one is not looked at before. */
  #exchange: Http1Exchange | undefined;
  /** The body that is read, or thrown away if there is no exchange. */
  #body: BodyReader | undefined;
  /** Whether the client waits for a word before it sends the body. */
  #isContinueDue = false;
  #isAdvancing = false;
  #isPaused = false;
  #isRetired = false;
  /** Whether the connection ends with the response. */
  #isLast = false;
  #isResponseEnded = false;
  /** Whether nothing that comes is a request any more. */
  #isEnding = false;
  #hasServed = false;
  /** When the present request began to come, or the last response left. */
  #since: number;
  /** What leaves together. Each character is one byte. */
  #text = "";
  #isCorked = false;
  #isFlushDue = false;
  readonly #onWritten = (): void => this.#completeIfSent();

  constructor(socket: ServedSocket, load: ConnectionLoad, setup: ConnectionSetup) {
    this.socket = socket;
    this.scheme = "encrypted" in socket ? "https" : "http";
    this.load = load;
    this.#setup = setup;
    this.#heads = new HeadReader(setup.limits.headerBytes);
    this.#since = setup.clock.now();
    socket[connectionKey] = this;
    socket.on("data", onData).on("drain", onDrain).on("end", onEnd).on("close", onClose);
  }

  /** Whether no call runs. */
  get isIdle(): boolean {
    return this.#exchange === undefined;
  }

  /** The next response is the last one. An idle connection stays until then: a request may be on its way. */
  retire(): void {
    this.#isRetired = true;
  }

  /** To be called about once a second until the socket is closed. */
  tick(): void {
    if (this.#isEnding) return;
    const { limits, clock, idleMs } = this.#setup;
    const { headersMs, requestMs } = limits;
    const ms = clock.now() - this.#since;
    if (this.#exchange !== undefined) {
      const isDue = requestMs !== 0 && this.#body !== undefined;
      if (isDue && ms >= requestMs) this.#refuse(tooSlow("request", requestMs), "request_timeout");
    } else if (this.#hasServed && (this.#input.length === 0 || this.#body !== undefined)) {
      if (idleMs !== 0 && ms >= idleMs) this.socket.destroy();
    } else if (ms >= headersMs) this.#refuse(tooSlow("headers", headersMs), "request_timeout");
  }

  // The requests

  receive(chunk: Buffer): void {
    if (this.#isEnding) return;
    if (this.#input.length === 0 && this.isIdle && this.#hasServed) this.#since = this.#setup.clock.now();
    this.#input.append(chunk);
    this.#advance();
  }

  readBody(): void {
    if (this.#isContinueDue && this.#input.length === 0 && this.#exchange?.isHeadSent === false) {
      this.#isContinueDue = false;
      this.sendText("HTTP/1.1 100 Continue\r\n\r\n");
    }
    // Not from within `read`, whose caller does not expect what follows yet.
    if (!this.#isAdvancing && this.#body !== undefined) queueMicrotask(() => this.#advance());
  }

  /** Reads on as far as bytes, the handler and the order of responses allow. */
  #advance(): void {
    if (this.#isAdvancing || this.#isEnding) return;
    this.#isAdvancing = true;
    try {
      while (this.#step());
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#refuse(error, "malformed_request");
    } finally {
      this.#isAdvancing = false;
    }
    this.#limitHeld();
  }

  /** Returns whether there may be more to do. */
  #step(): boolean {
    if (this.#isEnding) return false;
    if (this.#body !== undefined) return this.#readBody(this.#body, this.#exchange);
    if (this.#exchange !== undefined || this.#input.length === 0) return false;
    const head = this.#heads.read(this.#input);
    if (head === undefined) return false;
    this.#begin(head);
    return true;
  }

  #begin(head: RequestHead): void {
    const { limits, onRequest } = this.#setup;
    const known = knownHeadOf(head, limits.headerCount);
    this.#body = createBodyReader(head.bodyBytes, limits.headerBytes);
    this.#isContinueDue = head.expectation === "100-continue" && head.bodyBytes > 0;
    this.#exchange = new Http1Exchange(this, head, known);
    onRequest(this.#exchange, known.fault);
  }

  #readBody(body: BodyReader, exchange: Http1Exchange | undefined): boolean {
    if (exchange?.isReading === false) return false;
    const part = body.next(this.#input);
    if (part === undefined && !body.isEnded) return false;
    this.#isContinueDue = false;
    if (part !== undefined) {
      exchange?.onData(part);
      return true;
    }
    this.#body = undefined;
    exchange?.onEnd();
    return true;
  }

  #limitHeld(): void {
    if (this.#isEnding) return;
    const isWaiting = this.#exchange !== undefined;
    const isOfBody = (this.#body?.leftBytes ?? 0) > 0;
    const { length } = this.#input;
    if (isWaiting && !isOfBody && length > pipelinedBytes) {
      this.#refuse(new RequestError(400, "too many pipelined requests"), "flood");
      return;
    }
    const isFull = isWaiting && isOfBody && length >= heldBytes;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  // The responses

  describeEnd(head: RequestHead, closes: boolean): string {
    this.#isLast = closes || !head.keepsAlive || this.#isLastCall() || this.#isLongBodyLeft();
    return this.#isLast ? "Connection: close\r\n" : this.#setup.keepAliveLines;
  }

  #isLastCall(): boolean {
    return (this.#isRetired || this.#setup.isDraining()) && !this.#hasNext();
  }

  /** Whether something follows the present request. */
  #hasNext(): boolean {
    return this.#input.length > (this.#body?.leftBytes ?? 0);
  }

  /** Whether much of the body is to come, or it is not known whether it comes. */
  #isLongBodyLeft(): boolean {
    return this.#isContinueDue || (this.#body?.leftBytes ?? 0) - this.#input.length > shortBodyBytes;
  }

  sendText(text: string): void {
    this.#text += text;
    if (this.#text.length >= maxTextLength) this.#writeText();
    this.#flushSoon();
  }

  sendBytes(bytes: Uint8Array): void {
    if (bytes.length <= maxTextLength) {
      this.sendText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"));
      return;
    }
    if (!this.#isCorked) this.socket.cork();
    this.#isCorked = true;
    this.#writeText();
    if (this.socket.writable) this.socket.write(bytes, this.#onWritten);
    this.#flushSoon();
  }

  hasRoom(): boolean {
    return !this.socket.writableNeedDrain;
  }

  endResponse(): void {
    this.#isResponseEnded = true;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(flush, this);
  }

  flush(): void {
    this.#isFlushDue = false;
    this.#writeText();
    if (this.#isCorked) this.socket.uncork();
    this.#isCorked = false;
    this.#completeIfSent();
  }

  #writeText(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "" && this.socket.writable) this.socket.write(text, "latin1", this.#onWritten);
  }

  #completeIfSent(): void {
    const { socket } = this;
    if (!this.#isResponseEnded || this.#text !== "" || socket.writableLength > 0 || socket.destroyed) return;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#isResponseEnded = false;
    this.#hasServed = true;
    this.#since = this.#setup.clock.now();
    exchange?.onClose(true);
    if (this.#isLast || (this.#setup.isGraceOver() && !this.#hasNext())) this.#end();
    else this.#advance();
  }

  drain(): void {
    if (!this.#isResponseEnded) this.#exchange?.onDrain();
  }

  // The end

  /** Responds to what cannot be served, and ends the connection. */
  #refuse(error: RequestError, reason: Refusal): void {
    const { counters, report } = this.#setup;
    counters.refuse(reason);
    report(error, "http/1.1");
    const exchange = this.#exchange;
    const refusal = formatRefusal(error.status, exchange?.refusalHeaders);
    if (exchange === undefined || this.#isResponseEnded) {
      this.#end(refusal);
      return;
    }
    // The input belongs to the request that is being served. Its handler sees the connection close.
    this.#isEnding = true;
    this.#input.clear();
    if (!exchange.isHeadSent) this.#text += refusal;
    this.flush();
    this.socket.end(() => this.socket.destroy());
  }

  /** Ends our side, after a last response. What still comes is thrown away. */
  #end(last = ""): void {
    this.#isEnding = true;
    this.#input.clear();
    this.#text += last;
    this.#writeText();
    endAndDiscard(this.socket, this.#setup.limits);
  }

  /** The client has ended its side: it is gone, for all that HTTP/1.1 can tell. */
  endInput(): void {
    if (this.#isEnding) return;
    const { length } = this.#input;
    const isMidway = this.#body === undefined ? this.isIdle && length > 0 : this.#body.leftBytes > length;
    if (isMidway) {
      this.#refuse(new RequestError(400, "the connection has ended within a request"), "malformed_request");
      return;
    }
    this.#isEnding = true;
    this.flush();
    this.socket.end();
  }

  close(): void {
    this.#isEnding = true;
    this.#input.clear();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onClose(false);
  }
}

// Functions that all sockets share. A closure for each would take a good part of the memory of an idle connection.

function onData(this: ServedSocket, chunk: Buffer): void {
  this[connectionKey]?.receive(chunk);
}

function onDrain(this: ServedSocket): void {
  this[connectionKey]?.drain();
}

function onEnd(this: ServedSocket): void {
  this[connectionKey]?.endInput();
}

function onClose(this: ServedSocket): void {
  this[connectionKey]?.close();
}

function flush(connection: Http1Connection): void {
  connection.flush();
}

function tooSlow(what: string, ms: number): RequestError {
  return new RequestError(408, `${what}: expected within ${ms} ms`);
}
