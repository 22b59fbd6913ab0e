// The socket that a supervisor listens on and passes to this process (sd_listen_fds(3)), as systemd does for a `.socket` unit.
import { SettingError } from "../program/setting-error.js";

/** Variables of the environment. */
interface Passing {
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_PID?: string | undefined;
}

/** The first descriptor after standard input, output and error. */
const firstDescriptor = 3;

/**
 * Returns the descriptor of the socket, or undefined if the variables `LISTEN_FDS` and `LISTEN_PID` pass none to this process.
 *
 * @throws SettingError if it is more than one
 */
export function readActivation({ LISTEN_FDS, LISTEN_PID }: Passing, pid: number): number | undefined {
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return undefined;
  if (LISTEN_FDS === "1") return firstDescriptor;
  throw new SettingError(`LISTEN_FDS: expected 1 socket, found ${JSON.stringify(LISTEN_FDS)}`, 2);
}
