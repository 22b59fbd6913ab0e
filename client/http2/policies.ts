// The load balancing policies by their names.
import { PickFirst } from "./pick-first.js";
import type { LoadBalancing, Policy, PolicyHost } from "./policy.js";
import { LeastPending, RoundRobin } from "./spread.js";

export function createPolicy(name: LoadBalancing, host: PolicyHost): Policy {
  switch (name) {
    case "pick_first":
      return new PickFirst(host);
    case "round_robin":
      return new RoundRobin(host);
    case "least_pending":
      return new LeastPending(host);
  }
}
