// A plaintext HTTP/2 connection of a client that sends prepared frames. It keeps the peer's window open, acknowledges PING and
// SETTINGS, and leaves the rest to its owner. It never exceeds the peer's window because its owner sends little at a time.
import net from "node:net";
import * as frames from "./frames.js";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const largestWindow = 2 ** 31 - 1;
const firstWindow = 65_535;
/** When so many bytes have arrived, the window is opened again. */
const topUpBytes = 2 ** 30;

/** @typedef {{ onData(stream: number, payload: Buffer): void, onEnd(stream: number): void }} Owner */

export class Connection {
  /** @type {net.Socket} */
  #socket;
  #reader = new frames.FrameReader();
  #owner;
  #nextStream = 1;
  #unacknowledged = 0;

  /**
   * @param {string} url
   * @param {Owner} owner gets the responses
   */
  constructor(url, owner) {
    const { hostname, port } = new URL(url);
    this.#owner = owner;
    this.#socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on("data", (chunk) => {
      this.#socket.cork();
      this.#reader.push(chunk, (frame) => this.#onFrame(frame));
      this.#socket.uncork();
    });
    this.#socket.on("end", () => {
      throw new Error("HTTP/2: expected an answer, found the end of the connection");
    });
    this.send(opening);
  }

  /** The number of a new stream. */
  takeStream() {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    return stream;
  }

  /** @param {Buffer} bytes of whole frames */
  send(bytes) {
    this.#socket.write(bytes);
  }

  close() {
    this.#socket.destroy();
  }

  /** @param {{ type: number, flags: number, stream: number, payload: Buffer }} frame */
  #onFrame({ type, flags, stream, payload }) {
    if (type === frames.type.data) {
      this.#unacknowledged += payload.length;
      if (this.#unacknowledged > topUpBytes) this.#openWindow(this.#unacknowledged);
      this.#owner.onData(stream, payload);
    }
    if (type === frames.type.data || type === frames.type.headers) {
      if ((flags & frames.endStream) !== 0) this.#owner.onEnd(stream);
    } else if (type === frames.type.reset || type === frames.type.goAway) {
      throw new Error(`HTTP/2: expected an answer, found a frame of type ${type}: ${payload.toString("hex")}`);
    } else if ((type === frames.type.settings || type === frames.type.ping) && (flags & frames.ack) === 0) {
      const echoed = type === frames.type.ping ? payload : Buffer.alloc(0);
      this.send(frames.encodeFrame(type, frames.ack, 0, echoed));
    }
  }

  /** @param {number} bytes */
  #openWindow(bytes) {
    this.send(encodeWindowUpdate(bytes));
    this.#unacknowledged = 0;
  }
}

/** @param {number} bytes for the connection */
function encodeWindowUpdate(bytes) {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frames.encodeFrame(frames.type.windowUpdate, 0, 0, payload);
}

const initialWindowSize = 4;

/** What a client sends first: the largest windows that there are. */
export const opening = Buffer.concat([
  Buffer.from(preface),
  frames.encodeFrame(frames.type.settings, 0, 0, encodeSetting(initialWindowSize, largestWindow)),
  encodeWindowUpdate(largestWindow - firstWindow),
]);

/**
 * @param {number} id
 * @param {number} value
 */
function encodeSetting(id, value) {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id);
  payload.writeUInt32BE(value, 2);
  return payload;
}

/**
 * The head of a call, for a stream that is still to be given by `withStream`.
 * @param {string} url
 * @param {string} path
 * @param {Record<string, string>} headers
 */
export function encodeHead(url, path, headers) {
  return frameHead(frames.encodeHeaderBlock(withPseudo(url, path, headers)));
}

/**
 * Heads of the first call on a connection and of all later ones, for streams that are still to be given.
 * @param {string} url
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {Record<string, string>} varying those whose values differ from call to call
 */
export function encodeRepeatedHeads(url, path, headers, varying) {
  const { first, later } = frames.encodeRepeatedBlocks(withPseudo(url, path, headers), varying);
  return { first: frameHead(first), later: frameHead(later) };
}

/**
 * @param {string} url
 * @param {string} path
 * @param {Record<string, string>} headers
 */
function withPseudo(url, path, headers) {
  const { host } = new URL(url);
  return { ":method": "POST", ":scheme": "http", ":path": path, ":authority": host, ...headers };
}

/** @param {Buffer} block */
function frameHead(block) {
  return frames.encodeFrame(frames.type.headers, frames.endHeaders, 0, block);
}

/**
 * A copy of prepared frames, for one stream.
 * @param {Buffer} prepared
 * @param {number[]} offsets where frames begin in it
 * @param {number} stream
 */
export function withStream(prepared, offsets, stream) {
  const bytes = Buffer.from(prepared);
  for (const offset of offsets) bytes.writeUInt32BE(stream, offset + 5);
  return bytes;
}
