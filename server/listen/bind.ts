// Binds a server to an address, with errors that name the address and tell what is wrong with it.
import type { Stats } from "node:fs";
import { lstat, stat, unlink } from "node:fs/promises";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect } from "node:net";
import { dirname } from "node:path";

/** A TCP port (0 for any free one), the path of a Unix socket, or the descriptor of a socket that listens. */
export type ListenAddress = { host: string; port: number } | { path: string } | { fd: number };

/** What a server is bound to: an address with its port, or the path of a Unix socket. */
export type BoundAddress = AddressInfo | string | null;

/**
 * Brings connections that another process accepts. Resolves when they may come.
 * @throws ListenError
 */
export type Accept = (address: ListenAddress, onSocket: (socket: Socket) => void) => Promise<BoundAddress>;

/** The address could not be bound; `code` is Node's, such as EADDRINUSE. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Resolves when the server listens. A socket file that no process listens on any more is replaced.
 * @throws ListenError
 */
export async function bindAddress(server: Server, address: ListenAddress): Promise<void> {
  try {
    checkPath(address);
    await listen(server, address);
  } catch (cause) {
    const { code = "UNKNOWN" } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" && "path" in address && (await isAbandoned(address.path))) {
      await unlink(address.path);
      return bindAddress(server, address);
    }
    const reason = (await reasonOf(address, code)) ?? (cause as Error).message;
    throw new ListenError(`${formatAddress(address)}: ${reason}`, code, { cause });
  }
}

async function reasonOf(address: ListenAddress, code: string): Promise<string | undefined> {
  if ("fd" in address) return DESCRIPTOR_REASONS[code];
  return "path" in address ? await pathReason(address.path, code) : PORT_REASONS[code];
}

/** Node 20 and 22 would cut a path that is too long, and listen there. */
function checkPath(address: ListenAddress): void {
  if ("path" in address && Buffer.byteLength(address.path) > MOST_PATH_BYTES) {
    throw Object.assign(new Error(`more than ${MOST_PATH_BYTES} bytes`), { code: "EINVAL" });
  }
}

/** `sun_path` of sockaddr_un, without the NUL at its end. */
const MOST_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

const PORT_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "already in use",
  EACCES: "no permission to listen on this port",
  EADDRNOTAVAIL: "not an address of this machine",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  ERR_SOCKET_BAD_PORT: "expected a port from 0 to 65535",
};

const DESCRIPTOR_REASONS: Readonly<Record<string, string>> = {
  EINVAL: "expected a socket that listens",
  ENOTSOCK: "expected a socket that listens",
};

const PATH_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "already in use",
  EACCES: "no permission to write in this folder",
  EINVAL: "too long for the path of a socket",
};

/** Node says EACCES where the folder is missing as well. */
async function pathReason(path: string, code: string): Promise<string | undefined> {
  return code === "EACCES" && (await isMissing(dirname(path))) ? "no such folder" : PATH_REASONS[code];
}

function isMissing(folder: string): Promise<boolean> {
  return stat(folder).then(
    (stats) => !stats.isDirectory(),
    (error: NodeJS.ErrnoException) => error.code !== "EACCES",
  );
}

/** Whether `path` is a socket file, not any other file, and no process listens on it. */
async function isAbandoned(path: string): Promise<boolean> {
  const stats: Stats | undefined = await lstat(path).catch(() => undefined);
  if (stats?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(false)).once("connect", () => probe.destroy());
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

/** Shows an address in an error, in the notation of URLs. */
export function formatAddress(address: ListenAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  if ("fd" in address) return `fd:${address.fd}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/**
 * The URL of a bound server: with the port it got, and a Unix socket as `unix:/path`. Of a descriptor whose address is not known,
 * as with a Unix socket, it is `fd:3`.
 */
export function formatUrl(address: ListenAddress, bound: BoundAddress, isSecure: boolean): string {
  if ("path" in address) return formatAddress(address);
  if (typeof bound === "string") return formatAddress({ path: bound });
  if (!("fd" in address)) return formatTcpUrl(address.host, bound?.port ?? address.port, isSecure);
  // Node knows no path of a Unix socket that it has not made, and returns nothing at all.
  return bound?.port === undefined ? formatAddress(address) : formatTcpUrl(bound.address, bound.port, isSecure);
}

function formatTcpUrl(host: string, port: number, isSecure: boolean): string {
  return `${isSecure ? "https" : "http"}://${formatAddress({ host, port })}`;
}
