// Closes new connections beyond the limits at once, before anything is read or a TLS handshake begins.
import type { Server, Socket } from "node:net";
import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { clientNetwork, peerOf } from "../http/peer.js";
import type { ListenLimits } from "./limits.js";
import type { FrontProxies } from "./proxy-header.js";
import type { Report } from "./report.js";
import { isTcp } from "./tcp-handle.js";

const reportMs = 60_000;

/** What limits of connections refuse. */
type ConnectionRefusal = "connections" | "connections_per_address";

const limitNames: Readonly<Record<ConnectionRefusal, keyof ListenLimits>> = {
  connections: "connections",
  connections_per_address: "connectionsPerAddress",
};

/**
 * Closing is cheaper than to accept no more: connections that wait in the backlog of the kernel would take the memory and the
 * patience of clients, which would else try another server.
 */
export class ConnectionLimit {
  readonly #limits: ListenLimits;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #reportError: Report;
  readonly #proxies: FrontProxies;
  #open = 0;
  readonly #forget = () => {
    this.#open--;
  };
  /** Network → open connections. */
  readonly #byNetwork = new Map<string, number>();
  /** Refusals that were not reported yet, and when others were. */
  readonly #unreported: Record<ConnectionRefusal, number> = { connections: 0, connections_per_address: 0 };
  readonly #reportedMs: Partial<Record<ConnectionRefusal, number>> = {};

  constructor(limits: ListenLimits, clock: Clock, counters: Counters, report: Report, proxies: FrontProxies) {
    this.#proxies = proxies;
    this.#limits = limits;
    this.#clock = clock;
    this.#counters = counters;
    this.#reportError = report;
  }

  /** Guards a server. To be called after all others have set their listeners of new connections. */
  guard(server: Server): void {
    const { connections, connectionsPerAddress } = this.#limits;
    if (connections === 0 && connectionsPerAddress === 0) return;
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      if (!this.#admits(socket) || !this.admitsAddress(socket, peerOf(socket))) return;
      for (const listener of listeners) listener.call(server, socket);
    });
  }

  /** Counts a connection until it is closed, or closes it if there are too many. */
  #admits(socket: Socket): boolean {
    if (this.#limits.connections === 0) return true;
    if (this.#open >= this.#limits.connections) return this.#refuse(socket, "connections");
    this.#open++;
    socket.once("close", this.#forget);
    return true;
  }

  /**
   * Counts a connection of an address until it is closed, or closes it if the address has too many. Proxies may have any
   * number: theirs are those of many clients.
   *
   * @param address that of the client, as `peerOf` has it; "" for a Unix socket, which has none
   */
  admitsAddress(socket: Socket, address: string): boolean {
    const { connectionsPerAddress } = this.#limits;
    if (connectionsPerAddress === 0 || address === "" || this.#proxies.includes(address)) return true;
    const network = clientNetwork(address);
    const count = this.#byNetwork.get(network) ?? 0;
    if (count >= connectionsPerAddress) return this.#refuse(socket, "connections_per_address");
    this.#byNetwork.set(network, count + 1);
    socket.once("close", () => this.#release(network));
    return true;
  }

  #release(network: string): void {
    const count = this.#byNetwork.get(network) ?? 0;
    if (count > 1) this.#byNetwork.set(network, count - 1);
    else this.#byNetwork.delete(network);
  }

  #refuse(socket: Socket, reason: ConnectionRefusal): false {
    socket.on("error", ignore);
    // After a reset the kernel keeps nothing of the connection. Unix sockets have none.
    if (isTcp(socket)) socket.resetAndDestroy();
    else socket.destroy();
    this.#counters.refuse(reason);
    this.#report(reason);
    return false;
  }

  /** Reports a refusal, together with those of the minute before. */
  #report(reason: ConnectionRefusal): void {
    this.#unreported[reason]++;
    const nowMs = this.#clock.now();
    if (nowMs - (this.#reportedMs[reason] ?? Number.NEGATIVE_INFINITY) < reportMs) return;
    const name = limitNames[reason];
    const message = `connections closed over limits.${name} (${this.#limits[name]}): ${this.#unreported[reason]}`;
    this.#reportedMs[reason] = nowMs;
    this.#unreported[reason] = 0;
    this.#reportError(new Error(message), "accept");
  }
}

function ignore(): void {}
