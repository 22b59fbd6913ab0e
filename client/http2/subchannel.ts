// The connections to one address, and what has become of them.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/connectivity-semantics-and-api.md
import type { Socket } from "node:net";
import type { ConnectError } from "@connectrpc/connect";
import type { Address } from "./address.js";
import { Backoff } from "./backoff.js";
import { errorOfSocket } from "./endings.js";
import type { Request } from "./request.js";
import { Session, type SessionListener, type SessionOptions } from "./session.js";

/**
 * - `idle`: there is no connection, and none is being opened.
 * - `connecting`: the first is being opened.
 * - `ready`: there is one.
 * - `failing`: the last attempt has failed. It stays so until one succeeds.
 */
export type SubchannelState = "idle" | "connecting" | "ready" | "failing";

/** A connection that has lasted so long was a good one, even without a call. */
const goodMs = 1000;

/** Options of all subchannels of a pool. */
export interface SubchannelOptions extends SessionOptions {
  readonly isTls: boolean;
  /** Begins to connect. */
  readonly openSocket: (address: Address) => Socket;
  /** Connections to each address at most. */
  readonly maxConnections: number;
  /** The longest time between attempts to connect, before jitter. */
  readonly backoffMaxMs: number;
}

export interface SubchannelListener {
  /** It has become ready, has lost its last connection, or an attempt to connect has failed. */
  onChange(subchannel: Subchannel): void;
  /** A connection takes requests, or more of them than before. */
  onRoom(): void;
  /** After a failure, it is time for the next attempt. */
  onRetry(subchannel: Subchannel): void;
  /** See `SessionListener`. */
  onUnprocessed(request: Request, isRefused: boolean, error: ConnectError): void;
  onTooManyPings(): void;
}

export class Subchannel implements SessionListener {
  readonly address: Address;
  readonly #options: SubchannelOptions;
  readonly #sessions: Set<Session>;
  readonly #listener: SubchannelListener;
  readonly #backoff: Backoff;
  /** The connections that take requests, those that have done so for the longest time first. */
  #ready: Session[] = [];
  /** The one that is being opened. */
  #next: Session | undefined;
  #opened = 0;
  #isWanted = false;
  #isRetired = false;
  /** Why the last attempt failed, if none has succeeded since. */
  error: ConnectError | undefined;

  /** @param sessions all connections of the pool; those that end here are removed */
  constructor(address: Address, options: SubchannelOptions, sessions: Set<Session>, listener: SubchannelListener) {
    this.address = address;
    this.#options = options;
    this.#sessions = sessions;
    this.#listener = listener;
    this.#backoff = new Backoff({ maxMs: options.backoffMaxMs, onOver: () => listener.onRetry(this) });
  }

  get state(): SubchannelState {
    if (this.#ready.length > 0) return "ready";
    if (this.error !== undefined) return "failing";
    return this.#next === undefined ? "idle" : "connecting";
  }

  /** Whether a connection is being opened. */
  get isTrying(): boolean {
    return this.#next !== undefined;
  }

  /** Milliseconds since the last attempt began. */
  get trialMs(): number {
    return this.#backoff.ageMs;
  }

  /** Connections that take requests. */
  get connections(): number {
    return this.#ready.length;
  }

  /** Streams that are open. */
  get pending(): number {
    let count = 0;
    for (const session of this.#ready) count += session.streamCount;
    return count;
  }

  /** Streams that have been opened. */
  get opened(): number {
    let count = this.#opened;
    for (const session of this.#ready) count += session.opened;
    return count;
  }

  /** Opens a stream for a request. Returns false if there is no room now. */
  open(request: Request): boolean {
    const sessions = this.#ready;
    for (let index = 0; index < sessions.length; index++) {
      if ((sessions[index] as Session).open(request)) return true;
    }
    return false;
  }

  /** Opens a connection if calls need one: there is none, or all streams are taken. After a failure not too often. */
  connect(): void {
    if (this.#next !== undefined || this.#isRetired) return;
    if (this.#ready.length === 0) {
      if (!this.#backoff.isWaiting || this.#backoff.mayHurry) this.#begin();
      return;
    }
    if (this.#ready.length >= this.#options.maxConnections || this.#backoff.isWaiting) return;
    if (this.#ready.every(({ isFull }) => isFull)) this.#begin();
  }

  /** Says whether requests wait for a connection: it then keeps the process alive, as calls do. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.#backoff.want(isWanted);
    for (const session of this.#ready) session.want(isWanted);
    this.#next?.want(isWanted);
  }

  /** Another address is used: stops connecting, and forgets failures. */
  rest(): void {
    const next = this.#next;
    this.#next = undefined;
    this.error = undefined;
    this.#backoff.stop();
    next?.leave();
  }

  /** The address is not used any more. Calls under way go on. */
  retire(): void {
    this.#isRetired = true;
    this.rest();
    for (const session of this.#ready) session.leave();
  }

  onReady(session: Session): void {
    if (session !== this.#next) return;
    this.#next = undefined;
    this.error = undefined;
    this.#ready = [...this.#ready, session];
    if (this.#ready.length === 1) this.#listener.onChange(this);
    this.#listener.onRoom();
  }

  onRoom(): void {
    this.#listener.onRoom();
  }

  onLeaving(session: Session): void {
    if (!this.#remove(session)) return;
    if (isGood(session)) this.#lose();
    // It has no streams, so it ends at once, and then it is known why.
    else this.#next ??= session;
  }

  onUnprocessed(request: Request, isRefused: boolean, error: ConnectError): void {
    this.#listener.onUnprocessed(request, isRefused, error);
  }

  onTooManyPings(): void {
    this.#listener.onTooManyPings();
  }

  onEnd(session: Session, error: ConnectError): void {
    this.#sessions.delete(session);
    if (session === this.#next) {
      this.#next = undefined;
      this.#fail(error);
    } else if (this.#remove(session)) {
      if (isGood(session)) this.#lose();
      else this.#fail(error);
    }
  }

  #begin(): void {
    this.#backoff.begin();
    const { isTls, openSocket } = this.#options;
    let socket: Socket;
    try {
      socket = openSocket(this.address);
    } catch (error) {
      // A certificate or a key that cannot be read.
      this.#fail(errorOfSocket(error instanceof Error ? error : new Error(String(error))));
      return;
    }
    const session = new Session(socket, isTls ? "secureConnect" : "connect", this.#options, this);
    this.#sessions.add(session);
    this.#next = session;
    session.want(this.#isWanted);
  }

  #fail(error: ConnectError): void {
    if (this.#isRetired) return;
    this.#backoff.fail();
    if (this.#ready.length > 0) return;
    this.error = error;
    this.#listener.onChange(this);
  }

  /** A good connection has been lost. */
  #lose(): void {
    this.#backoff.succeed();
    if (this.#ready.length === 0 && !this.#isRetired) this.#listener.onChange(this);
  }

  #remove(session: Session): boolean {
    if (!this.#ready.includes(session)) return false;
    this.#ready = this.#ready.filter((one) => one !== session);
    this.#opened += session.opened;
    return true;
  }
}

function isGood({ opened, readyMs }: Session): boolean {
  return opened > 0 || readyMs >= goodMs;
}
