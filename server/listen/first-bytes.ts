// Reads the first bytes of a connection, before it is known who reads the rest.
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";

/** What the first bytes have told. */
export interface FirstBytes {
  /** Those of them that are for who reads the rest. */
  readonly rest: Buffer;
  /** Called when `rest` is back in the socket. */
  readonly go: () => void;
}

/** Who waits for the first bytes, and for how long. */
export interface FirstBytesInit {
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Called before a socket is destroyed for its time. */
  readonly onTimeout: () => void;
  /** Gets all bytes so far. Returns undefined to wait for more, or because it has destroyed the socket. */
  readonly read: (bytes: Buffer) => FirstBytes | undefined;
}

/** A socket that ends, or whose bytes tell nothing in time, is destroyed. */
export function readFirstBytes(socket: Socket, { timeoutMs, clock, onTimeout, read }: FirstBytesInit): void {
  let seen: Buffer | undefined;
  const cancelTimeout = clock.schedule(() => {
    onTimeout();
    cut();
  }, timeoutMs);

  function take(): void {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    seen = seen === undefined ? bytes : Buffer.concat([seen, bytes]);
    const found = read(seen);
    if (found === undefined) return;
    forget();
    if (found.rest.length > 0) socket.unshift(found.rest);
    found.go();
  }
  function cut(): void {
    socket.destroy();
  }
  function forget(): void {
    cancelTimeout();
    socket.off("readable", take).off("end", cut).off("close", forget);
  }
  socket.on("readable", take).on("end", cut).on("close", forget);
}
