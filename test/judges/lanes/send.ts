// Sends a sample to a server, on connections that live on, and records the response as it is on the wire.
import http from "node:http";
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { describeSample } from "./describe.js";
import type { Sample } from "./generate.js";

const silenceMs = 10_000;

/** A response. Pairs are [lower-case name, value] in the order in which they came; a name may repeat. */
export interface Taken {
  readonly status: number;
  readonly headers: readonly Pair[];
  readonly trailers: readonly Pair[];
  readonly body: Buffer;
  /** "whole", or why the response is not. */
  readonly end: string;
}

export type Pair = readonly [name: string, value: string];

/** Where samples are sent to. To be disposed. */
export interface Sender extends Disposable {
  send(sample: Sample): Promise<Taken>;
}

/** The same for every server, so that what handlers see is the same. */
const authority = "lanes.example:1234";

export function openSender(url: string): Sender {
  const agent = new http.Agent({ keepAlive: true });
  let session: ClientHttp2Session | undefined;
  return {
    send(sample) {
      if (sample.httpVersion === "1.1") return inTime(send1(url, agent, sample), sample);
      if (session === undefined || session.closed || session.destroyed) {
        session = http2.connect(url);
        session.on("error", () => {});
      }
      return inTime(send2(session, sample), sample);
    },
    [Symbol.dispose]() {
      agent.destroy();
      session?.destroy();
    },
  };
}

/** The response. @throws if it is incomplete after a generous time */
async function inTime(answer: Promise<Taken>, sample: Sample): Promise<Taken> {
  const limit = new AbortController();
  const silence = sleep(silenceMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`expected an answer, found none that is whole after ${silenceMs} ms\n${describeSample(sample)}`);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    limit.abort();
    silence.catch(() => {});
  }
}

function send1(url: string, agent: http.Agent, { verb, target, headers, chunks, isSized }: Sample): Promise<Taken> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const length = chunks.reduce((sum, { length }) => sum + length, 0);
    const framing =
      verb === "GET" && length === 0
        ? []
        : isSized
          ? ["content-length", String(length)]
          : ["transfer-encoding", "chunked"];
    const flat = [...headers.flat(), "host", authority, ...framing];
    const request = http.request({ hostname, port, path: target, method: verb, agent, headers: flat });
    const fail = (error: NodeJS.ErrnoException) => resolve({ ...nothing, end: error.code ?? error.message });
    request.on("error", fail);
    request.on("response", (response) => {
      const body: Buffer[] = [];
      const take = (end: string) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: pairs(response.rawHeaders),
          trailers: pairs(response.rawTrailers),
          body: Buffer.concat(body),
          end,
        });
      response.on("data", (chunk: Buffer) => body.push(chunk));
      response
        .on("end", () => take("whole"))
        .on("error", (error: NodeJS.ErrnoException) => take(error.code ?? error.message));
    });
    void writeEach(request, chunks);
  });
}

function send2(session: ClientHttp2Session, { verb, target, headers, chunks, isSized }: Sample): Promise<Taken> {
  return new Promise((resolve) => {
    const fields: http2.OutgoingHttpHeaders = { ":method": verb, ":path": target, ":authority": authority };
    for (const [name, value] of headers) {
      const before = fields[name];
      fields[name] = before === undefined ? value : singles.has(name) ? value : [before, value].flat().map(String);
    }
    const length = chunks.reduce((sum, { length }) => sum + length, 0);
    if (isSized && length > 0) fields["content-length"] = length;
    const stream = session.request(fields, { endStream: length === 0 });
    let head: Pair[] = [];
    let status = 0;
    let trailers: Pair[] = [];
    let end = "cut";
    const body: Buffer[] = [];
    onFields(stream, "response", (fields) => {
      status = Number(fields.find(([name]) => name === ":status")?.[1]);
      head = fields.filter(([name]) => !name.startsWith(":"));
    });
    onFields(stream, "trailers", (fields) => {
      trailers = fields;
    });
    stream.on("data", (chunk: Buffer) => body.push(chunk));
    stream.on("end", () => {
      end = "whole";
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      end = error.message;
    });
    stream.on("close", () =>
      resolve({
        status,
        headers: head,
        trailers,
        body: Buffer.concat(body),
        end: status === 0 ? `reset ${stream.rstCode}` : end,
      }),
    );
    if (length > 0) void writeEach(stream, chunks);
  });
}

/** The fields in their order, which Node's types know nothing of. */
function onFields(stream: ClientHttp2Stream, event: "response" | "trailers", take: (fields: Pair[]) => void): void {
  const emitter: NodeJS.EventEmitter = stream;
  emitter.on(event, (_headers: unknown, _flags: unknown, raw: string[]) => take(pairs(raw)));
}

/** Names that may come once, in Node's client. */
const singles = new Set(["content-type", "content-encoding", "user-agent", "grpc-timeout"]);

const nothing: Taken = { status: 0, headers: [], trailers: [], body: Buffer.alloc(0), end: "" };

/** Writes one chunk in each turn, so that they arrive one by one; the last alone, or together with the end. */
async function writeEach(
  target: NodeJS.WritableStream & { destroyed?: boolean },
  chunks: readonly Buffer[],
): Promise<void> {
  for (const [index, chunk] of chunks.entries()) {
    if (target.destroyed === true) return;
    if (index === chunks.length - 1 && index % 2 === 0) {
      target.end(chunk);
      return;
    }
    target.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (target.destroyed !== true) target.end();
}

function pairs(raw: readonly string[]): Pair[] {
  const found: Pair[] = [];
  for (let index = 0; index < raw.length; index += 2)
    found.push([(raw[index] as string).toLowerCase(), raw[index + 1] as string]);
  return found;
}
