// Reads from Node's handles what its sockets do not tell. The members used here are the same in Node 20, 22 and 24.
import type { Socket } from "node:net";

interface Handle {
  /** File descriptor; absent on Windows. */
  readonly fd?: number;
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  /** The handle below that of a TLS socket. */
  readonly _parent?: Handle;
  readStart?(): void;
  /** Handles of Unix sockets have none. */
  getpeername?(out: object): number;
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as { _handle?: Handle | null })._handle ?? undefined;
}

function tcpHandleOf(socket: Socket): Handle | undefined {
  const handle = handleOf(socket);
  return handle?._parent ?? handle;
}

/** Bytes that wait for the kernel to take them, after TLS. */
export function queuedBytes(socket: Socket): number {
  return tcpHandleOf(socket)?.writeQueueSize ?? 0;
}

/** Bytes that the kernel has taken, after TLS. */
export function sentBytes(socket: Socket): number {
  return (tcpHandleOf(socket)?.bytesWritten ?? 0) - queuedBytes(socket);
}

/** Whether a connection is one of TCP, and not of a Unix socket. */
export function isTcp(socket: Socket): boolean {
  return tcpHandleOf(socket)?.getpeername !== undefined;
}

/** Reads again where Node has stopped. Has no effect on a socket that is being read. */
export function resumeReading(socket: Socket): void {
  handleOf(socket)?.readStart?.();
}

/** The file descriptor of a socket, or undefined where the platform has none. */
export function descriptorOf(socket: Socket): number | undefined {
  return tcpHandleOf(socket)?.fd;
}
