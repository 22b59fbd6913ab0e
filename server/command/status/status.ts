// What `manywire status` shows: of one process, or of a primary and its workers. All of it is JSON.
import type { ServerParts } from "../../server.js";

/** What a process that serves tells of itself. */
export interface ProcessReport {
  readonly health: "SERVING" | "NOT_SERVING";
  /** Open connections. */
  readonly connections: number;
  /** Calls that have begun and not ended. */
  readonly activeCalls: number;
  readonly upstreams: readonly UpstreamReport[];
}

interface UpstreamReport {
  readonly url: string;
  /** Full names of the services that are served from it. */
  readonly services: readonly string[];
  /** Why it is not served; null if it is. */
  readonly problem: string | null;
}

export interface WorkerStatus {
  /** From 1. */
  readonly worker: number;
  /** Null while no process has this place: it has died, and another one is not there yet. */
  readonly pid: number | null;
  readonly uptimeSeconds: number;
  /** Processes that took the place of one that had died. */
  readonly restarts: number;
  /** Null if the process does not respond in time. */
  readonly report: Omit<ProcessReport, "upstreams"> | null;
}

export interface Status extends ProcessReport {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly url: string;
  /** Empty without `--workers`. */
  readonly workers: readonly WorkerStatus[];
}

export function readReport({ server, live }: Pick<ServerParts, "server" | "live">): ProcessReport {
  const { connections, activeCalls } = server.stats();
  return {
    health: server.health.isServing() ? "SERVING" : "NOT_SERVING",
    connections: Object.values(connections).reduce((sum, count) => sum + count, 0),
    activeCalls,
    upstreams: live.upstreams.all.map((upstream) => {
      const { url, services, problem = null } = live.stateOf(upstream);
      return { url, services, problem };
    }),
  };
}

/** Serving while at least one does. Upstreams are those that the first process sees. */
export function sumReports(reports: readonly ProcessReport[]): ProcessReport {
  const sum = (key: "connections" | "activeCalls") => reports.reduce((total, report) => total + report[key], 0);
  return {
    health: reports.some(({ health }) => health === "SERVING") ? "SERVING" : "NOT_SERVING",
    connections: sum("connections"),
    activeCalls: sum("activeCalls"),
    upstreams: reports[0]?.upstreams ?? [],
  };
}

/** Lines for people. */
export function formatStatus(status: Status): string {
  const { version, pid, uptimeSeconds, url, health, connections, activeCalls, workers, upstreams } = status;
  const lines = [
    `manywire ${version} on ${url}: ${health}`,
    `pid ${pid}, up ${formatTime(uptimeSeconds)}, ${connections} connections, ${activeCalls} active calls`,
    ...upstreams.map(({ url, services, problem }) => `upstream ${url}: ${problem ?? services.join(", ")}`),
    ...(workers.length === 0 ? [] : formatTable([workerColumns, ...workers.map(toCells)])),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const workerColumns = ["worker", "pid", "up", "restarts", "connections", "active calls", "health"];

function toCells({ worker, pid, uptimeSeconds, restarts, report }: WorkerStatus): string[] {
  const process = pid === null ? ["-", "-"] : [String(pid), formatTime(uptimeSeconds)];
  const state = pid === null ? "DIED" : "NO RESPONSE";
  const numbers = report === null ? ["-", "-", state] : [report.connections, report.activeCalls, report.health];
  return [worker, ...process, restarts, ...numbers].map(String);
}

function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** `2h 5m`, `5m 3s` or `3s`. */
function formatTime(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${rest}s` : `${rest}s`;
}
