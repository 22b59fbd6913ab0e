// Starts a listener that echoes, and holds it to leaving nothing behind; and a neighbour that calls it all the while.
import { setTimeout as delay } from "node:timers/promises";
import type { Exchange, Handler } from "../../../server/http/exchange.js";
import { respond, targetOf } from "../../../server/http/exchange.js";
import type { Listener, ListenerOptions } from "../../../server/listen/listener.js";
import { createListener } from "../../../server/listen/listener.js";
import { type HttpVersion, openHttp2, request } from "../../support/http.js";
import {
  decodeFrames,
  encodeFrame,
  encodeHeaders,
  type Frame,
  frameFlags,
  frameTypes,
  preface,
} from "../../support/http2-frames.js";
import { openRaw, type RawSocket } from "../../support/raw-socket.js";

interface TestListener extends AsyncDisposable {
  readonly listener: Listener;
  readonly url: string;
  /** What the listener thought worth a line in a log: `step: code or message`. */
  readonly errors: readonly string[];
}

interface TestListenerOptions extends Partial<ListenerOptions> {
  /** Handlers of single paths; `echo` serves all others. */
  routes?: Record<string, Handler>;
}

/** A request of HTTP/1.1 without a body, as bytes. */
export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** How long connections may take to end when the listener is disposed, in milliseconds. */
const patienceMs = 3000;

export async function startListener({ routes = {}, ...options }: TestListenerOptions = {}): Promise<TestListener> {
  const errors: string[] = [];
  const listener = createListener({
    address: { host: "127.0.0.1", port: 0 },
    handler: (exchange) => (routes[targetOf(exchange)] ?? echo)(exchange),
    onError: (error: NodeJS.ErrnoException, step) => {
      errors.push(`${step}: ${typeof error.code === "string" ? error.code : error.message}`);
    },
    ...options,
    limits: { idleGraceMs: 0, lingerMs: 500, ...options.limits },
  });
  await listener.listen();
  return {
    listener,
    url: listener.url,
    errors,
    async [Symbol.asyncDispose]() {
      listener.stop();
      const isClosed = await Promise.race([listener.closed.then(() => true), delay(patienceMs, false, { ref: false })]);
      if (isClosed) return;
      const left = listener.connectionCount;
      listener.destroy();
      await listener.closed;
      throw new Error(`${listener.url}: ${left} connections did not end`);
    },
  };
}

/** Responds with method, target and body size: `POST /path 5`. */
export function echo(exchange: Exchange): void {
  let bytes = 0;
  exchange.attach({
    onData: (chunk) => {
      bytes += chunk.length;
    },
    onEnd: () => respond(exchange, 200, {}, `${exchange.method} ${targetOf(exchange)} ${bytes}`),
    onDrain() {},
    onClose() {},
  });
  exchange.read();
}

/** A route whose calls get a response when the test says so. */
export class Held {
  readonly calls: Exchange[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly handler = (exchange: Exchange): void => {
    this.calls.push(exchange);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  async until(count: number): Promise<void> {
    while (this.calls.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  answer(): void {
    for (const exchange of this.calls.splice(0)) respond(exchange, 200, {}, "answered");
  }
}

/** Calls the echo on its own connection until disposed. Disposing throws if a response was wrong or missing. */
export async function startNeighbour(url: string, httpVersion: HttpVersion): Promise<AsyncDisposable> {
  const connection = httpVersion === "2" ? await openHttp2(url) : undefined;
  let isStopped = false;
  const calls = (async () => {
    let count = 0;
    do {
      const path = `/neighbour/${count++}`;
      const call = { path, body: "hello", httpVersion };
      const answer = await (connection?.request(call) ?? request(url, call));
      if (answer.text !== `POST ${path} 5`) throw new Error(`a neighbour was answered: ${answer.text}`);
      await delay(2);
    } while (!isStopped);
  })();
  calls.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await calls;
      await connection?.[Symbol.asyncDispose]();
    },
  };
}

/** A client that writes HTTP/2 by its frames, after preface and SETTINGS. */
export async function openFrames(url: string, settings: Uint8Array = Buffer.alloc(0)): Promise<RawSocket> {
  const raw = await openRaw(url, { ALPNProtocols: ["h2"] });
  raw.write(Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0, settings)]));
  return raw;
}

export interface HeadersOptions {
  method?: string;
  path?: string | undefined;
  authority?: string | undefined;
  isEnd?: boolean;
  more?: [string, string][];
}

/** HEADERS of a request. */
export function headersFrame(stream: number, options: HeadersOptions = {}): Buffer {
  const { method = "POST", path = "/", authority = "localhost", isEnd = false, more = [] } = options;
  const fields: [string, string | undefined][] = [
    [":method", method],
    [":scheme", "http"],
    [":path", "path" in options ? options.path : path],
    [":authority", "authority" in options ? options.authority : authority],
    ...more,
  ];
  const block = encodeHeaders(fields.filter((field): field is [string, string] => field[1] !== undefined));
  const flags = frameFlags.endHeaders | (isEnd ? frameFlags.endStream : 0);
  return encodeFrame(frameTypes.headers, flags, stream, block);
}

export function dataFrame(stream: number, bytes: number, isEnd = false): Buffer {
  return encodeFrame(frameTypes.data, isEnd ? frameFlags.endStream : 0, stream, Buffer.alloc(bytes, "d"));
}

/** Waits for a frame. Throws if the connection is closed before. */
export async function untilFrame(raw: RawSocket, isIt: (frame: Frame) => boolean): Promise<Frame> {
  for (;;) {
    const found = decodeFrames(raw.received).find(isIt);
    if (found !== undefined) return found;
    await raw.untilBytes(raw.received.length + 1);
  }
}

/** Acknowledges the first PING, which tells a server that its GOAWAY has been read. */
export async function acknowledgePing(raw: RawSocket): Promise<void> {
  const { payload } = await untilFrame(raw, ({ type, flags }) => type === frameTypes.ping && flags === 0);
  raw.write(encodeFrame(frameTypes.ping, frameFlags.ack, 0, payload));
}

/** What came on one stream, in order: `HEADERS`, `DATA 5`, `RST_STREAM 0`, with `END` where it ended the stream. */
export function describeStream(raw: RawSocket, stream: number): string[] {
  return decodeFrames(raw.received)
    .filter((frame) => frame.stream === stream)
    .map(describeFrame);
}

function describeFrame({ type, flags, payload }: Frame): string {
  const end = (flags & frameFlags.endStream) === 0 ? "" : " END";
  if (type === frameTypes.headers) return `HEADERS${end}`;
  if (type === frameTypes.data) return `DATA ${payload.length}${end}`;
  if (type === frameTypes.rstStream) return `RST_STREAM ${payload.readUInt32BE(0)}`;
  return `frame of type ${type}`;
}
