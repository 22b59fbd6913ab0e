// Load by connections that each make one call and then wait.
import { Connection, encodeHead, withStream } from "./connection.js";
import * as frames from "./frames.js";

/** So many at a time are opened, so that the server's queue of them suffices. */
const atOnce = 50;

/**
 * @param {{ url: string, path: string, headers: Record<string, string>, body: string, connections: number }} load
 *   the body in base64
 * @returns {Promise<void>} settles when each has had its response; they stay open as long as this process
 */
export async function idle({ url, path, headers, body, connections }) {
  const head = encodeHead(url, path, headers);
  const data = frames.encodeFrame(frames.type.data, frames.endStream, 0, Buffer.from(body, "base64"));
  const request = Buffer.concat([head, data]);
  for (let opened = 0; opened < connections; opened += atOnce) {
    const count = Math.min(atOnce, connections - opened);
    await Promise.all(Array.from({ length: count }, () => callOnce(url, request, head.length)));
  }
}

/**
 * @param {string} url
 * @param {Buffer} request
 * @param {number} dataOffset
 * @returns {Promise<void>}
 */
function callOnce(url, request, dataOffset) {
  return new Promise((resolve) => {
    const connection = new Connection(url, { onData() {}, onEnd: () => resolve() });
    connection.send(withStream(request, [0, dataOffset], connection.takeStream()));
  });
}
