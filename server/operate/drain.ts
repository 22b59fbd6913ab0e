// Shuts a server down without a lost call: fail health checks, wait, stop accepting, let calls finish, cancel the rest.
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health as HealthService } from "../../gen/grpc/health/v1/health_pb.js";
import type { ActiveCalls } from "../call/active.js";
import type { Listener } from "../listen/listener.js";
import { isWithin } from "../within.js";
import type { Health } from "./health.js";

/** Milliseconds for the errors of cancelled calls to be sent. */
const lastWordsMs = 1000;

/** Resolves when every connection has ended. Takes at most the two times, and a second for the errors of cancelled calls. */
export async function drain(
  listener: Listener,
  active: ActiveCalls,
  health: Health,
  { drainDelayMs, drainTimeoutMs }: { drainDelayMs: number; drainTimeoutMs: number },
): Promise<void> {
  health.shutdown();
  if (drainDelayMs > 0) await delay(drainDelayMs);
  await retire(listener, active, drainTimeoutMs);
}

/** As `drain`, of a process whose port others go on serving: health checks never fail, and there is no delay. */
export async function retire(listener: Listener, active: ActiveCalls, drainTimeoutMs: number): Promise<void> {
  listener.stop();
  // Watchers have received NOT_SERVING, or find another process; end them so they do not block the drain.
  active.cancelAll(shuttingDown(), ({ spec }) => spec.method.parent.typeName === HealthService.typeName);
  // Calls of mounted servers have connections that are not ours.
  const ended = Promise.all([listener.closed, active.ended()]);
  if (await isWithin(ended, drainTimeoutMs)) return;
  active.cancelAll(shuttingDown());
  if (await isWithin(ended, lastWordsMs)) return;
  listener.destroy();
  await listener.closed;
}

function shuttingDown(): ConnectError {
  return new ConnectError("the server is shutting down", Code.Unavailable);
}
