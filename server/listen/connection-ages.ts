// Ends connections that are old or idle, so that clients behind a load balancer spread over new replicas.
import type { Socket } from "node:net";
import { type CancelTimer, type Clock, repeat } from "../clock.js";
import type { Counters } from "../counters.js";
import type { ConnectionLoad } from "./connection-load.js";
import type { ListenLimits } from "./limits.js";

/** A connection that can end without losing a call. */
export interface Retirable {
  /** Ends the connection when its calls have ended. Does nothing the second time. */
  retire(): void;
}

interface Aging {
  readonly connection: Retirable;
  readonly load: ConnectionLoad;
  readonly retireAt: number;
  /** Milliseconds of the clock when it was first seen without a call, and how many calls had begun then. */
  idleSince: number;
  begunCount: number;
  /** When it is cut, or undefined before it was retired for its age. */
  cutAt: number | undefined;
}

/** Milliseconds between two looks at all connections. Less if a limit is short. */
const lookMs = 1000;
/** How far the age of a connection differs from the limit, in either direction, so that clients do not come back together. */
const spread = 0.1;

export class ConnectionAges {
  readonly #limits: ListenLimits;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #aging = new Map<Socket, Aging>();
  readonly #forget: (this: Socket) => void;
  #stop: CancelTimer | undefined;

  constructor(limits: ListenLimits, clock: Clock, counters: Counters) {
    this.#limits = limits;
    this.#clock = clock;
    this.#counters = counters;
    const aging = this.#aging;
    this.#forget = function () {
      aging.delete(this);
    };
  }

  /** Counts from now on, if there is a limit. */
  add(socket: Socket, load: ConnectionLoad, connection: Retirable): void {
    const { maxConnectionAgeMs, maxConnectionIdleMs } = this.#limits;
    if (maxConnectionAgeMs === 0 && maxConnectionIdleMs === 0) return;
    this.#stop ??= repeat(this.#clock, () => this.#lookAtAll(), this.#intervalMs());
    const ageMs = maxConnectionAgeMs * (1 - spread + 2 * spread * Math.random());
    const retireAt = maxConnectionAgeMs === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ageMs;
    this.#aging.set(socket, {
      connection,
      load,
      retireAt,
      idleSince: this.#clock.now(),
      begunCount: 0,
      cutAt: undefined,
    });
    socket.on("close", this.#forget);
  }

  stop(): void {
    this.#stop?.();
  }

  #intervalMs(): number {
    const { maxConnectionAgeMs, maxConnectionIdleMs } = this.#limits;
    return Math.ceil(Math.min(lookMs, (maxConnectionAgeMs || lookMs) / 4, (maxConnectionIdleMs || lookMs) / 4));
  }

  #lookAtAll(): void {
    const now = this.#clock.now();
    for (const [socket, aging] of this.#aging) this.#look(socket, aging, now);
  }

  #look(socket: Socket, aging: Aging, now: number): void {
    const { maxConnectionIdleMs, maxConnectionAgeGraceMs } = this.#limits;
    if (aging.cutAt !== undefined) {
      if (now < aging.cutAt || socket.destroyed) return;
      this.#counters.refuse("max_age");
      socket.destroy();
      return;
    }
    if (now >= aging.retireAt) {
      aging.connection.retire();
      aging.cutAt = maxConnectionAgeGraceMs === 0 ? Number.POSITIVE_INFINITY : now + maxConnectionAgeGraceMs;
      return;
    }
    const { isIdle, begunCount } = aging.load;
    if (!isIdle || begunCount !== aging.begunCount) {
      aging.idleSince = now;
      aging.begunCount = begunCount;
    } else if (maxConnectionIdleMs !== 0 && now - aging.idleSince >= maxConnectionIdleMs) aging.connection.retire();
  }
}
