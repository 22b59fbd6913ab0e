// Load balancing policies: which address gets a call, and to which ones connections are opened.
import type { Request } from "./request.js";
import type { Subchannel } from "./subchannel.js";

export const loadBalancingPolicies = ["pick_first", "round_robin", "least_pending"] as const;

export type LoadBalancing = (typeof loadBalancingPolicies)[number];

/** What a policy asks of its pool. */
export interface PolicyHost {
  /** Whether a connection is wanted now: calls wait for one, or the pool is to stay connected. */
  readonly isWanted: boolean;
  /** Whether there have been calls lately, or the pool is to stay connected. */
  readonly isActive: boolean;
}

export interface Policy {
  /** Opens a stream for a request. Returns false if no connection takes it now. */
  open(request: Request): boolean;
  /** Calls wait: opens connections. */
  connect(): void;
  /** The addresses are these now, in order of preference. */
  update(subchannels: readonly Subchannel[]): void;
  /** See `SubchannelListener`. */
  onChange(subchannel: Subchannel): void;
  onRetry(subchannel: Subchannel): void;
}
