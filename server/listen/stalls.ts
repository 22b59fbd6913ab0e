// Finds clients that stop reading a response or stop in the middle of a request, and ends their calls.
import type { Socket } from "node:net";
import { type CancelTimer, type Clock, repeat } from "../clock.js";
import type { Counters } from "../counters.js";
import { type ConnectionLoad, type LoadedSocket, type LoadingExchange, loadOf, startLoad } from "./connection-load.js";
import type { ListenLimits } from "./limits.js";
import { queuedBytes, sentBytes } from "./tcp-handle.js";

/** Rate below which a reader has stalled: 1 byte per millisecond, which is 1 kB/s. */
const leastBytesPerMs = 1;

/** Looks four times per `stallMs`, so a stall is found up to a quarter later. */
export class StallWatch {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #stallMs: number;
  readonly #maxUnsentBytes: number;
  readonly #sockets = new Set<LoadedSocket>();
  readonly #forget: (this: Socket) => void;
  #stop: CancelTimer | undefined;

  constructor({ stallMs, unsentBytes }: ListenLimits, clock: Clock, counters: Counters) {
    this.#clock = clock;
    this.#counters = counters;
    this.#stallMs = stallMs;
    this.#maxUnsentBytes = unsentBytes;
    const sockets = this.#sockets;
    this.#forget = function () {
      sockets.delete(this);
    };
  }

  add(socket: LoadedSocket): ConnectionLoad {
    const load = startLoad(socket, this.#maxUnsentBytes);
    if (this.#stallMs === 0) return load;
    this.#stop ??= repeat(this.#clock, () => this.#lookAtAll(), Math.ceil(this.#stallMs / 4));
    this.#sockets.add(socket);
    socket.on("close", this.#forget);
    return load;
  }

  stop(): void {
    this.#stop?.();
  }

  #lookAtAll(): void {
    const nowMs = this.#clock.now();
    for (const socket of this.#sockets) this.#look(socket, loadOf(socket) as ConnectionLoad, nowMs);
  }

  #look(socket: Socket, load: ConnectionLoad, nowMs: number): void {
    let isWaiting = queuedBytes(socket) > 0;
    for (const exchange of load.exchanges.toArray()) {
      if (exchange.unsentBytes > 0) isWaiting = true;
      if (exchange.hasStalledUpload(nowMs, this.#stallMs)) this.#end(exchange);
    }
    const sent = sentBytes(socket);
    const waitedMs = nowMs - load.sinceMs;
    if (isWaiting && load.sinceMs !== 0 && waitedMs < this.#stallMs) return;
    if (isWaiting && load.sinceMs !== 0 && sent - load.sentBytes < waitedMs * leastBytesPerMs) {
      this.#endReading(socket, load);
    }
    load.sinceMs = isWaiting ? nowMs : 0;
    load.sentBytes = sent;
  }

  /** Ends the responses that wait, or the whole connection where the socket itself takes no bytes. */
  #endReading(socket: Socket, { exchanges }: ConnectionLoad): void {
    if (queuedBytes(socket) > 0) {
      this.#counters.refuse("stalled");
      socket.destroy();
      return;
    }
    for (const exchange of exchanges.toArray()) if (exchange.unsentBytes > 0) this.#end(exchange);
  }

  #end(exchange: LoadingExchange): void {
    this.#counters.refuse("stalled");
    exchange.endStalled();
  }
}
