// Load by calls of a bidirectional stream: each sends a message, waits for its echo, sends the next.
import { Connection, encodeHead, withStream } from "./connection.js";
import * as frames from "./frames.js";

/**
 * @typedef {object} PingPongLoad
 * @property {string} url
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string} ping the message in its envelope, in base64; the reply must be the same
 * @property {number} connections
 * @property {number} streams on each connection
 * @property {number} pings of each call
 * @property {number} seconds after which no call begins
 */

/**
 * @param {PingPongLoad} load
 * @returns {Promise<{ calls: number, rate: number }>} the rate in calls a second
 */
export async function pingPong(load) {
  const startMs = performance.now();
  const stopMs = startMs + load.seconds * 1000;
  const counts = await Promise.all(Array.from({ length: load.connections }, () => runConnection(load, stopMs)));
  const calls = counts.reduce((sum, count) => sum + count, 0);
  return { calls, rate: (calls / (performance.now() - startMs)) * 1000 };
}

/**
 * @param {PingPongLoad} load
 * @param {number} stopMs
 * @returns {Promise<number>} how many calls were made
 */
function runConnection({ url, path, headers, ping, streams, pings }, stopMs) {
  const message = Buffer.from(ping, "base64");
  const head = encodeHead(url, path, headers);
  const pingFrame = frames.encodeFrame(frames.type.data, 0, 0, message);
  const endFrame = frames.encodeFrame(frames.type.data, frames.endStream, 0, Buffer.alloc(0));
  /** Calls under way, by stream. @type {Map<number, { pingFrame: Buffer, pingsLeft: number, bytes: number }>} */
  const open = new Map();
  let calls = 0;
  return new Promise((resolve) => {
    const connection = new Connection(url, { onData, onEnd });
    for (let count = 0; count < streams; count++) start();

    function start() {
      const stream = connection.takeStream();
      const call = { pingFrame: withStream(pingFrame, [0], stream), pingsLeft: pings, bytes: 0 };
      open.set(stream, call);
      connection.send(withStream(head, [0], stream));
      connection.send(call.pingFrame);
    }

    /**
     * @param {number} stream
     * @param {Buffer} payload
     */
    function onData(stream, payload) {
      const call = open.get(stream);
      if (call === undefined) return;
      const end = call.bytes + payload.length;
      if (!message.subarray(call.bytes, end).equals(payload)) {
        throw new Error(`ping-pong: expected the echo ${message.toString("hex")}, found ${payload.toString("hex")}`);
      }
      call.bytes = end % message.length;
      // An empty frame, as may come with the end of the stream, or a part of the echo.
      if (payload.length === 0 || call.bytes > 0) return;
      call.pingsLeft--;
      connection.send(call.pingsLeft > 0 ? call.pingFrame : withStream(endFrame, [0], stream));
    }

    /** @param {number} stream */
    function onEnd(stream) {
      const left = open.get(stream)?.pingsLeft;
      if (left !== 0) throw new Error(`ping-pong: expected ${left} more echoes, found the end of the call`);
      open.delete(stream);
      calls++;
      if (performance.now() < stopMs) start();
      else if (open.size === 0) {
        connection.close();
        resolve(calls);
      }
    }
  });
}
