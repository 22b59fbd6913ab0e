// A Unix socket on which a running command tells its status: who connects gets one JSON document.
import { chmod } from "node:fs/promises";
import { Server } from "node:net";
import process from "node:process";
import { bindAddress } from "../../listen/bind.js";
import { SettingError } from "../../program/setting-error.js";
import { version } from "../../program/version.js";
import type { Config } from "../config.js";
import type { ProcessReport, Status, WorkerStatus } from "./status.js";

/** What is served, at one moment. */
export interface Seen {
  readonly url: string;
  readonly report: ProcessReport;
  readonly workers: readonly WorkerStatus[];
}

export interface Control {
  /** Removes the socket if the start of what it tells of fails. */
  during<Result>(start: () => Promise<Result>): Promise<Result>;
  /** Removes the socket. */
  close(): void;
}

/**
 * Opens the socket that `--control` names, if one is wanted. Only the user of this process can connect.
 * @throws SettingError
 */
export async function openControl(
  { control, nameOf }: Pick<Config, "control" | "nameOf">,
  read: () => Promise<Seen>,
): Promise<Control> {
  const server = new Server((socket) => {
    socket.on("error", () => {});
    // The client has nothing to say.
    socket.resume();
    const answer = async () => socket.end(`${JSON.stringify(describe(await read()))}\n`);
    answer().catch(() => socket.destroy());
  });
  const close = () => void server.close();
  if (control !== undefined) {
    try {
      await bindAddress(server, { path: control });
      await chmod(control, 0o600);
    } catch (error) {
      throw new SettingError(`${nameOf("--control")}: ${(error as Error).message}`, 1);
    }
    server.on("error", () => {});
    // It is no reason to live on.
    server.unref();
  }
  return {
    close,
    async during(start) {
      try {
        return await start();
      } catch (error) {
        close();
        throw error;
      }
    },
  };
}

function describe({ url, report, workers }: Seen): Status {
  return { version: version(), pid: process.pid, uptimeSeconds: seconds(process.uptime()), url, ...report, workers };
}

/** In milliseconds' precision. */
function seconds(uptime: number): number {
  return Math.round(uptime * 1000) / 1000;
}
