// Reads the PROXY header of a connection before anything else, TLS included.
import type { Socket } from "node:net";
import type { Clock } from "../clock.js";
import { setPeer } from "../http/peer.js";
import { readFirstBytes } from "./first-bytes.js";
import { ProxyHeaderError, parseProxyHeader } from "./proxy-protocol.js";

/** Proxies before a listener, each of which brings the connections or requests of many clients. */
export interface FrontProxies {
  /** Whether an address is that of a proxy. */
  readonly includes: (address: string) => boolean;
  /** Whether their connections begin with a PROXY header. */
  readonly sendHeaders: boolean;
}

export const noProxies: FrontProxies = { includes: () => false, sendHeaders: false };

/**
 * Takes the header off a socket, notes the client that it names, and calls `found` once. If the socket ends first, if its bytes
 * are no header, or if the header is not complete within `timeoutMs`, the socket is destroyed and `found` is not called.
 *
 * @param onFault called with an error of the header, before the socket is destroyed
 * @param onTimeout called before a socket is destroyed for its time
 */
export function readProxyHeader(
  socket: Socket,
  timeoutMs: number,
  clock: Clock,
  found: () => void,
  onFault: (error: ProxyHeaderError) => void,
  onTimeout: () => void,
): void {
  readFirstBytes(socket, {
    timeoutMs,
    clock,
    onTimeout,
    read(bytes) {
      try {
        const header = parseProxyHeader(bytes);
        if (header === undefined) return undefined;
        if (header.source !== undefined) setPeer(socket, header.source);
        return { rest: bytes.subarray(header.bytes), go: found };
      } catch (error) {
        if (!(error instanceof ProxyHeaderError)) throw error;
        onFault(error);
        socket.destroy();
        return undefined;
      }
    },
  });
}
