// Load by unary calls at a fixed rate, whether or not the server keeps up. A call's time counts from when it was due, so a
// server that stalls pays for every call that it made wait.
import { Connection, encodeHead, withStream } from "./connection.js";
import * as frames from "./frames.js";

/** Beyond so many calls on a connection, the next ones wait for their turn: the server's limit is not what is measured. */
const mostStreams = 100;
/** The calls of the first moments do not count: connections open, and this client is still being compiled. */
const leadSeconds = 0.5;

/**
 * @typedef {object} PacedLoad
 * @property {string} url
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string} body in base64
 * @property {string} reply what the body of each response must be, in base64
 * @property {number} connections
 * @property {number} rate calls a second
 * @property {number} seconds
 */

/**
 * @param {PacedLoad} load
 * @returns {Promise<{ p50Ms: number, p99Ms: number }>}
 */
export async function paced(load) {
  const lead = Math.ceil(load.rate * leadSeconds);
  const calls = lead + Math.ceil(load.rate * load.seconds);
  const timesMs = new Float64Array(calls);
  await new Promise((resolve) => {
    let done = 0;
    const onDone = (/** @type {Call} */ { index, dueMs }) => {
      timesMs[index] = performance.now() - dueMs;
      if (++done === calls) resolve(undefined);
    };
    const clients = Array.from({ length: load.connections }, () => createClient(load, onDone));
    startOnTime(calls, load.rate, (call) => clients[call.index % clients.length]?.(call));
  });
  const counted = timesMs.subarray(lead).sort();
  const quantile = (/** @type {number} */ share) => counted[Math.floor((counted.length - 1) * share)] ?? 0;
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** @typedef {{ index: number, dueMs: number }} Call */

/**
 * Spins, because a timer of a millisecond would start calls in bursts.
 * @param {number} calls
 * @param {number} rate
 * @param {(call: Call) => void} start
 */
function startOnTime(calls, rate, start) {
  const startMs = performance.now();
  const dueMs = (/** @type {number} */ index) => startMs + (index * 1000) / rate;
  let index = 0;
  const tick = () => {
    const now = performance.now();
    for (; index < calls && dueMs(index) <= now; index++) start({ index, dueMs: dueMs(index) });
    if (index < calls) setImmediate(tick);
  };
  tick();
}

/**
 * @param {PacedLoad} load
 * @param {(call: Call) => void} onDone
 * @returns {(call: Call) => void} starts a call on a connection of its own
 */
function createClient({ url, path, headers, body, reply }, onDone) {
  const head = encodeHead(url, path, headers);
  const data = frames.encodeFrame(frames.type.data, frames.endStream, 0, Buffer.from(body, "base64"));
  const request = Buffer.concat([head, data]);
  const expected = Buffer.from(reply, "base64");
  /** Calls under way, by stream. @type {Map<number, { call: Call, bytes: number }>} */
  const open = new Map();
  /** @type {Call[]} */
  const waiting = [];
  const connection = new Connection(url, { onData, onEnd });
  return start;

  /** @param {Call} call */
  function start(call) {
    if (open.size >= mostStreams) {
      waiting.push(call);
      return;
    }
    const stream = connection.takeStream();
    open.set(stream, { call, bytes: 0 });
    connection.send(withStream(request, [0, head.length], stream));
  }

  /**
   * @param {number} stream
   * @param {Buffer} payload
   */
  function onData(stream, payload) {
    const answer = open.get(stream);
    if (answer === undefined) return;
    const end = answer.bytes + payload.length;
    if (!expected.subarray(answer.bytes, end).equals(payload)) {
      throw new Error(`paced: expected the reply ${expected.toString("hex")}, found ${payload.toString("hex")}`);
    }
    answer.bytes = end;
  }

  /** @param {number} stream */
  function onEnd(stream) {
    const answer = open.get(stream);
    if (answer?.bytes !== expected.length) {
      throw new Error(`paced: expected ${expected.length} bytes, found ${answer?.bytes} at the end of the call`);
    }
    open.delete(stream);
    onDone(answer.call);
    const next = waiting.shift();
    if (next !== undefined) start(next);
  }
}
