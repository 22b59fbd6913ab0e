// One connection to a server of HTTP/2 that sends the bytes that a test gives it, and records what it receives.
import type { Socket } from "node:net";
import { FrameReader } from "../../server/http2/frame/frame-reader.js";
import { clientPreface } from "../../server/http2/frame/frame-types.js";
import { HpackDecoder } from "../../server/http2/hpack/decoder.js";
import { frame, settingsAck, uint32 } from "./http2-peer.js";

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
