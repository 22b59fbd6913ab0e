// The workers of a primary process: starts them, replaces those that die and, when that is wanted, all of them, and drains them.
import type { Logger } from "pino";
import type { Seen } from "../status/control.js";
import { sumReports, type WorkerStatus } from "../status/status.js";
import type { WorkerRole } from "./messages.js";
import type { SharedPorts } from "./shared-port.js";
import { describeExit, type Ready, type WorkerProcess } from "./worker-process.js";

export interface WorkersParts {
  readonly fork: (role: WorkerRole) => WorkerProcess;
  readonly ports: Pick<SharedPorts, "closeUnused">;
  readonly logger: Logger;
  /** Standard error of this process. */
  readonly stderr: WorkerRole["stderr"];
  /** A clock in milliseconds. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. Rejects when the signal fires. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** The place of one worker. */
interface Slot {
  readonly worker: number;
  /** Undefined while none serves. */
  process: WorkerProcess | undefined;
  startedMs: number;
  /** Processes that took the place of one that had died. */
  restarts: number;
  /** Deaths in a row, each soon after the start. */
  failures: number;
  /** Ends the attempts to fill it. */
  filling: AbortController | undefined;
}

/** A worker that has lived for so long has not died of its start. Milliseconds. */
const livedMs = 10_000;

const firstBackoffMs = 1000;
const maxBackoffMs = 30_000;

/** Milliseconds to wait before a worker is replaced after so many deaths in a row, each soon after its start. */
export function restartDelayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(firstBackoffMs * 2 ** (failures - 1), maxBackoffMs);
}

export class Workers {
  readonly #parts: WorkersParts;
  readonly #slots = new Map<number, Slot>();
  /** All processes, those that drain included. */
  readonly #processes = new Set<WorkerProcess>();
  /** Those that have listened. */
  readonly #serving = new Map<WorkerProcess, Ready>();
  #url = "";
  #isClosing = false;
  #lastReplacement: Promise<void> = Promise.resolve();

  constructor(parts: WorkersParts) {
    this.#parts = parts;
  }

  /**
   * Starts so many workers. The first one starts alone, so that what is wrong is said once.
   *
   * @throws what the first worker says that cannot start; then all have been ended. Does not resolve if they are closed.
   */
  async start(count: number): Promise<Ready> {
    try {
      const first = await this.#open(1, { isFirst: true });
      this.#url = first.url;
      const numbers = Array.from({ length: count - 1 }, (_, index) => index + 2);
      await Promise.all(numbers.map((number) => this.#open(number, { isFirst: false })));
      return first;
    } catch (error) {
      if (this.#isClosing) return await new Promise<never>(() => {});
      this.#isClosing = true;
      this.kill();
      throw error;
    }
  }

  /**
   * Replaces one worker after the other: the new one listens before the old one drains. Rejects with what the first new one
   * says that cannot start; then the workers that are left stay.
   */
  replace(count: number): Promise<void> {
    const replacement = this.#lastReplacement.then(() => this.#replace(count));
    this.#lastReplacement = replacement.catch(() => {});
    return replacement;
  }

  /** What all places tell of themselves. */
  async read(): Promise<Seen> {
    const slots = [...this.#slots.values()].sort((a, b) => a.worker - b.worker);
    const reports = await Promise.all(slots.map(({ process }) => process?.report()));
    const workers = slots.map(({ worker, process, startedMs, restarts }, index): WorkerStatus => {
      const uptimeSeconds = process === undefined ? 0 : Math.round(this.#parts.now() - startedMs) / 1000;
      const { upstreams: _, ...report } = reports[index] ?? { upstreams: [] };
      return {
        worker,
        pid: process?.pid ?? null,
        uptimeSeconds,
        restarts,
        report: "health" in report ? report : null,
      };
    });
    return { url: this.#url, report: sumReports(reports.filter((report) => report !== undefined)), workers };
  }

  /** Drains all workers. Rejects if one of them ends with an error. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const { filling } of this.#slots.values()) filling?.abort();
    const ends = await Promise.all(
      [...this.#processes].map(async (process) => {
        const isServing = this.#serving.has(process);
        if (isServing) process.send({ manywire: "drain" });
        else process.kill();
        return { isServing, exit: await process.exited };
      }),
    );
    const failed = ends.find(({ isServing, exit }) => isServing && exit.exitCode !== 0);
    if (failed !== undefined) throw new Error(`a worker ended with ${describeExit(failed.exit)}`);
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const process of this.#processes) process.kill();
  }

  async #replace(count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    for (const worker of numbers) {
      if (this.#isClosing) return;
      const old = this.#slots.get(worker)?.process;
      await this.#open(worker, { isFirst: false });
      this.#retireOld(worker, old);
    }
    for (const slot of [...this.#slots.values()].filter(({ worker }) => worker > count)) {
      this.#slots.delete(slot.worker);
      slot.filling?.abort();
      this.#retireOld(slot.worker, slot.process);
    }
    this.#parts.ports.closeUnused();
  }

  #retireOld(worker: number, process: WorkerProcess | undefined): void {
    if (process === undefined || !this.#processes.has(process)) return;
    this.#parts.logger.info({ worker, pid: process.pid }, "worker replaced; draining");
    this.#retire(process);
  }

  /** Lets a process end after the connections that it has been given. */
  #retire(process: WorkerProcess): void {
    this.#serving.get(process)?.port.remove(process);
    process.send({ manywire: "retire" });
    if (this.#isClosing) this.#parts.ports.closeUnused();
  }

  /** Starts a process for a place. Resolves when it listens, and has the place. */
  async #open(worker: number, { isFirst }: { isFirst: boolean }): Promise<Ready> {
    const { fork, stderr, logger, now } = this.#parts;
    const slot = this.#slots.get(worker);
    const isSuccessor = slot?.process !== undefined;
    const process = fork({ worker, isFirst, isSuccessor, stderr });
    this.#processes.add(process);
    void process.exited.then(() => {
      this.#processes.delete(process);
      this.#serving.get(process)?.port.remove(process);
      this.#serving.delete(process);
    });
    const ready = await process.ready;
    if (this.#isClosing) {
      process.kill();
      throw new Error("the command ends");
    }
    slot?.filling?.abort();
    const restarts = slot?.restarts ?? 0;
    const failures = slot?.failures ?? 0;
    const filled: Slot = { worker, process, startedMs: now(), restarts, failures, filling: undefined };
    this.#slots.set(worker, filled);
    this.#serving.set(process, ready);
    ready.port.add(process);
    logger.info({ worker, pid: process.pid }, "worker started");
    void this.#watch(filled, process);
    return ready;
  }

  /** Logs the end of a process, and fills its place if it was not wanted. */
  async #watch(slot: Slot, process: WorkerProcess): Promise<void> {
    const { logger } = this.#parts;
    const { worker } = slot;
    void process.exited.then((exit) => {
      const isWanted = exit.exitCode === 0 && (this.#isClosing || this.#slots.get(worker)?.process !== process);
      const fields = {
        worker,
        pid: process.pid,
        ...(exit.signal === null ? { exitCode: exit.exitCode } : { signal: exit.signal }),
      };
      if (isWanted) logger.info(fields, "worker ended");
      else logger.error(fields, "worker died");
    });
    await process.left;
    this.#retire(process);
    if (this.#isClosing || this.#slots.get(worker) !== slot) return;
    slot.failures = this.#parts.now() - slot.startedMs < livedMs ? slot.failures + 1 : 0;
    slot.process = undefined;
    await this.#fill(slot);
  }

  async #fill(slot: Slot): Promise<void> {
    const { logger, delay } = this.#parts;
    const filling = new AbortController();
    slot.filling = filling;
    while (!filling.signal.aborted) {
      const delayMs = restartDelayMs(slot.failures);
      if (delayMs > 0) logger.warn({ worker: slot.worker, delayMs }, "worker starts again later");
      try {
        await delay(delayMs, filling.signal);
      } catch {
        return;
      }
      try {
        slot.restarts++;
        await this.#open(slot.worker, { isFirst: false });
        return;
      } catch (error) {
        if (filling.signal.aborted) return;
        slot.failures++;
        logger.error({ worker: slot.worker, reason: (error as Error).message }, "worker not started");
      }
    }
  }
}
