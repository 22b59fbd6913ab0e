// Policies that keep a connection to every address, and spread the calls over those that are ready.
import type { Policy, PolicyHost } from "./policy.js";
import type { Request } from "./request.js";
import type { Subchannel } from "./subchannel.js";

abstract class Spread implements Policy {
  readonly #host: PolicyHost;
  #subchannels: readonly Subchannel[] = [];
  protected ready: readonly Subchannel[] = [];
  /** Index of the one that is next. The first is random, so that many clients do not begin with the same. */
  protected next = 0;

  constructor(host: PolicyHost) {
    this.#host = host;
  }

  abstract open(request: Request): boolean;

  connect(): void {
    for (const subchannel of this.#subchannels) {
      // Calls wait for room, which one that fails will not give soon.
      if (subchannel.state !== "failing" || this.ready.length === 0) subchannel.connect();
    }
  }

  update(subchannels: readonly Subchannel[]): void {
    if (this.#subchannels.length === 0) this.next = Math.floor(Math.random() * subchannels.length);
    this.#subchannels = subchannels;
    this.#findReady();
    for (const subchannel of subchannels) this.#keep(subchannel);
  }

  onChange(subchannel: Subchannel): void {
    const isLost = this.ready.includes(subchannel);
    this.#findReady();
    this.#keep(subchannel);
    // Calls that waited for room on it wait for any address now.
    if (isLost && this.#host.isWanted) this.connect();
  }

  onRetry(subchannel: Subchannel): void {
    if (this.#host.isActive) subchannel.connect();
  }

  #keep(subchannel: Subchannel): void {
    if (subchannel.state === "idle" && this.#host.isActive) subchannel.connect();
  }

  #findReady(): void {
    this.ready = this.#subchannels.filter(({ state }) => state === "ready");
  }

  /** Returns the index of the next one that is ready, and moves on. */
  protected take(): number {
    const index = this.next < this.ready.length ? this.next : 0;
    this.next = index + 1;
    return index;
  }
}

/** round_robin: each call goes to the next address. */
export class RoundRobin extends Spread {
  open(request: Request): boolean {
    // One that has no room is passed over.
    for (let count = this.ready.length; count > 0; count--) {
      if (this.ready[this.take()]?.open(request) === true) return true;
    }
    return false;
  }
}

/** least_pending: a call goes to the address with the fewest open streams, and to the next of those that have equally many. */
export class LeastPending extends Spread {
  open(request: Request): boolean {
    const { ready } = this;
    if (ready.length === 0) return false;
    const first = this.take();
    let best = ready[first] as Subchannel;
    for (let count = 1; count < ready.length; count++) {
      const other = ready[(first + count) % ready.length] as Subchannel;
      if (other.pending < best.pending) best = other;
    }
    // Where it has no room, another one with more connections may have.
    return best.open(request) || ready.some((one) => one.open(request));
  }
}
