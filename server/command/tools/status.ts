// `manywire status`: shows what a running command tells on its control socket.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { SettingError } from "../../program/setting-error.js";
import { formatStatus, type Status } from "../status/status.js";
import type { ToolStreams } from "./call.js";

export interface StatusFlags {
  /** Path of the socket. */
  readonly control?: string;
  readonly json: boolean;
}

/** Exit codes, as those of `manywire health`. */
const exitCodes = { serving: 0, noProcess: 2, notServing: 4 } as const;

/** Milliseconds to wait for a status. Workers that do not respond take one second of it. */
const patienceMs = 5000;

/** Prints the status. Resolves to the exit code. @throws SettingError without a path */
export async function showStatus(
  { control = process.env.MANYWIRE_CONTROL ?? "", json }: StatusFlags,
  { stdout, stderr }: Pick<ToolStreams, "stdout" | "stderr">,
): Promise<number> {
  if (control === "") throw new SettingError("--control: expected the socket that the server was started with", 2);
  try {
    const status: Status = JSON.parse(await readAll(control));
    stdout.write(json ? `${JSON.stringify(status, undefined, 2)}\n` : formatStatus(status));
    return status.health === "SERVING" ? exitCodes.serving : exitCodes.notServing;
  } catch (error) {
    stderr.write(`error: ${control}: ${reasonOf(error)}\n`);
    return exitCodes.noProcess;
  }
}

async function readAll(path: string): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error("no response")));
  return await text(socket);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such socket; is the server running, with --control?";
  if (code === "ECONNREFUSED") return "no process listens on this socket any more";
  return code === "EACCES" ? "no permission; the server runs as another user" : message;
}
