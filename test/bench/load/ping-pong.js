// Load by calls of a bidirectional stream: each sends a message, waits for its echo, sends the next.
import { Connection, encodeHead, withStream } from "./connection.js";
import * as frames from "./frames.js";

/**
 * @param {{ url: string, path: string, headers: Record<string, string>, ping: string, connections: number, streams: number,
 *   pings: number, seconds: number }} options the ping in base64; how many a call sends
 * @returns {Promise<{ calls: number, rate: number }>}
 */
export async function pingPong({ url, path, headers, ping, connections, streams, pings, seconds }) {
  const message = Buffer.from(ping, "base64");
  const head = encodeHead(url, path, headers);
  const throwFrame = frames.encodeFrame(frames.type.data, 0, 0, message);
  const endFrame = frames.encodeFrame(frames.type.data, frames.endStream, 0, Buffer.alloc(0));
  const start = performance.now();
  const stopAt = start + seconds * 1000;
  const workers = Array.from({ length: connections }, () => new Promise((resolve) => runConnection(resolve)));
  const calls = (await Promise.all(workers)).reduce((sum, each) => sum + each, 0);
  return { calls, rate: (calls / (performance.now() - start)) * 1000 };

  /** @param {(calls: number) => void} resolve */
  function runConnection(resolve) {
    /** What each open call still waits for. @type {Map<number, { bytes: number, pings: number, next: Buffer }>} */
    const open = new Map();
    let done = 0;
    const connection = new Connection(url, { onData, onEnd });
    for (let i = 0; i < streams; i++) startCall();

    function startCall() {
      const stream = connection.takeStream();
      const next = withStream(throwFrame, [0], stream);
      open.set(stream, { bytes: message.length, pings, next });
      connection.send(withStream(head, [0], stream));
      connection.send(next);
    }

    /**
     * @param {number} stream
     * @param {Buffer} payload
     */
    function onData(stream, payload) {
      const call = open.get(stream);
      if (call === undefined || payload.length === 0) return;
      const expected = message.subarray(message.length - call.bytes);
      if (payload.compare(expected, 0, payload.length) !== 0) {
        throw new Error(`ping-pong: expected the echo ${expected.toString("hex")}, found ${payload.toString("hex")}`);
      }
      call.bytes -= payload.length;
      if (call.bytes > 0) return;
      call.pings--;
      call.bytes = message.length;
      connection.send(call.pings > 0 ? call.next : withStream(endFrame, [0], stream));
    }

    /** @param {number} stream */
    function onEnd(stream) {
      const call = open.get(stream);
      if (call?.pings !== 0)
        throw new Error(`ping-pong: expected ${call?.pings} more echoes, found the end of the call`);
      open.delete(stream);
      done++;
      if (performance.now() < stopAt) startCall();
      else if (open.size === 0) {
        connection.close();
        resolve(done);
      }
    }
  }
}
