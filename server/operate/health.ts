// Serves `grpc.health.v1` with the statuses that the application sets, and those of forwarded services, by
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

/**
 * The statuses of a server's services by full name (`hello_world.Greeter`); `""` is the server as a whole. A service that is
 * forwarded has the status that its upstream says, unless another one is set.
 */
export interface Health {
  /**
   * Sets a status and sends it to its watchers; ignored after `shutdown`. The service need not be a registered one: any
   * name that clients agree on becomes known with its first status. The overall status does not follow from the others.
   */
  set(service: string, status: HealthStatus): void;
  /**
   * The status of a service, or undefined if it is neither registered nor set. A forwarded service is UNKNOWN until its
   * upstream has said more.
   */
  get(service: string): HealthStatus | undefined;
  /** Whether the server as a whole is SERVING. */
  isServing(): boolean;
  /** Sets all statuses to NOT_SERVING for good, and sends them to watchers. */
  shutdown(): void;
  /** Registers `grpc.health.v1.Health`. */
  routes(router: ConnectRouter): void;
}

/** The health of a server, and how it learns that forwarded services have other statuses. */
export interface ServerHealth extends Health {
  /** Sends watchers their statuses, if these are others now. */
  refresh(): void;
}

/** What is known of services that other servers serve. */
export interface ForwardedHealth {
  /** Whether these servers have all been reached once. Until then the server as a whole is NOT_SERVING. */
  readonly isReady: boolean;
  /**
   * Returns the status of a forwarded service, and follows it from now on: "pending" until it is known, undefined for any
   * other service.
   */
  statusOf(service: string): HealthStatus | "pending" | undefined;
}

const nothingForwarded: ForwardedHealth = { isReady: true, statusOf: () => undefined };

// Above this many statuses List fails with RESOURCE_EXHAUSTED, as in
// https://github.com/grpc/grpc-go/blob/4793ad0474669eafbd5346c8a3d098fdfa542498/health/server.go.
const listLimit = 100;

/** Statuses of services, some of which are not known yet. */
interface Statuses {
  /** The names of all services that have a status. */
  names(): ReadonlySet<string>;
  /** Returns undefined for an unknown service. */
  statusOf(service: string): HealthStatus | "pending" | undefined;
}

/**
 * Keeps the statuses of a server. Every service that `services` returns, and the server as a whole, is SERVING until it
 * is set otherwise, but for those that are forwarded. `services` is called for each request, since routes are registered
 * before all services are known.
 */
export function createHealth(
  services: () => readonly DescService[],
  forwarded: ForwardedHealth = nothingForwarded,
): ServerHealth {
  const chosen = new Map<string, HealthStatus>();
  const change = createChange();
  let isShutDown = false;

  const names = () => new Set(["", ...services().map(({ typeName }) => typeName), ...chosen.keys()]);
  const statusOf = (service: string) => {
    if (isShutDown) return names().has(service) ? "NOT_SERVING" : undefined;
    const set = chosen.get(service);
    if (set !== undefined) return set;
    if (service === "") return forwarded.isReady ? "SERVING" : "NOT_SERVING";
    const own = services().some(({ typeName }) => typeName === service) ? "SERVING" : undefined;
    return forwarded.statusOf(service) ?? own;
  };
  const implementation = implementHealth({ names, statusOf }, change);
  return {
    set(service, status) {
      if (isShutDown) return;
      chosen.set(service, status);
      change.announce();
    },
    get(service) {
      const status = statusOf(service);
      return status === "pending" ? "UNKNOWN" : status;
    },
    isServing: () => statusOf("") === "SERVING",
    refresh: () => change.announce(),
    shutdown() {
      isShutDown = true;
      change.announce();
    },
    routes(router) {
      router.service(HealthService, implementation);
    },
  };
}

/** `change` is announced when any status may have become another. */
function implementHealth({ names, statusOf }: Statuses, change: Change): ServiceImpl<typeof HealthService> {
  const whenKnown = async (service: string, signal: AbortSignal) => {
    for (;;) {
      const status = statusOf(service);
      if (status !== "pending") return status;
      await change.next(signal);
    }
  };
  return {
    async check({ service }, { signal }) {
      const status = await whenKnown(service, signal);
      // The message does not quote the name, because it is sent in a header and the name may be long.
      if (status === undefined) throw new ConnectError("unknown service", Code.NotFound);
      return { status: ServingStatus[status] };
    },
    async list(_, { signal }) {
      const known = [...names()];
      if (known.length > listLimit) {
        throw new ConnectError(
          `List returns at most ${listLimit} statuses, found ${known.length}`,
          Code.ResourceExhausted,
        );
      }
      const statuses = await Promise.all(
        known.map(async (name) => [name, { status: ServingStatus[(await whenKnown(name, signal)) ?? "UNKNOWN"] }]),
      );
      return { statuses: Object.fromEntries(statuses) };
    },
    // Has no queue: a slow reader gets the latest status when it reads, as with grpc-go.
    async *watch({ service }, { signal }) {
      let sent: ServingStatus | undefined;
      while (true) {
        const known = statusOf(service) ?? "SERVICE_UNKNOWN";
        if (known === "pending" || ServingStatus[known] === sent) {
          await change.next(signal);
        } else {
          sent = ServingStatus[known];
          yield { status: sent };
        }
      }
    },
  };
}
