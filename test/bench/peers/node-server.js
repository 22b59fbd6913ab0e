// Node's own servers, with a handler of the compatibility API of HTTP/2, which is that of HTTP/1.1.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { tls } from "./tls.js";

/**
 * @param {{ httpVersion: 1 | 2, isTls: boolean }} options
 * @param {any} handler
 * @returns {Promise<number>} the port
 */
export async function listenNode({ httpVersion, isTls }, handler) {
  const server = createNodeServer(httpVersion, isTls, handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

/**
 * @param {1 | 2} httpVersion
 * @param {boolean} isTls
 * @param {any} handler
 */
function createNodeServer(httpVersion, isTls, handler) {
  if (httpVersion === 1) return http.createServer(handler);
  return isTls ? http2.createSecureServer(tls, handler) : http2.createServer(handler);
}
