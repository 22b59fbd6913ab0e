// pick_first: all calls go to one address, the first that can be reached.
// https://github.com/grpc/proposal/blob/0ba0c190/A61-IPv4-IPv6-dualstack-backends.md
import { startTimer } from "./keepalive.js";
import type { Policy, PolicyHost } from "./policy.js";
import type { Request } from "./request.js";
import type { Subchannel } from "./subchannel.js";

/** An address that does not respond is joined by the next one after so long: "Happy Eyeballs", RFC 8305 §5. */
const attemptDelayMs = 250;

export class PickFirst implements Policy {
  readonly #host: PolicyHost;
  #subchannels: readonly Subchannel[] = [];
  #chosen: Subchannel | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: PolicyHost) {
    this.#host = host;
  }

  open(request: Request): boolean {
    return this.#chosen?.open(request) === true;
  }

  connect(): void {
    if (this.#chosen !== undefined) this.#chosen.connect();
    else if (this.#subchannels.every(({ state }) => state === "failing")) this.#connectAll();
    else if (!this.#subchannels.some(({ isTrying }) => isTrying)) this.#connectNext();
  }

  update(subchannels: readonly Subchannel[]): void {
    clearTimeout(this.#timer);
    this.#subchannels = subchannels;
    if (this.#chosen !== undefined && subchannels.includes(this.#chosen)) return;
    this.#chosen = undefined;
    this.#connectNext();
  }

  onChange(subchannel: Subchannel): void {
    if (subchannel.state === "ready") this.#choose(subchannel);
    else if (this.#chosen === undefined) this.#connectNext();
    else if (this.#chosen === subchannel && subchannel.state !== "connecting") {
      this.#chosen = undefined;
      this.#connectNext();
    }
  }

  onRetry(subchannel: Subchannel): void {
    if ((this.#chosen ?? subchannel) === subchannel && this.#host.isWanted) subchannel.connect();
  }

  #choose(subchannel: Subchannel): void {
    if (this.#chosen !== undefined) return;
    clearTimeout(this.#timer);
    this.#chosen = subchannel;
    for (const other of this.#subchannels) if (other !== subchannel) other.rest();
  }

  /** If it is wanted, connects to the first address that has not been tried, and to the one after it if that takes long. */
  #connectNext(): void {
    clearTimeout(this.#timer);
    if (!this.#host.isWanted) return;
    const next = this.#subchannels.find(({ state }) => state === "idle");
    if (next === undefined) return;
    this.#timer = startTimer(() => this.#connectNext(), attemptDelayMs);
    next.connect();
  }

  #connectAll(): void {
    for (const subchannel of this.#subchannels) subchannel.connect();
  }
}
