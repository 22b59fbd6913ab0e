// Whether this process serves alone, is a worker, or is the primary of workers. What workers need is loaded only by them.
import process from "node:process";
import type { BufferedSink } from "../../operate/log.js";
import type { Server } from "../../server.js";
import type { Config } from "../config.js";
import { reportStartError, type ServingProcess, serve } from "../serve.js";
import type { Service } from "../service.js";
import { roleVariable, type WorkerRole } from "./messages.js";
import type { WorkerSources } from "./primary.js";

/**
 * The role of this process, if a primary has started it. Takes it out of the environment, so that processes that this one
 * starts are no workers.
 */
export async function takeRole(): Promise<WorkerRole | undefined> {
  const text = process.env[roleVariable];
  if (text === undefined) return undefined;
  delete process.env[roleVariable];
  // The socket that a supervisor has passed to the primary is for its workers.
  if (process.env.LISTEN_PID === String(process.ppid)) process.env.LISTEN_PID = String(process.pid);
  const { leaveSignalsToPrimary } = await import("./worker.js");
  leaveSignalsToPrimary();
  return JSON.parse(text) as WorkerRole;
}

/** Starts workers. Resolves when all of them listen. @throws what a worker says that cannot start */
export async function startWorkers(sources: WorkerSources, openLog: () => BufferedSink): Promise<void> {
  const { serveWithWorkers } = await import("./primary.js");
  await serveWithWorkers(sources, openLog);
}

/** Serves, alone or as a worker. Resolves when the server listens. @throws as `serve` */
export async function serveInRole(
  role: WorkerRole | undefined,
  service: Service,
  config: Config,
  alone: ServingProcess,
  openLog: () => BufferedSink,
): Promise<Server> {
  if (role === undefined) return await serve(service, config, alone, openLog);
  const { serveAsWorker } = await import("./worker.js");
  return await serveAsWorker(role, service, config, openLog);
}

/** Reports why a server could not start: to the primary, or on standard error. A worker exits. */
export async function reportInRole(
  role: WorkerRole | undefined,
  error: unknown,
  alone: Pick<ServingProcess, "stderr" | "exitCode">,
): Promise<void> {
  if (role === undefined) reportStartError(error, alone);
  else await (await import("./worker.js")).reportFailure(error);
}
