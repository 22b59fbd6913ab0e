// A worker as its primary sees it.
import { fork } from "node:child_process";
import type { Socket } from "node:net";
import process from "node:process";
import { createDeferred } from "../../deferred.js";
import { SettingError } from "../../program/setting-error.js";
import { resultWithin } from "../../within.js";
import type { ProcessReport } from "../status/status.js";
import { forwardLines } from "./forward-lines.js";
import { isNews, roleVariable, type WorkerNews, type WorkerOrder, type WorkerRole } from "./messages.js";
import type { SharedPort, Taker } from "./shared-port.js";
import type { WorkerMetrics } from "./worker-metrics.js";

/** What a worker that listens has said. */
export interface Ready {
  readonly url: string;
  /** Example calls; empty if it is not the first worker. */
  readonly banner: string;
  /** Where its connections come from. */
  readonly port: Pick<SharedPort, "add" | "remove">;
}

/** How a process ended. */
export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface WorkerProcess extends Taker {
  readonly pid: number;
  /** Resolves when it listens. Rejects with what it says if it cannot, or with its end. */
  readonly ready: Promise<Ready>;
  /** Resolves when it wants to end, or has ended. */
  readonly left: Promise<void>;
  readonly exited: Promise<Exit>;
  /** Returns what it tells of itself; undefined if it does not within a second. */
  report(): Promise<ProcessReport | undefined>;
  send(order: WorkerOrder): void;
  kill(): void;
}

const reportTimeoutMs = 1000;

export interface ForkParts {
  readonly metrics: WorkerMetrics;
  /** Takes what workers write to standard error, in whole lines. */
  readonly write: (lines: string) => void;
  /** Binds the address of a worker. Rejects with an error for the user. */
  readonly open: (address: Extract<WorkerNews, { manywire: "bind" }>["address"]) => Promise<SharedPort>;
}

/** Starts a worker: this program again, with the same arguments. */
export function forkWorker(role: WorkerRole, { write, open, metrics }: ForkParts): WorkerProcess {
  const [, program = "", ...args] = process.argv;
  const child = fork(program, args, {
    env: { ...process.env, [roleVariable]: JSON.stringify(role) },
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  const output = child.stderr === null ? Promise.resolve() : forwardLines(child.stderr, write);
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    // Without a number the system could not start it. Other errors are messages to a process that is gone.
    child.on("error", () => child.pid === undefined && resolve({ exitCode: null, signal: null }));
  }).then(async (exit) => {
    await output;
    return exit;
  });
  const send = (order: WorkerOrder) => {
    if (child.connected) child.send(order, () => {});
  };
  /** Not handed over yet. */
  const waiting = new Set<Socket>();
  const take = (socket: Socket) => {
    if (!child.connected) return false;
    waiting.add(socket);
    child.send({ manywire: "connection" } satisfies WorkerOrder, socket, {}, (error) => {
      if (error === null) waiting.delete(socket);
    });
    return true;
  };
  const asked = new Map<number, (report: ProcessReport) => void>();
  let lastId = 0;
  const report = async () => {
    const id = ++lastId;
    const reported = new Promise<ProcessReport>((resolve) => asked.set(id, resolve));
    send({ manywire: "ask", id });
    return await resultWithin(reported, reportTimeoutMs).finally(() => asked.delete(id));
  };
  const port = createDeferred<SharedPort>();
  const ready = createDeferred<Ready>();
  const left = createDeferred<void>();
  const fail = (error: unknown) => {
    ready.reject(error);
    child.kill("SIGKILL");
  };
  const bind = async (address: Parameters<ForkParts["open"]>[0]) => {
    const opened = await open(address);
    port.resolve(opened);
    send({ manywire: "bound", bound: opened.bound });
  };
  child.on("message", async (message) => {
    if (!isNews(message)) return;
    if (message.manywire === "bind") bind(message.address).catch(fail);
    else if (message.manywire === "listening") ready.resolve({ ...message, port: await port.promise });
    else if (message.manywire === "failed") fail(new SettingError(message.message, message.exitCode));
    else if (message.manywire === "snapshot") metrics.onSnapshot(message.id, message.snapshot);
    else if (message.manywire === "report") asked.get(message.id)?.(message.report);
    else if (message.manywire === "gather") {
      const { id } = message;
      send({ manywire: "gathered", id, snapshots: await metrics.read() });
    } else left.resolve();
  });
  metrics.add({ exited, send });
  void exited.then(async (exit) => {
    left.resolve();
    ready.reject(new Error(`worker ${role.worker}: ended with ${describeExit(exit)} before it listened`));
    // Nothing has been read from these: another worker can serve them.
    for (const socket of waiting) (await port.promise).give(socket);
  });
  ready.promise.catch(() => {});
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    left: left.promise,
    exited,
    take,
    report,
    send,
    kill: () => void child.kill("SIGKILL"),
  };
}

/** "exit code 1" or "SIGKILL". */
export function describeExit({ exitCode, signal }: Exit): string {
  return signal ?? (exitCode === null ? "no process" : `exit code ${exitCode}`);
}
