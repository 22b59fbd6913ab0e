// Load by unary calls at a fixed rate, whether or not the server keeps up. A call's time counts from when it was due, so a
// server that stalls pays for every call that it made wait.
import { Connection, encodeHead, withStream } from "./connection.js";
import * as frames from "./frames.js";

/** Beyond so many calls on a connection, the next ones wait for their turn: the server's limit is not what is measured. */
const mostStreams = 100;

/**
 * @param {{ url: string, path: string, headers: Record<string, string>, body: string, reply: string, connections: number,
 *   rate: number, calls: number }} options body and reply in base64; the rate in calls a second
 * @returns {Promise<{ p50Ms: number, p99Ms: number }>}
 */
export async function paced({ url, path, headers, body, reply, connections, rate, calls }) {
  const head = encodeHead(url, path, headers);
  const data = frames.encodeFrame(frames.type.data, frames.endStream, 0, Buffer.from(body, "base64"));
  const request = Buffer.concat([head, data]);
  const message = Buffer.from(reply, "base64");
  const timesMs = new Float64Array(calls);
  let done = 0;
  /** @type {() => void} */
  let finish;
  const finished = new Promise((resolve) => {
    finish = () => resolve(undefined);
  });
  const clients = Array.from({ length: connections }, createClient);
  startOnTime();
  await finished;
  for (const client of clients) client.close();
  timesMs.sort();
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) };

  /** Spins, because a timer of a millisecond would send calls in bursts. */
  function startOnTime() {
    const startMs = performance.now();
    const intervalMs = 1000 / rate;
    let started = 0;
    const tick = () => {
      const now = performance.now();
      for (; started < calls && startMs + started * intervalMs <= now; started++) {
        clients[started % connections]?.start(startMs + started * intervalMs);
      }
      if (started < calls) setImmediate(tick);
    };
    tick();
  }

  /** @param {number} share */
  function quantile(share) {
    return timesMs[Math.min(calls - 1, Math.floor(calls * share))] ?? 0;
  }

  function createClient() {
    /** Calls under way. @type {Map<number, { dueMs: number, bytes: number }>} */
    const open = new Map();
    /** When calls that wait for their turn were due. @type {number[]} */
    const waiting = [];
    const connection = new Connection(url, {
      onData(stream, payload) {
        const call = open.get(stream);
        if (call === undefined) return;
        if (payload.compare(message, call.bytes, call.bytes + payload.length) !== 0)
          throw new Error(`paced: expected the reply ${message.toString("hex")}, found ${payload.toString("hex")}`);
        call.bytes += payload.length;
      },
      onEnd(stream) {
        const call = open.get(stream);
        if (call?.bytes !== message.length)
          throw new Error(`paced: expected ${message.length} bytes, found ${call?.bytes}`);
        open.delete(stream);
        timesMs[done++] = performance.now() - call.dueMs;
        if (done === calls) finish();
        const dueMs = waiting.shift();
        if (dueMs !== undefined) start(dueMs);
      },
    });

    /** @param {number} dueMs */
    function start(dueMs) {
      if (open.size >= mostStreams) {
        waiting.push(dueMs);
        return;
      }
      const stream = connection.takeStream();
      open.set(stream, { dueMs, bytes: 0 });
      connection.send(withStream(request, [0, head.length], stream));
    }

    return { start, close: () => connection.close() };
  }
}
