// A server of HTTP/2 that sends the bytes that a test gives it, and records what it receives.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { ConnectError } from "../../../../client/index.js";
import { FrameReader } from "../../../../server/http2/frame/frame-reader.js";
import { clientPreface } from "../../../../server/http2/frame/frame-types.js";
import { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import { data, fieldsOf, frame, headers, settings, settingsAck, uint32 } from "../../../support/http2-peer.js";

/** One frame as it has arrived. */
export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
  /** Of HEADERS. */
  readonly fields: Record<string, string>;
}

/** One connection to the server. */
export class Peer {
  readonly socket: Socket;
  readonly frames: SeenFrame[] = [];
  readonly #script: Script;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder();
  readonly #trips = new Map<string, () => void>();
  #prefaceBytes = 0;
  #pingCount = 0;

  constructor(socket: Socket, script: Script) {
    this.socket = socket;
    this.#script = script;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#receive(chunk));
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Resolves when the client has read all that was sent, and what it has written since has come. */
  async roundTrip(): Promise<void> {
    this.#pingCount++;
    const payload = Buffer.from([...Buffer.from("trip"), ...uint32(this.#pingCount)]);
    await new Promise<void>((resolve) => {
      this.#trips.set(payload.toString("hex"), resolve);
      this.send(frame(6, 0, 0, payload));
    });
  }

  /** The streams that have been opened, in order. */
  get requests(): number[] {
    return this.frames.filter(({ type }) => type === 1).map(({ id }) => id);
  }

  #receive(chunk: Buffer): void {
    const skipped = Math.min(clientPreface.length - this.#prefaceBytes, chunk.length);
    this.#prefaceBytes += skipped;
    this.#reader.feed(chunk.subarray(skipped));
    while (this.#reader.next()) this.#onFrame(this.#reader);
  }

  #onFrame({ type, flags, streamId: id, bytes, start, end }: FrameReader): void {
    const payload = Buffer.from(bytes.slice(start, end));
    const decoded = type === 1 ? (this.#decoder.decode(bytes, 1e6, start, end) ?? []) : [];
    const fields = Object.fromEntries(decoded.map(({ name, value }) => [name, value]));
    const seen = { type, flags, id, payload, fields };
    this.frames.push(seen);
    if (type === 4 && (flags & 1) === 0 && this.#script.settings !== null) this.send(settingsAck);
    if (type === 6 && (flags & 1) === 0 && this.#script.isMute !== true) this.send(frame(6, 1, 0, payload));
    if (type === 6 && (flags & 1) !== 0) this.#trips.get(payload.toString("hex"))?.();
    this.#script.onFrame?.(seen, this);
    if (type === 1) this.#script.onRequest?.(id, this);
  }
}

export interface Script {
  /** Entries of its SETTINGS, or null to send none, and no acknowledgement. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | null;
  /** Whether it leaves PING unanswered. */
  readonly isMute?: boolean;
  onConnect?(peer: Peer): void;
  onRequest?(id: number, peer: Peer): void;
  onFrame?(frame: SeenFrame, peer: Peer): void;
}

export interface ScriptedServer {
  readonly url: string;
  /** The connections, in order. */
  readonly peers: Peer[];
  /** Stops listening, and resets its connections. Resolves when it has. */
  close(): Promise<void>;
}

/** Starts a server, which ends with the test. */
export async function startScriptedServer(script: Script, port = 0, host = "127.0.0.1"): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const server = createServer((socket) => {
    const peer = new Peer(socket, script);
    peers.push(peer);
    if (script.settings !== null) peer.send(settings(...(script.settings ?? [])));
    script.onConnect?.(peer);
  });
  server.listen(port, host);
  await once(server, "listening");
  const close = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const { socket } of peers) socket.resetAndDestroy();
    await closed;
  };
  onTestFinished(close);
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, peers, close };
}

/** The head of a gRPC response. */
export const head = (id: number, flags = 4): Uint8Array =>
  headers(
    id,
    fieldsOf([
      [":status", "200"],
      ["content-type", "application/grpc+proto"],
    ]),
    flags,
  );

/** A gRPC response with an empty message. */
export const reply = (id: number): Uint8Array[] => [
  head(id),
  data(id, "\0\0\0\0\0"),
  headers(id, fieldsOf([["grpc-status", "0"]]), 5),
];

export const answer = (id: number, peer: Peer): void => peer.send(...reply(id));

export const goaway = (lastId: number, code = 0, text = ""): Uint8Array =>
  frame(7, 0, 0, [...uint32(lastId), ...uint32(code), ...Buffer.from(text)]);

/** Code and message of the error that a call fails with. */
export const failureOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "the call succeeded",
    (error: unknown) => ConnectError.from(error).message,
  );

export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(5);
}
