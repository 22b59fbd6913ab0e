// A TCP or TLS client of which a test writes every byte itself.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { authority } from "./certificates.js";

/** A connection. What comes is kept. To be disposed, which cuts it. */
export class RawSocket implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection is closed, by whomever and however. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  readonly #transport: Socket;
  #waiting: (() => void)[] = [];

  /** @param transport the TCP socket, if `socket` is a TLS one */
  constructor(socket: Socket, transport: Socket = socket) {
    this.socket = socket;
    this.#transport = transport;
    // What is written leaves at once, and does not wait for the peer to acknowledge what went before.
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    // A reset is one of the ways in which a server may end a connection; `closed` tells.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.once("close", () => this.#wake());
  }

  /** All that has come so far. */
  get received(): Buffer {
    return this.#received;
  }

  /** The same as text, one character a byte. */
  get text(): string {
    return this.#received.toString("latin1");
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Ends our side, as a client does that has nothing more to say. */
  end(): void {
    this.socket.end();
  }

  /** Vanishes: the peer gets a reset (RST), without a farewell of any protocol. */
  vanish(): void {
    this.#transport.resetAndDestroy();
  }

  /** Waits until what has come matches, as text. Throws if the connection is closed before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (this.socket.closed) throw new Error(`expected ${pattern}, found the end after ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits for so many bytes. Throws if the connection is closed before. */
  async untilBytes(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.socket.closed) throw new Error(`expected ${count} bytes, found the end after ${this.#received.length}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Connects to the place of a URL, with TLS if it is an `https:` one. The test's own authority is trusted. */
export async function openRaw(url: string, tls: ConnectionOptions = {}): Promise<RawSocket> {
  const { hostname, port, protocol } = new URL(url);
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
  if (protocol !== "https:") {
    const socket = connect(address);
    await once(socket, "connect");
    return new RawSocket(socket);
  }
  const transport = connect(address);
  // The error comes on the TLS socket, too.
  transport.on("error", () => {});
  const socket = connectTls({ ca: authority, host: address.host, socket: transport, ...tls });
  await once(socket, "secureConnect");
  return new RawSocket(socket, transport);
}
