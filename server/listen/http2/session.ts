// One connection of HTTP/2: a socket, the protocol on it, and the exchanges of its streams.
import type { Socket } from "node:net";
import type { Clock } from "../../clock.js";
import type { Counters, Refusal } from "../../counters.js";
import type { Connection } from "../../http2/connection.js";
import type { ConnectionListener } from "../../http2/connection-listener.js";
import { type ConnectionError, ErrorCode } from "../../http2/errors.js";
import type { RequestFields } from "../../http2/field-rules.js";
import { createField } from "../../http2/hpack/field.js";
import type { ConnectionLimits } from "../../http2/limits.js";
import { SocketPump } from "../../http2/socket-pump.js";
import type { Stream } from "../../http2/stream.js";
import { StreamState } from "../../http2/stream-state.js";
import type { Retirable } from "../connection-ages.js";
import type { ConnectionLoad } from "../connection-load.js";
import type { Report } from "../report.js";
import type { OnRequest } from "../well-formed.js";
import { type ExchangeConnection, Http2Exchange } from "./exchange.js";
import { knownHeadOf } from "./known-head.js";

/** What the sessions of a server share. */
export interface SessionSetup {
  readonly limits: ConnectionLimits;
  /** Milliseconds without a byte of the client after which it is asked whether it is there, and as long again to reply. */
  readonly probeMs: number;
  readonly clock: Clock;
  readonly onRequest: OnRequest;
  readonly report: Report;
  readonly counters: Counters;
}

/** The refusals that have an error code of their own. */
const refusals: Readonly<Record<number, Refusal>> = {
  [ErrorCode.enhanceYourCalm]: "flood",
  [ErrorCode.settingsTimeout]: "opening_timeout",
  [ErrorCode.inadequateSecurity]: "tls_handshake",
};

const goOn = [createField(":status", "100")];

export class Session implements ConnectionListener<Http2Exchange>, ExchangeConnection, Retirable {
  readonly socket: Socket;
  readonly scheme: "http" | "https";
  readonly load: ConnectionLoad;
  readonly #setup: SessionSetup;
  readonly #pump: SocketPump<Http2Exchange>;
  #bytesRead = 0;
  #quietSince: number;
  #isAsked = false;

  constructor(socket: Socket, load: ConnectionLoad, setup: SessionSetup) {
    this.socket = socket;
    this.scheme = "encrypted" in socket ? "https" : "http";
    this.load = load;
    this.#setup = setup;
    this.#quietSince = setup.clock.now();
    this.#pump = new SocketPump(socket, {
      side: "server",
      limits: setup.limits,
      listener: this,
      now: () => setup.clock.now(),
      schedule: process.nextTick,
    });
  }

  get connection(): Connection<Http2Exchange> {
    return this.#pump.connection;
  }

  retire(): void {
    this.connection.goaway();
  }

  /** To be called about once a second until the socket is closed. */
  tick(): void {
    const now = this.#setup.clock.now();
    this.#pump.tick();
    if (this.#bytesRead !== this.socket.bytesRead) {
      this.#bytesRead = this.socket.bytesRead;
      this.#quietSince = now;
      this.#isAsked = false;
    } else if (now - this.#quietSince >= this.#setup.probeMs) {
      if (this.#isAsked) {
        this.#setup.counters.refuse("unresponsive");
        this.socket.destroy();
      } else this.connection.ping(0);
      this.#quietSince = now;
      this.#isAsked = true;
    }
  }

  onRequest(stream: Stream<Http2Exchange>, head: RequestFields): void {
    const known = knownHeadOf(head);
    if (known.headers.expect === "100-continue") this.connection.sendInformational(stream, goOn);
    const exchange = new Http2Exchange(this, stream, known);
    stream.owner = exchange;
    this.#setup.onRequest(exchange, known.fault);
  }
  onData({ owner }: Stream<Http2Exchange>, bytes: Uint8Array, start: number, end: number): void {
    owner?.onData(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start));
  }
  onTrailers(): void {}
  onEnd({ owner }: Stream<Http2Exchange>): void {
    owner?.onEnd();
  }
  onDrain({ owner }: Stream<Http2Exchange>): void {
    owner?.onDrain();
  }
  onStreamClose({ owner, resetCode, state }: Stream<Http2Exchange>): void {
    // The end of the connection is no reset of its streams.
    if (resetCode !== undefined && !this.connection.isClosed) {
      this.#setup.counters.resets[state === StreamState.reset ? "server" : "client"]++;
    }
    owner?.onClose();
  }
  onClose(error: ConnectionError | undefined): void {
    if (error === undefined) return;
    this.#setup.counters.refuse(refusals[error.code] ?? "http2_protocol");
    this.#setup.report(error, "http/2");
  }
  onResponse(): void {}
  onSettings(): void {}
  onPong(): void {}
  onGoaway(): void {}

  /** Refuses a connection whose cipher suite HTTP/2 does not allow. */
  refuseCipher(name: string): void {
    this.connection.close(ErrorCode.inadequateSecurity, `cipher suite ${name} is not allowed in HTTP/2`);
  }
}
