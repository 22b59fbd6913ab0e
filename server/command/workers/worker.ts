// A worker: serves the port together with others, and leaves signals to the primary.

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { BufferedSink } from "../../operate/log.js";
import { SettingError } from "../../program/setting-error.js";
import type { Server } from "../../server.js";
import { isWithin } from "../../within.js";
import type { Config } from "../config.js";
import { Ending } from "../lifecycle.js";
import { bannerOf, firstSchemaMs, listen, logUpstreams, type Prepared, prepare, warnIfUnreachable } from "../serve.js";
import type { Service } from "../service.js";
import { readReport } from "../status/status.js";
import { acceptFromPrimary } from "./handed-connections.js";
import { isOrder, type WorkerRole } from "./messages.js";
import { tell } from "./tell.js";
import { gatherFromPrimary } from "./worker-metrics.js";

/** Milliseconds that a successor waits for the schemas of upstreams. */
const successorSchemaMs = 10_000;

/** Signals of a terminal, and of supervisors that send them to every process of a service. */
export function leaveSignalsToPrimary(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
}

/** Resolves when the worker listens. @throws as `serve` */
export async function serveAsWorker(
  role: WorkerRole,
  service: Service,
  config: Config,
  openLog: () => BufferedSink,
): Promise<Server> {
  const { worker, stderr } = role;
  const terminal = { write: () => {}, isTTY: stderr.isTTY, hasColors: () => stderr.hasColors };
  const fields = { worker, pid: process.pid };
  const prepared = await prepare(service, config, terminal, openLog, {
    fields,
    accept: acceptFromPrimary,
    gatherMetrics: gatherFromPrimary(),
  });
  const { server, live } = prepared.parts;
  await learnUpstreams(prepared, role);
  await listen(prepared);
  followPrimary(prepared);
  logUpstreams(live, prepared.logger);
  if (role.isFirst) warnIfUnreachable(prepared, process.env);
  await tell({ manywire: "listening", url: server.url, banner: role.isFirst ? bannerOf(prepared) : "" });
  return server;
}

/** So that no call comes to a worker that does not know its method yet. */
async function learnUpstreams({ parts }: Prepared, { isSuccessor }: WorkerRole): Promise<void> {
  const { upstreams } = parts.live;
  upstreams.start();
  const isReady = await isWithin(upstreams.ready, isSuccessor ? successorSchemaMs : firstSchemaMs);
  if (isReady || !isSuccessor) return;
  parts.live.close();
  throw upstreams.problem ?? new Error("the schemas of upstreams did not come in time");
}

/** It ends when the primary says so: then no more connections are on their way. */
function followPrimary({ parts, metrics, options, logger, log }: Prepared): void {
  let exitCode = 0;
  const ending = new Ending(process, { server: { close: parts.retire }, logger, log, now: () => performance.now() });
  const leave = () => tell({ manywire: "leaving" });
  process.on("message", async (message: unknown) => {
    if (!isOrder(message)) return;
    if (message.manywire === "measure") {
      await tell({ manywire: "snapshot", id: message.id, snapshot: (await metrics?.snapshot()) ?? [] });
    }
    if (message.manywire === "ask") void tell({ manywire: "report", id: message.id, report: readReport(parts) });
    if (message.manywire === "retire") ending.begin(exitCode);
    if (message.manywire !== "drain") return;
    parts.server.health.shutdown();
    await delay(options.drainDelayMs ?? 0);
    await leave();
  });
  // Unhandled rejections come here as well.
  process.on("uncaughtException", (error, origin) => {
    logger.error({ err: error, origin }, "uncaught error");
    exitCode = 1;
    void leave();
  });
  // Without a primary no connections come, and no orders.
  process.on("disconnect", () => ending.begin(exitCode));
}

/** Tells the primary why this worker could not start, and exits. */
export async function reportFailure(error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const exitCode = error instanceof SettingError ? error.exitCode : 1;
  await tell({ manywire: "failed", message, exitCode });
  process.exit(exitCode);
}
