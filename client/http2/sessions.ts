// The connections of one transport: one that takes calls, opened when it is needed, and those that are ending. Calls for
// which the server has no room wait in their order.
import type { Socket } from "node:net";
import type { ConnectError } from "@connectrpc/connect";
import { copyError } from "./endings.js";
import { Repeats } from "./repeats.js";
import type { Request } from "./request.js";
import { Session, type SessionListener, type SessionOptions } from "./session.js";

export interface SessionsOptions extends SessionOptions {
  readonly isTls: boolean;
  /** Begins to connect. */
  readonly openSocket: () => Socket;
}

export class Sessions implements SessionListener {
  readonly #options: SessionsOptions;
  readonly #all = new Set<Session>();
  readonly #waiting = new Set<Request>();
  readonly #repeats = new Repeats();
  /** The one that takes calls, or is going to. */
  #current: Session | undefined;

  constructor(options: SessionsOptions) {
    this.#options = { ...options };
  }

  /** Opens the request's stream, now or when there is room. */
  send(request: Request): void {
    if (this.#waiting.size === 0 && this.#current?.open(request) === true) return;
    this.#waiting.add(request);
    this.#connect();
  }

  /** Forgets a request that waits. Returns false if it does not. */
  cancel(request: Request): boolean {
    if (!this.#waiting.delete(request)) return false;
    if (this.#waiting.size === 0) this.#current?.want(false);
    return true;
  }

  /** Ends all connections. Calls fail with the error. */
  close(reason: ConnectError): void {
    this.#current = undefined;
    this.#failWaiting(reason);
    for (const session of [...this.#all]) session.close(reason);
  }

  onRoom(session: Session): void {
    if (session !== this.#current) return;
    for (const request of this.#waiting) {
      if (!session.open(request)) break;
      this.#waiting.delete(request);
    }
    session.want(this.#waiting.size > 0);
  }

  onLeaving(session: Session): void {
    if (session !== this.#current) return;
    this.#current = undefined;
    // A connection that served none ends at once, and `onEnd` fails those that wait: there would be no end of connecting.
    if (this.#waiting.size > 0 && session.hasServed) this.#connect();
  }

  onUnprocessed(request: Request, isRefused: boolean, error: ConnectError): void {
    if (this.#repeats.prepare(request, isRefused)) this.send(request);
    else request.onFail(error);
  }

  onTooManyPings(): void {
    this.#options.pingIntervalMs *= 2;
  }

  onEnd(session: Session, error: ConnectError): void {
    this.#all.delete(session);
    if (session === this.#current) this.#current = undefined;
    if (this.#current !== undefined || this.#waiting.size === 0) return;
    if (session.hasServed) this.#connect();
    else this.#failWaiting(error);
  }

  #failWaiting(error: ConnectError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) request.onFail(copyError(error));
  }

  #connect(): void {
    if (this.#current === undefined) {
      const { isTls, openSocket } = this.#options;
      this.#current = new Session(openSocket(), isTls ? "secureConnect" : "connect", this.#options, this);
      this.#all.add(this.#current);
    }
    this.#current.want(true);
  }
}
