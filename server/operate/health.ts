// Serves `grpc.health.v1` with the statuses that the application sets, by
// https://github.com/grpc/grpc/blob/191d0c3f83d6eb03405c8f19a642ecf80fcbde25/doc/health-checking.md.
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { type Change, createChange } from "./change.js";

/** Whether a service is available, or not known yet, as while it starts. */
export type HealthStatus = "SERVING" | "NOT_SERVING" | "UNKNOWN";

/** The statuses of a server's services by full name (`hello_world.Greeter`); `""` is the server as a whole. */
export interface Health {
  /**
   * Sets a status and sends it to its watchers; ignored after `shutdown`. The service need not be a registered one: any
   * name that clients agree on becomes known with its first status. The overall status does not follow from the others.
   */
  set(service: string, status: HealthStatus): void;
  /** The status of a service, or undefined if it is neither registered nor set. */
  get(service: string): HealthStatus | undefined;
  /** Whether the server as a whole is SERVING. */
  isServing(): boolean;
  /** Sets all statuses to NOT_SERVING for good, and sends them to watchers. */
  shutdown(): void;
  /** Registers `grpc.health.v1.Health`. */
  routes(router: ConnectRouter): void;
}

// Above this many statuses List fails with RESOURCE_EXHAUSTED, as in
// https://github.com/grpc/grpc-go/blob/4793ad0474669eafbd5346c8a3d098fdfa542498/health/server.go.
const listLimit = 100;

/**
 * Keeps the statuses of a server. Every service that `services` returns, and the server as a whole, is SERVING until it
 * is set otherwise. `services` is called for each request, since routes are registered before all services are known.
 */
export function createHealth(services: () => readonly DescService[]): Health {
  const chosen = new Map<string, HealthStatus>();
  const change = createChange();
  let isShutDown = false;

  const statuses = () => {
    const registered = services().map((service) => [service.typeName, "SERVING"] as const);
    const known = new Map<string, HealthStatus>([["", "SERVING"], ...registered, ...chosen]);
    return isShutDown ? new Map([...known.keys()].map((service) => [service, "NOT_SERVING" as const])) : known;
  };
  const implementation = implementHealth(statuses, change);
  return {
    set(service, status) {
      if (isShutDown) return;
      chosen.set(service, status);
      change.announce();
    },
    get: (service) => statuses().get(service),
    isServing: () => statuses().get("") === "SERVING",
    shutdown() {
      isShutDown = true;
      change.announce();
    },
    routes(router) {
      router.service(HealthService, implementation);
    },
  };
}

/** `statuses` are those of every known service; `change` is announced when any of them may have become another. */
function implementHealth(
  statuses: () => ReadonlyMap<string, HealthStatus>,
  change: Change,
): ServiceImpl<typeof HealthService> {
  return {
    check({ service }) {
      const status = statuses().get(service);
      // The message does not quote the name, because it is sent in a header and the name may be long.
      if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
      return { status: ServingStatus[status] };
    },
    list() {
      const known = statuses();
      if (known.size > listLimit) {
        throw new ConnectError(
          `List returns at most ${listLimit} statuses, found ${known.size}`,
          Code.ResourceExhausted,
        );
      }
      return {
        statuses: Object.fromEntries([...known].map(([name, status]) => [name, { status: ServingStatus[status] }])),
      };
    },
    // Has no queue: a slow reader gets the latest status when it reads, as with grpc-go.
    async *watch({ service }, { signal }) {
      let sent: ServingStatus | undefined;
      while (true) {
        const status = ServingStatus[statuses().get(service) ?? "SERVICE_UNKNOWN"];
        if (status === sent) {
          await change.next(signal);
        } else {
          sent = status;
          yield { status };
        }
      }
    },
  };
}
