// A server behind a proxy, of HTTP/2 by its bytes, which misbehaves as a script says.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { frameTypes } from "../support/http2-frames.js";
import { data, fieldsOf, headers, settings } from "../support/http2-peer.js";
import { Peer, type Script, type SeenFrame } from "../support/scripted-peer.js";

/** The headers of a response of gRPC, without its end. */
export const responseHead = (id: number): Uint8Array =>
  headers(
    id,
    fieldsOf([
      [":status", "200"],
      ["content-type", "application/grpc"],
    ]),
    4,
  );

/** A message that is empty. */
export const message = (id: number): Uint8Array => data(id, "\0\0\0\0\0");

/** Trailers with a status, and the end of the response. */
export const trailers = (id: number, status = "0"): Uint8Array => headers(id, fieldsOf([["grpc-status", status]]), 5);

/** The frames of a good response. */
export const goodResponse = (id: number): Uint8Array[] => [responseHead(id), message(id), trailers(id)];

/** What happens at the beginning of a connection, and to its calls. */
export type HostileScript = Omit<Script, "onFrame" | "isMute">;

const good: HostileScript = { onRequest: (id, peer) => peer.send(...goodResponse(id)) };

/** To be disposed, which closes its connections. */
export class HostileUpstream implements AsyncDisposable {
  /** What it does. Settings, and what happens at the beginning of a connection, are those of the time when it is accepted. */
  script: HostileScript = good;
  readonly #server: Server;
  readonly #peers = new Set<Peer>();

  private constructor() {
    this.#server = createServer((socket) => {
      const { script } = this;
      const peer = new Peer(socket, {
        ...(script.settings !== undefined && { settings: script.settings }),
        onFrame: (frame, peer) => this.#onFrame(frame, peer),
      });
      this.#peers.add(peer);
      socket.once("close", () => this.#peers.delete(peer));
      if (script.settings !== null) peer.send(settings(...(script.settings ?? [])));
      script.onConnect?.(peer);
    });
  }

  static async start(): Promise<HostileUpstream> {
    const upstream = new HostileUpstream();
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  /** The method `Get` behaves in all scripts. Calls of other services, as of health, are the proxy's own. */
  #onFrame({ type, id, fields }: SeenFrame, peer: Peer): void {
    if (type !== frameTypes.headers) return;
    const path = fields[":path"] ?? "";
    if (path.endsWith(".TestService/Get")) peer.send(...goodResponse(id));
    else if (path.includes(".TestService/")) this.script.onRequest?.(id, peer);
    else peer.send(responseHead(id), trailers(id, "12"));
  }

  /** As `upstreams` takes it. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Behaves from now on. */
  behave(): void {
    this.script = good;
  }

  /** Closes all connections. */
  cut(): void {
    for (const { socket } of this.#peers) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
