// The exchanges of one connection, and what they make it hold.
import type { Socket } from "node:net";
import { DenseSet, type Placed } from "../dense-set.js";

/** An exchange, as the search for stalled clients sees it. */
export interface LoadingExchange extends Placed {
  /** Bytes of the response that wait for the client to read. */
  readonly unsentBytes: number;
  /** Whether the client owes the rest of a message and has sent none of it for so long. Must be asked repeatedly. */
  hasStalledUpload(nowMs: number, stallMs: number): boolean;
  /** Ends the call of a client that has stalled. */
  endStalled(): void;
}

const loadKey: unique symbol = Symbol("load");

/** What one connection is busy with. */
export class ConnectionLoad {
  readonly exchanges: DenseSet<LoadingExchange> = new DenseSet();
  readonly #maxUnsentBytes: number;
  /** Start of the time for which response bytes have waited, and how much had been sent then. */
  sinceMs = 0;
  sentBytes = 0;

  constructor(maxUnsentBytes: number) {
    this.#maxUnsentBytes = maxUnsentBytes;
  }

  /** Whether the bytes of responses that wait for the client are over the limit. */
  get isFull(): boolean {
    let bytes = 0;
    for (const { unsentBytes } of this.exchanges.toArray()) bytes += unsentBytes;
    return bytes > this.#maxUnsentBytes;
  }
}

/** A socket that HTTP is spoken on. */
export type LoadedSocket = Socket & { [loadKey]?: ConnectionLoad };

/** The load of a connection, by the socket that HTTP is spoken on. */
export function loadOf(socket: LoadedSocket | undefined): ConnectionLoad | undefined {
  return socket?.[loadKey];
}

/** Gives a connection a load of its own. @param maxUnsentBytes of all its responses together */
export function startLoad(socket: LoadedSocket, maxUnsentBytes: number): void {
  socket[loadKey] = new ConnectionLoad(maxUnsentBytes);
}
