// One HTTP/2 connection to a server, from its socket to the end of its last call.
import type { Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectionListener } from "../../server/http2/connection-listener.js";
import { type ConnectionError, ErrorCode } from "../../server/http2/errors.js";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Field } from "../../server/http2/hpack/field.js";
import { type ConnectionLimits, defaultConnectionLimits } from "../../server/http2/limits.js";
import { SocketPump } from "../../server/http2/socket-pump.js";
import { StreamState } from "../../server/http2/stream-state.js";
import {
  copyError,
  errorOfConnection,
  errorOfGoaway,
  errorOfGoawayBefore,
  errorOfReset,
  errorOfSocket,
  type Goaway,
} from "./endings.js";
import { Keepalive, type KeepaliveOptions, startTimer } from "./keepalive.js";
import type { Request, RequestStream } from "./request.js";

/** What a server may do on a connection of ours. A server that is slow to read is no fault, so nothing ends a stall. */
const limits: ConnectionLimits = {
  ...defaultConnectionLimits,
  headerBytes: 256 * 1024,
  headerCount: 1000,
  headerBlockBytes: 256 * 1024,
  openingMs: 20_000,
  stallMs: 0,
};

export interface SessionOptions extends KeepaliveOptions {
  /** Milliseconds without a call after which the connection is closed. */
  readonly idleConnectionTimeoutMs: number;
  /** Milliseconds for the socket, the TLS handshake and the server's SETTINGS, all together. */
  readonly connectTimeoutMs: number;
  /** Calls what sends the frames of several calls together, soon: `process.nextTick`, `setImmediate`. */
  readonly schedule: (flush: () => void) => void;
}

export interface SessionListener {
  /**
   * The connection takes requests: the server has sent its SETTINGS. Before that it is not known how many streams it takes, or
   * whether it speaks HTTP/2 at all.
   */
  onReady(session: Session): void;
  /** The connection takes more requests than before. */
  onRoom(session: Session): void;
  /** The connection takes no more requests. Those that it has go on. */
  onLeaving(session: Session): void;
  /**
   * The server has surely not processed a request.
   *
   * @param isRefused by REFUSED_STREAM, where it was GOAWAY otherwise
   * @param error what the request fails with, if it is not sent again
   */
  onUnprocessed(request: Request, isRefused: boolean, error: ConnectError): void;
  /** The server has had too many PINGs. */
  onTooManyPings(): void;
  /** The connection has ended, and the calls that it had have failed with the error. The last call. */
  onEnd(session: Session, error: ConnectError): void;
}

export class Session implements ConnectionListener<Request> {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #listener: SessionListener;
  #pump: SocketPump<Request> | undefined;
  #keepalive: Keepalive | undefined;
  /** Streams that were opened. */
  #opened = 0;
  /** Streams that the end of the connection has closed. Their requests fail when it is known why. */
  #lost: Request[] = [];
  #isWanted = true;
  #isReferenced = true;
  /** Milliseconds of `performance.now` when the server's SETTINGS came. */
  #readyAt: number | undefined;
  #isVerifying = false;
  #isLeaving = false;
  #hasEnded = false;
  #goaway: Goaway | undefined;
  #socketError: Error | undefined;
  /** Why we end it. */
  #reason: ConnectError | undefined;
  #idleSince = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #openingTimer: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;

  /**
   * @param socket one that is connecting
   * @param readyEvent of the socket: "connect", or "secureConnect" with TLS
   */
  constructor(
    socket: Socket,
    readyEvent: "connect" | "secureConnect",
    options: SessionOptions,
    listener: SessionListener,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#listener = listener;
    socket.setNoDelay(true);
    socket.once(readyEvent, () => this.#start());
    socket.on("error", (error) => {
      this.#socketError ??= error;
    });
    socket.on("close", () => {
      this.#pump?.connection.close();
      this.#end(undefined);
    });
    this.#connectTimer = startTimer(() => this.#onConnectTimeout(), options.connectTimeoutMs);
  }

  /** Streams that were opened. */
  get opened(): number {
    return this.#opened;
  }

  /** Streams that are open. */
  get streamCount(): number {
    return this.#pump?.connection.streamCount ?? 0;
  }

  /** Whether all streams that the server allows are taken. */
  get isFull(): boolean {
    const connection = this.#pump?.connection;
    // A server that allows none does not do so on another connection.
    if (connection === undefined || connection.streamCount === 0) return false;
    return connection.streamCount >= connection.peer.maxConcurrentStreams;
  }

  /** Milliseconds for which it has taken requests. */
  get readyMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
  }

  /** Opens a stream for a request. Returns false if there is no room now. */
  open(request: Request): boolean {
    const connection = this.#pump?.connection;
    if (connection === undefined || this.#isLeaving || this.#isVerifying || !connection.canOpen) return false;
    if (this.#keepalive?.isDoubtful === true) {
      this.#isVerifying = true;
      this.#keepalive.ping();
      return false;
    }
    const stream = request.open(connection);
    if (stream === undefined) {
      // All ids have been used.
      this.leave();
      return false;
    }
    stream.owner = request;
    this.#opened++;
    if (connection.streamCount === 1) {
      this.#updateReference();
      this.#keepalive?.watch();
    }
    return true;
  }

  /** Says whether requests wait for the connection: it then keeps the process alive, as calls do. */
  want(isWanted: boolean): void {
    if (this.#isLeaving) return;
    this.#isWanted = isWanted;
    this.#updateReference();
  }

  /** Takes no more requests, and ends when those that it has have ended. */
  leave(): void {
    this.#leave();
    if (this.#pump === undefined) this.#socket.destroy();
    else this.#pump.connection.goaway();
  }

  /** Ends the connection. Its calls fail with the error. */
  close(reason: ConnectError): void {
    this.#reason ??= reason;
    const connection = this.#pump?.connection;
    if (connection === undefined || connection.isClosed) this.#socket.destroy();
    else connection.close(ErrorCode.noError);
  }

  // Events of the connection.

  onRequest(): void {}

  onResponse(stream: RequestStream, head: ResponseFields, hasBody: boolean): void {
    stream.owner?.onResponse(head, hasBody);
  }

  onData(stream: RequestStream, bytes: Uint8Array, start: number, end: number): void {
    stream.owner?.onData(bytes, start, end);
  }

  onTrailers(stream: RequestStream, trailers: readonly Field[]): void {
    stream.owner?.onTrailers(trailers);
  }

  onEnd(stream: RequestStream): void {
    const { owner } = stream;
    stream.owner = undefined;
    owner?.onEnd();
    // The rest of a request is of no use after its response.
    if (!stream.isClosed) this.#pump?.connection.reset(stream, ErrorCode.noError);
  }

  onDrain(stream: RequestStream): void {
    stream.owner?.onDrain();
  }

  onStreamClose(stream: RequestStream): void {
    const { owner } = stream;
    const isLost = this.#pump?.connection.isClosed === true;
    if (owner !== undefined) {
      if (isLost) this.#lost.push(owner);
      else if (stream.resetCode === ErrorCode.refusedStream) this.#onUnprocessed(owner, stream);
      else owner.onFail(errorOfReset(stream.resetCode ?? ErrorCode.noError, stream.fault));
    }
    if (isLost) return;
    if (this.#pump?.connection.streamCount === 0) {
      this.#idleSince = performance.now();
      this.#updateReference();
    }
    if (!this.#isLeaving) this.#listener.onRoom(this);
  }

  onSettings(): void {
    if (this.#readyAt !== undefined) {
      this.#listener.onRoom(this);
      return;
    }
    clearTimeout(this.#connectTimer);
    this.#readyAt = performance.now();
    this.#listener.onReady(this);
  }

  onPong(): void {
    this.#keepalive?.onPong();
    if (!this.#isVerifying) return;
    this.#isVerifying = false;
    this.#listener.onRoom(this);
  }

  onGoaway(errorCode: number, message: string): void {
    this.#goaway = { errorCode, message };
    if (errorCode === ErrorCode.enhanceYourCalm && message === "too_many_pings") this.#listener.onTooManyPings();
    this.#leave();
  }

  onClose(error: ConnectionError | undefined): void {
    this.#end(error);
    // A server that does not end its side is not waited for.
    startTimer(() => this.#socket.destroy(), limits.lingerMs);
  }

  #onUnprocessed(request: Request, { state, fault }: RequestStream): void {
    // RST_STREAM of the server would have closed the stream. We reset it for GOAWAY.
    const isRefused = state !== StreamState.reset;
    const error = isRefused ? errorOfReset(ErrorCode.refusedStream, fault) : errorOfGoawayBefore();
    this.#listener.onUnprocessed(request, isRefused, error);
  }

  #start(): void {
    const { idleConnectionTimeoutMs, pingIntervalMs, schedule } = this.#options;
    const now = () => performance.now();
    this.#pump = new SocketPump(this.#socket, { side: "client", limits, listener: this, now, schedule });
    if (pingIntervalMs < Number.POSITIVE_INFINITY) this.#watch();
    this.#openingTimer = startTimer(() => this.#pump?.tick(), limits.openingMs + 1);
    this.#idleSince = performance.now();
    this.#watchIdle(idleConnectionTimeoutMs);
  }

  #onConnectTimeout(): void {
    const { connectTimeoutMs } = this.#options;
    const missing = this.#pump === undefined ? "no connection" : "no SETTINGS of the server";
    this.#reason ??= new ConnectError(`${missing} within ${connectTimeoutMs} ms`, Code.Unavailable);
    this.#socket.destroy();
  }

  #watch(): void {
    this.#keepalive = new Keepalive(this.#options, {
      ping: () => this.#pump?.connection.ping(0),
      isBusy: () => this.#isBusy,
      onDead: () => {
        this.#reason ??= new ConnectError("PING timed out", Code.Unavailable);
        this.#socket.destroy();
      },
    });
    this.#socket.on("data", () => this.#keepalive?.onBytes());
  }

  get #isBusy(): boolean {
    return this.#isWanted || (this.#pump !== undefined && this.#pump.connection.streamCount > 0);
  }

  #watchIdle(ms: number): void {
    this.#idleTimer = startTimer(() => {
      const { idleConnectionTimeoutMs } = this.#options;
      if (this.#isBusy) {
        this.#watchIdle(idleConnectionTimeoutMs);
        return;
      }
      const restMs = this.#idleSince + idleConnectionTimeoutMs - performance.now();
      if (restMs > 0) {
        this.#watchIdle(Math.ceil(restMs));
        return;
      }
      this.leave();
    }, ms);
  }

  #updateReference(): void {
    const isReferenced = this.#isBusy;
    if (isReferenced === this.#isReferenced) return;
    this.#isReferenced = isReferenced;
    if (isReferenced) this.#socket.ref();
    else this.#socket.unref();
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#isWanted = false;
    this.#updateReference();
    this.#listener.onLeaving(this);
  }

  #end(error: ConnectionError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#idleTimer);
    // It would keep the connection for 20 s.
    clearTimeout(this.#openingTimer);
    this.#keepalive?.stop();
    this.#isLeaving = true;
    this.#isWanted = false;
    this.#updateReference();
    const reason = this.#errorOfEnd(error);
    const lost = this.#lost;
    this.#lost = [];
    for (const request of lost) request.onFail(copyError(reason));
    this.#listener.onEnd(this, reason);
  }

  #errorOfEnd(error: ConnectionError | undefined): ConnectError {
    if (this.#reason !== undefined) return this.#reason;
    if (error !== undefined) return errorOfConnection(error, this.#readyAt !== undefined);
    if (this.#goaway !== undefined && this.#goaway.errorCode !== ErrorCode.noError) return errorOfGoaway(this.#goaway);
    return errorOfSocket(this.#socketError);
  }
}
