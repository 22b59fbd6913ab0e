// Decides which requests are sent again because the server has surely not processed them: gRPC's transparent retries.
// https://github.com/grpc/proposal/blob/0ba0c190/A6-client-retries.md#transparent-retries
import type { Request } from "./request.js";

/** A server that sends GOAWAY on every connection is not called for ever. */
const goawaysMax = 5;

export class Repeats {
  readonly #refused = new WeakSet<Request>();
  /** Requests that were sent again. */
  count = 0;
  readonly #goaways = new WeakMap<Request, number>();

  /**
   * Returns whether the request can be sent again now: once after REFUSED_STREAM, five times after GOAWAY.
   *
   * @param isRefused by REFUSED_STREAM, where it was GOAWAY otherwise
   */
  prepare(request: Request, isRefused: boolean): boolean {
    const isRepeated = (isRefused ? this.#takeRefused(request) : this.#takeGoaway(request)) && request.restart();
    if (isRepeated) this.count++;
    return isRepeated;
  }

  #takeRefused(request: Request): boolean {
    if (this.#refused.has(request)) return false;
    this.#refused.add(request);
    return true;
  }

  #takeGoaway(request: Request): boolean {
    const count = this.#goaways.get(request) ?? 0;
    this.#goaways.set(request, count + 1);
    return count < goawaysMax;
  }
}
