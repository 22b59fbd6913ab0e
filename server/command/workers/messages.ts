// What a primary process and its workers tell each other: over IPC, and what a worker learns when it starts.
import type { BoundAddress, ListenAddress } from "../../listen/bind.js";
import type { MetricsSnapshot } from "../../operate/metrics/index.js";
import type { ProcessReport } from "../status/status.js";

/** What a worker gets when it starts, in its environment. */
export interface WorkerRole {
  /** From 1. A process that takes the place of another has its number. */
  readonly worker: number;
  /** Whether it is the first one, which tells of all. */
  readonly isFirst: boolean;
  /** Whether it takes the place of a process that serves: then it has to know the schemas of all upstreams first. */
  readonly isSuccessor: boolean;
  /** Standard error of the primary, which passes on what workers write. */
  readonly stderr: { readonly isTTY: boolean; readonly hasColors: boolean };
}

/** From a worker to the primary. */
export type WorkerNews =
  /** It is ready for connections to an address. */
  | { readonly manywire: "bind"; readonly address: ListenAddress }
  /** It serves. */
  | { readonly manywire: "listening"; readonly url: string; readonly banner: string }
  /** It could not start. `exitCode` is that of the command. */
  | { readonly manywire: "failed"; readonly message: string; readonly exitCode: 1 | 2 }
  /** Its metrics, which were asked for. */
  | { readonly manywire: "snapshot"; readonly id: number; readonly snapshot: MetricsSnapshot }
  /** It asks for the metrics of all. */
  | { readonly manywire: "gather"; readonly id: number }
  /** What was asked for. */
  | { readonly manywire: "report"; readonly id: number; readonly report: ProcessReport }
  /** It wants to end: an error was not caught. */
  | { readonly manywire: "leaving" };

/** From the primary to a worker. */
export type WorkerOrder =
  /** The address is bound. */
  | { readonly manywire: "bound"; readonly bound: BoundAddress }
  /** Comes with a socket. */
  | { readonly manywire: "connection" }
  /** Asks for its metrics. */
  | { readonly manywire: "measure"; readonly id: number }
  /** The metrics of all, which it has asked for. */
  | { readonly manywire: "gathered"; readonly id: number; readonly snapshots: readonly MetricsSnapshot[] }
  /** Asks for a report. */
  | { readonly manywire: "ask"; readonly id: number }
  /** The whole command ends: health checks are to fail, and after the drain delay it wants to end. */
  | { readonly manywire: "drain" }
  /** Other processes go on serving the address. No connection follows. */
  | { readonly manywire: "retire" };

/** Messages of the application's own modules come by the same channel. */
export function isNews(message: unknown): message is WorkerNews {
  return isTagged(message, ["bind", "listening", "failed", "snapshot", "gather", "report", "leaving"]);
}

export function isOrder(message: unknown): message is WorkerOrder {
  return isTagged(message, ["bound", "connection", "measure", "gathered", "ask", "drain", "retire"]);
}

function isTagged(message: unknown, tags: readonly string[]): boolean {
  return (
    typeof message === "object" && message !== null && "manywire" in message && tags.includes(String(message.manywire))
  );
}

/** Variable with the role of a worker, as JSON. */
export const roleVariable = "MANYWIRE_WORKER_ROLE";
