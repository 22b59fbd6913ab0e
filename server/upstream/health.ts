// What a server says of its own services, by `grpc.health.v1.Health/Watch`:
// https://github.com/grpc/grpc/blob/191d0c3f83d6eb03405c8f19a642ecf80fcbde25/doc/health-checking.md
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/grpc/health/v1/health_pb.js";
import { type Clock, systemClock } from "../clock.js";
import type { HealthStatus } from "../operate/health.js";
import { backoffMs } from "./backoff.js";

/** What is known of one service; "unmanaged" if the server has no status for it. */
type Watched = HealthStatus | "pending" | "unmanaged";

const byServingStatus: Record<ServingStatus, Watched> = {
  [ServingStatus.UNKNOWN]: "UNKNOWN",
  [ServingStatus.SERVING]: "SERVING",
  [ServingStatus.NOT_SERVING]: "NOT_SERVING",
  [ServingStatus.SERVICE_UNKNOWN]: "unmanaged",
};

/** A service whose server has said nothing for so long is NOT_SERVING until it does. */
const firstStatusMs = 5000;
/** A stream that has lasted so long is opened again at once when it is lost: its connection may have reached its age. */
const lastingMs = 1000;

/** A server whose health is followed. */
export interface HealthTarget {
  readonly transport: Transport;
  /** Ends all streams. */
  readonly signal: AbortSignal;
  /** Whether connections to it do not fail. */
  readonly isReachable: () => boolean;
  /** Called when a service has another status. */
  readonly onChange: () => void;
}

export class UpstreamHealth {
  readonly #target: HealthTarget;
  readonly #clock: Clock;
  /** Services that are followed. */
  readonly #watched = new Map<string, Watched>();
  /** Those of them that the server cannot be asked for: it has no health service. */
  readonly #unasked = new Set<string>();
  /** Streams that wait to be opened again. */
  readonly #waiting = new Set<() => void>();

  constructor(target: HealthTarget, clock: Clock = systemClock) {
    this.#target = target;
    this.#clock = clock;
  }

  /**
   * Returns the status of a service, which is followed from now on. A service for which the server has none has that of the
   * server as a whole; a server that has none of itself, or no health service, is SERVING while it can be reached.
   */
  statusOf(service: string): HealthStatus | "pending" {
    const own = this.#follow(service);
    const status = own === "unmanaged" ? this.#follow("") : own;
    if (status !== "unmanaged") return status;
    return this.#target.isReachable() ? "SERVING" : "NOT_SERVING";
  }

  /** Opens streams again at once: a connection is there after one was lost, and the server behind it may be another one. */
  retry(): void {
    for (const service of this.#unasked) this.#watched.delete(service);
    this.#unasked.clear();
    for (const wake of [...this.#waiting]) wake();
    this.#target.onChange();
  }

  #follow(service: string): Watched {
    const known = this.#watched.get(service);
    if (known !== undefined) return known;
    this.#watched.set(service, "pending");
    void this.#keepWatching(service);
    return "pending";
  }

  async #keepWatching(service: string): Promise<void> {
    this.#clock.schedule(() => {
      if (this.#watched.get(service) === "pending") this.#set(service, "NOT_SERVING");
    }, firstStatusMs);
    let failures = 0;
    while (!this.#target.signal.aborted) {
      const startMs = this.#clock.now();
      const { hasStatus, code } = await this.#watch(service);
      if (code === Code.Unimplemented || code === Code.NotFound) this.#set(service, "unmanaged");
      else if (!hasStatus) this.#set(service, "NOT_SERVING");
      // Of a server without a health service, the stream for the server as a whole tells whether it can be reached.
      if (code === Code.Unimplemented && service !== "") {
        this.#unasked.add(service);
        return;
      }
      failures = hasStatus ? 0 : failures + 1;
      const isLasting = hasStatus && this.#clock.now() - startMs >= lastingMs;
      if (!isLasting) await this.#wait(backoffMs(failures));
    }
  }

  /** Follows a stream of statuses to its end. */
  async #watch(service: string): Promise<{ readonly hasStatus: boolean; readonly code: Code | undefined }> {
    let hasStatus = false;
    try {
      const statuses = createClient(Health, this.#target.transport).watch({ service }, { signal: this.#target.signal });
      for await (const { status } of statuses) {
        hasStatus = true;
        this.#set(service, byServingStatus[status] ?? "UNKNOWN");
      }
      return { hasStatus, code: undefined };
    } catch (reason) {
      return { hasStatus, code: ConnectError.from(reason).code };
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#clock.schedule(wake, delayMs);
      this.#waiting.add(wake);
    });
  }

  #set(service: string, status: Watched): void {
    if (this.#target.signal.aborted || this.#watched.get(service) === status) return;
    this.#watched.set(service, status);
    this.#target.onChange();
  }
}
