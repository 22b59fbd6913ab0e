// Accepts connections and gives each to one of several processes, in turn. The system does the same for processes that listen on
// one socket, but wakes them unevenly: docs/workers.md has figures.
import { Server, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { type BoundAddress, bindAddress, type ListenAddress } from "../../listen/bind.js";

/** Who takes connections. */
export interface Taker {
  /** Takes a connection that has not been read from; false if it cannot any more. */
  take(socket: Socket): boolean;
}

/** An address that is bound. */
export class SharedPort {
  readonly address: ListenAddress;
  // Both sides of a connection end for themselves, as with Node's own HTTP servers.
  readonly #server = new Server({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => this.give(socket));
  #takers: readonly Taker[] = [];
  #next = 0;

  private constructor(address: ListenAddress) {
    this.address = address;
  }

  /** @throws ListenError */
  static async open(address: ListenAddress): Promise<SharedPort> {
    const port = new SharedPort(address);
    await bindAddress(port.#server, address);
    // Node goes on accepting after an error of one connection.
    port.#server.on("error", () => {});
    return port;
  }

  get bound(): BoundAddress {
    return this.#server.address();
  }

  get isUsed(): boolean {
    return this.#takers.length > 0;
  }

  add(taker: Taker): void {
    this.#takers = [...this.#takers, taker];
  }

  remove(taker: Taker): void {
    this.#takers = this.#takers.filter((each) => each !== taker);
  }

  close(): void {
    this.#server.close();
  }

  /** Gives a connection to the next process that takes it. */
  give(socket: Socket): void {
    socket.on("error", () => {});
    for (let tries = this.#takers.length; tries > 0; tries--) {
      this.#next = (this.#next + 1) % this.#takers.length;
      if (this.#takers[this.#next]?.take(socket) === true) return;
    }
    // The client learns sooner than by a wait.
    socket.destroy();
  }
}

/** The addresses of all workers: one, but while a reload changes it. */
export class SharedPorts {
  readonly #ports: SharedPort[] = [];
  #opening: Promise<unknown> = Promise.resolve();

  /** Binds an address that is not bound yet. @throws ListenError */
  open(address: ListenAddress): Promise<SharedPort> {
    const opened = this.#opening.then(async () => {
      const known = this.#ports.find((port) => isDeepStrictEqual(port.address, address));
      if (known !== undefined) return known;
      const port = await SharedPort.open(address);
      this.#ports.push(port);
      return port;
    });
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** Closes the addresses that no process serves any more. */
  closeUnused(): void {
    for (const port of this.#ports.filter(({ isUsed }) => !isUsed)) this.#close(port);
  }

  /** Accepts no more connections. */
  close(): void {
    for (const port of [...this.#ports]) this.#close(port);
  }

  #close(port: SharedPort): void {
    port.close();
    this.#ports.splice(this.#ports.indexOf(port), 1);
  }
}
