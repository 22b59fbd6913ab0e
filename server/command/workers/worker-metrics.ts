// Metrics of all workers together: the primary asks each for a snapshot, and keeps the counts of those that have ended.
import process from "node:process";
import { sumSamples } from "../../operate/metrics/families.js";
import type { MetricsSnapshot } from "../../operate/metrics/index.js";
import { resultWithin } from "../../within.js";
import type { GatherMetrics } from "../metrics.js";
import { isOrder, type WorkerOrder } from "./messages.js";
import { tell } from "./tell.js";

/** Milliseconds for a worker to reply. */
const replyMs = 1000;

/** A worker, as its primary asks it. */
interface Asked {
  readonly exited: Promise<unknown>;
  send(order: WorkerOrder): void;
}

/** The metrics of all workers, in the primary. */
export class WorkerMetrics {
  /** What each worker that has not ended said last. */
  readonly #last = new Map<Asked, MetricsSnapshot>();
  readonly #workers = new Set<Asked>();
  readonly #replies = new Map<number, (snapshot: MetricsSnapshot) => void>();
  /** Counters of workers that have ended: a sum that shrinks would look like a restart of all. */
  #ended: readonly MetricsSnapshot[] = [];
  #lastId = 0;

  add(worker: Asked): void {
    this.#workers.add(worker);
    void worker.exited.then(() => this.#remove(worker));
  }

  /** A worker has replied. */
  onSnapshot(id: number, snapshot: MetricsSnapshot): void {
    this.#replies.get(id)?.(snapshot);
  }

  /** Returns a snapshot of each worker, the last one of a worker that does not reply in time, and those of ended workers. */
  async read(): Promise<readonly MetricsSnapshot[]> {
    await Promise.all([...this.#workers].map((worker) => this.#ask(worker)));
    return [...this.#last.values(), ...this.#ended];
  }

  async #ask(worker: Asked): Promise<void> {
    const id = ++this.#lastId;
    const reply = new Promise<MetricsSnapshot>((resolve) => this.#replies.set(id, resolve));
    worker.send({ manywire: "measure", id });
    const snapshot = await resultWithin(Promise.race([reply, worker.exited.then(() => undefined)]), replyMs);
    this.#replies.delete(id);
    if (snapshot !== undefined && this.#workers.has(worker)) this.#last.set(worker, snapshot);
  }

  #remove(worker: Asked): void {
    const last = this.#last.get(worker) ?? [];
    this.#workers.delete(worker);
    this.#last.delete(worker);
    this.#ended = addCounters(
      this.#ended[0] ?? [],
      last.filter(({ type }) => type === "counter" || type === "histogram"),
    );
  }
}

/** Adds values with equal labels. */
function addCounters(first: MetricsSnapshot, second: MetricsSnapshot): readonly MetricsSnapshot[] {
  const names = new Set([...first, ...second].map(({ name }) => name));
  const sum = [...names].flatMap((name) => {
    const both = [...first, ...second].filter((metric) => metric.name === name);
    const values = sumSamples(both.flatMap((metric) => metric.values));
    return both.slice(0, 1).map((metric) => ({ ...metric, values }));
  });
  return [sum];
}

/** In a worker: asks the primary for the metrics of all. */
export function gatherFromPrimary(): GatherMetrics {
  const waiting = new Map<number, (snapshots: readonly MetricsSnapshot[]) => void>();
  let lastId = 0;
  process.on("message", (message: unknown) => {
    if (isOrder(message) && message.manywire === "gathered") waiting.get(message.id)?.(message.snapshots);
  });
  return async (own) => {
    const id = ++lastId;
    const gathered = new Promise<readonly MetricsSnapshot[]>((resolve) => waiting.set(id, resolve));
    await tell({ manywire: "gather", id });
    const snapshots = await resultWithin(gathered, 2 * replyMs);
    waiting.delete(id);
    // Without a primary, its own are better than none.
    return snapshots ?? [await own.snapshot()];
  };
}
