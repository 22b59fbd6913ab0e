// A peer written by hand: it says which bytes a connection gets, and shows what came of them.

import { Connection } from "../../server/http2/connection.js";
import type { ConnectionListener } from "../../server/http2/connection-listener.js";
import type { ConnectionError } from "../../server/http2/errors.js";
import type { RequestFields, ResponseFields } from "../../server/http2/field-rules.js";
import { FrameReader } from "../../server/http2/frame/frame-reader.js";
import { clientPreface } from "../../server/http2/frame/frame-types.js";
import { HpackDecoder } from "../../server/http2/hpack/decoder.js";
import { createField, type Field } from "../../server/http2/hpack/field.js";
import { type ConnectionLimits, defaultConnectionLimits } from "../../server/http2/limits.js";
import type { Stream } from "../../server/http2/stream.js";

/** What the tests put on a stream. */
type TestStream = Stream<string>;

export const fieldsOf = (lines: readonly (readonly [string, string])[]): Field[] =>
  lines.map(([name, value]) => createField(name, value));

export const post = fieldsOf([
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/a"],
  [":authority", "x"],
]);
export const ok = fieldsOf([[":status", "200"]]);

export const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** One frame. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array | readonly number[] = []) {
  const { length } = payload;
  const id = [streamId >>> 24, (streamId >>> 16) & 255, (streamId >>> 8) & 255, streamId & 255];
  return Uint8Array.of(length >>> 16, (length >>> 8) & 255, length & 255, type, flags, ...id, ...payload);
}

export const uint32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
export const data = (id: number, text: string, flags = 0) => frame(0, flags, id, bytesOf(text));
export const rst = (id: number, code = 8) => frame(3, 0, id, uint32(code));
export const windowUpdate = (id: number, increment: number) => frame(8, 0, id, uint32(increment));
export const settings = (...entries: readonly (readonly [id: number, value: number])[]) =>
  frame(
    4,
    0,
    0,
    entries.flatMap(([id, value]) => [0, id, ...uint32(value)]),
  );
export const settingsAck = frame(4, 1, 0);

/** HEADERS as a peer with an empty table encodes them, so that each can stand alone. */
export function headers(id: number, fields: readonly Field[] = post, flags = 5) {
  // Literals without indexing keep no state.
  const bytes = fields.flatMap(({ name, value }) => [
    0,
    name.length,
    ...bytesOf(name),
    ...(value.length < 127 ? [value.length] : [127, ...integerRest(value.length - 127)]),
    ...bytesOf(value),
  ]);
  return frame(1, flags, id, bytes);
}

function integerRest(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...integerRest(value >>> 7)];
}

const names = ["DATA", "HEADERS", "PRIORITY", "RST", "SETTINGS", "PUSH", "PING", "GOAWAY", "WINDOW", "CONTINUATION"];

/** A connection, and everything that it calls and sends, as lines. */
export class Harness implements ConnectionListener<string> {
  readonly connection: Connection<string>;
  readonly events: string[] = [];
  readonly streams = new Map<number, TestStream>();
  error: ConnectionError | undefined;
  now = 0;
  outputs = 0;
  onCall: ((event: string, stream: TestStream) => void) | undefined;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder();
  readonly #side: "server" | "client";

  constructor(side: "server" | "client" = "server", limits: Partial<ConnectionLimits> = {}) {
    this.#side = side;
    this.connection = new Connection<string>({
      side,
      limits: { ...defaultConnectionLimits, ...limits },
      listener: this,
      onOutput: () => this.outputs++,
      now: 0,
    });
  }

  /** Exchanges prefaces and settings. What they made is forgotten. */
  open(...entries: readonly (readonly [number, number])[]): this {
    if (this.#side === "server") this.send(clientPreface);
    this.send(settings(...entries), settingsAck);
    this.sent();
    this.events.length = 0;
    return this;
  }

  send(...frames: readonly Uint8Array[]): this {
    for (const bytes of frames) this.connection.receive(bytes, this.now);
    return this;
  }

  stream(id: number): TestStream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`no stream ${id}`);
    return stream;
  }

  /** What has been sent since the last time, one line for each frame. */
  sent(): string[] {
    const lines: string[] = [];
    for (let bytes = this.#take(); bytes.length > 0; bytes = this.#take()) this.#describe(bytes, lines);
    return lines;
  }

  /** What the listener has been told since the last time. */
  told(): string[] {
    return this.events.splice(0);
  }

  #take(): Uint8Array {
    return Uint8Array.from(this.connection.takeOutput().flatMap((part) => [...part]));
  }

  #describe(output: Uint8Array, lines: string[]): void {
    const preface = textOf(output.subarray(0, 4)) === "PRI " ? clientPreface.length : 0;
    this.#reader.feed(output.subarray(preface));
    while (this.#reader.next()) lines.push(this.#describeFrame(this.#reader));
  }

  #describeFrame(frame: FrameReader): string {
    const { type, flags, streamId, bytes, start, end } = frame;
    const head = `${names[type]} ${streamId}${(flags & 1) !== 0 ? (type === 4 || type === 6 ? " ack" : " end") : ""}`;
    if (type === 0) return `${head} ${end - start > 40 ? end - start : textOf(bytes.subarray(start, end))}`;
    if (type === 1) return `${head} ${showFields(this.#decoder.decode(bytes, 1e6, start, end) ?? [])}`;
    if (type === 3 || type === 8) return `${head} ${frame.readUint32(0)}`;
    if (type === 7) return `${head} ${frame.readUint32(0)} ${frame.readUint32(4)}`;
    return head;
  }

  #tell(event: string, stream: TestStream, more = ""): void {
    this.streams.set(stream.id, stream);
    this.events.push(`${event} ${stream.id}${more === "" ? "" : ` ${more}`}`);
    this.onCall?.(event, stream);
  }

  onRequest(stream: TestStream, head: RequestFields, hasBody: boolean): void {
    this.#tell("request", stream, `${head.method} ${head.path}${hasBody ? " body" : ""}`);
  }
  onResponse(stream: TestStream, head: ResponseFields, hasBody: boolean): void {
    this.#tell("response", stream, `${head.status}${hasBody ? " body" : ""}`);
  }
  onData(stream: TestStream, bytes: Uint8Array, start: number, end: number): void {
    this.#tell("data", stream, end - start > 40 ? `${end - start}` : textOf(bytes.subarray(start, end)));
  }
  onTrailers(stream: TestStream, trailers: readonly Field[]): void {
    this.#tell("trailers", stream, showFields(trailers));
  }
  onEnd(stream: TestStream): void {
    this.#tell("end", stream);
  }
  onDrain(stream: TestStream): void {
    this.#tell("drain", stream);
  }
  onStreamClose(stream: TestStream): void {
    this.#tell("close", stream, stream.resetCode === undefined ? "" : `${stream.resetCode}`);
  }
  onSettings(): void {
    this.events.push("settings");
  }
  onPong(id: number): void {
    this.events.push(`pong ${id}`);
  }
  onGoaway(code: number, message: string): void {
    this.events.push(`goaway ${code} ${message}`);
  }
  onClose(error: ConnectionError | undefined): void {
    this.error = error;
    this.events.push(error === undefined ? "closed" : `failed ${error.code}`);
  }
}

function showFields(fields: readonly Field[]): string {
  return fields.map(({ name, value }) => `${name}=${value}`).join(" ");
}
