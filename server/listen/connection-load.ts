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

/** Up to here a chunk is written without a look at what else waits on its connection. */
const smallChunkBytes = 16 * 1024;

/** Finds a client that owes the rest of its request and sends none of it. */
export class UploadWatch {
  #receivedBytes = 0;
  /** `#receivedBytes` when the body was last seen to grow, and when that was, or 0. */
  #seenBytes = 0;
  #seenMs = 0;

  receive(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** Whether the client has sent nothing for `stallMs`. Must be asked repeatedly. @param isDue whether it owes something */
  hasStalled(isDue: boolean, nowMs: number, stallMs: number): boolean {
    if (isDue && this.#seenMs !== 0 && this.#seenBytes === this.#receivedBytes) return nowMs - this.#seenMs >= stallMs;
    this.#seenMs = isDue ? nowMs : 0;
    this.#seenBytes = this.#receivedBytes;
    return false;
  }
}

const loadKey: unique symbol = Symbol("load");

/** What one connection is busy with. */
export class ConnectionLoad {
  readonly exchanges: DenseSet<LoadingExchange> = new DenseSet();
  readonly #maxUnsentBytes: number;
  /** Exchanges that have begun so far. */
  begunCount = 0;
  /** Start of the time for which response bytes have waited, and how much had been sent then. */
  sinceMs = 0;
  sentBytes = 0;

  constructor(maxUnsentBytes: number) {
    this.#maxUnsentBytes = maxUnsentBytes;
  }

  get isIdle(): boolean {
    return this.exchanges.size === 0;
  }

  begin(exchange: LoadingExchange): void {
    this.begunCount++;
    this.exchanges.add(exchange);
  }

  end(exchange: LoadingExchange): void {
    this.exchanges.delete(exchange);
  }

  /** Whether there is room for another chunk of a response: a small one, or any if not too much waits for the client already. */
  hasRoomFor(chunkBytes: number): boolean {
    if (chunkBytes <= smallChunkBytes) return true;
    let bytes = 0;
    for (const { unsentBytes } of this.exchanges.toArray()) bytes += unsentBytes;
    return bytes <= this.#maxUnsentBytes;
  }
}

/** A socket that HTTP is spoken on. */
export type LoadedSocket = Socket & { [loadKey]?: ConnectionLoad };

/** The load of a connection, by the socket that HTTP is spoken on. */
export function loadOf(socket: LoadedSocket | undefined): ConnectionLoad | undefined {
  return socket?.[loadKey];
}

/** Gives a connection a load of its own. @param maxUnsentBytes of all its responses together */
export function startLoad(socket: LoadedSocket, maxUnsentBytes: number): ConnectionLoad {
  const load = new ConnectionLoad(maxUnsentBytes);
  socket[loadKey] = load;
  return load;
}
