// Makes one call to a peer and verifies it whole: status, headers and payload. Speed counts only where this passes.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { isDeepStrictEqual } from "node:util";

/**
 * @typedef {object} Answer
 * @property {number} status of HTTP
 * @property {Record<string, any>} headers
 * @property {Record<string, any>} trailers
 * @property {string} body in base64
 * @property {number} bytes of the response on the wire, head included; HTTP/1.1 only
 */

/** The peer has no such route. */
export class NotFoundError extends Error {}

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {import("./prepare.js").Call} call
 * @param {string} peer
 * @param {string} url
 * @returns {Promise<Answer>}
 * @throws {Error} that says what was expected and what was found
 */
export async function checkPeer(scenario, call, peer, url) {
  const { body, ...answer } = await (call.httpVersion === 2 ? callHttp2(url, call) : callHttp1(url, call));
  const { messages, status } = splitAnswer(scenario.protocol, body, answer.trailers);
  const where = `${scenario.name}, ${peer}`;
  if (scenario.isOptional && answer.status === 404) throw new NotFoundError(`${where}: ${call.path} is not found`);
  compare(`${where}: HTTP status`, 200, answer.status);
  compare(`${where}: grpc-status`, scenario.protocol.startsWith("grpc") ? "0" : undefined, status);
  for (const [name, value] of Object.entries(scenario.replyHeaders ?? {})) {
    compare(`${where}: header ${name}`, value, answer.headers[name]);
  }
  if (!isSameReply(scenario.protocol, call.reply, messages)) {
    const [expected, found] = [call.reply, messages].map((bytes) => `${bytes.length} bytes ${excerpt(bytes)}`);
    throw new Error(`${where}: payload: expected ${expected}, found ${found}`);
  }
  return { ...answer, body: body.toString("base64") };
}

/**
 * @param {import("./scenarios.js").Protocol} protocol
 * @param {Buffer} expected
 * @param {Buffer} found
 */
function isSameReply(protocol, expected, found) {
  // The white space of JSON and the order of its names are free.
  const isJson = protocol === "connect-json" || protocol === "rest";
  return isJson ? isDeepStrictEqual(parseJson(expected), parseJson(found)) : expected.equals(found);
}

/** @param {Buffer} bytes @returns {unknown} the text itself, if it is not JSON */
function parseJson(bytes) {
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {Buffer} bytes */
function excerpt(bytes) {
  return JSON.stringify(bytes.subarray(0, 60).toString("latin1"));
}

/**
 * @param {string} what
 * @param {unknown} expected
 * @param {unknown} found
 */
function compare(what, expected, found) {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`);
}

/**
 * @param {import("./scenarios.js").Protocol} protocol
 * @param {Buffer} body
 * @param {Record<string, any>} trailers
 * @returns {{ messages: Buffer, status: string | undefined }}
 */
function splitAnswer(protocol, body, trailers) {
  if (protocol === "grpc") return { messages: body, status: trailers["grpc-status"] };
  if (protocol !== "grpc-web") return { messages: body, status: undefined };
  let offset = 0;
  // Envelopes with the high bit set hold the trailers.
  while (offset + 5 <= body.length && body.readUInt8(offset) < 0x80) offset += 5 + body.readUInt32BE(offset + 1);
  const status = /^grpc-status: *(\d+)/im.exec(body.subarray(offset + 5).toString("latin1"))?.[1];
  return { messages: body.subarray(0, offset), status };
}

/**
 * @param {string} url
 * @param {import("./prepare.js").Call} call
 */
async function callHttp1(url, { path, headers, body }) {
  const agent = new http.Agent({ keepAlive: true });
  try {
    const request = http.request(`${url}${path}`, { method: "POST", headers, agent });
    request.end(body);
    const [response] = /** @type {[http.IncomingMessage]} */ (await once(request, "response"));
    const { statusCode: status = 0, headers: head, socket } = response;
    const chunks = await response.toArray();
    return { status, headers: head, trailers: {}, body: Buffer.concat(chunks), bytes: socket.bytesRead };
  } finally {
    agent.destroy();
  }
}

/**
 * @param {string} url
 * @param {import("./prepare.js").Call} call
 */
async function callHttp2(url, { path, headers, body }) {
  const session = http2.connect(url, { rejectUnauthorized: false });
  try {
    await once(session, "connect");
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    /** @type {Record<string, any>} */
    let trailers = {};
    stream.on("trailers", (received) => {
      trailers = { ...received };
    });
    stream.end(body);
    const [head] = await once(stream, "response");
    const chunks = await stream.toArray();
    // A response without a body has its trailers in its only head.
    const ending = chunks.length === 0 ? { ...head, ...trailers } : trailers;
    return { status: head[":status"], headers: { ...head }, trailers: ending, body: Buffer.concat(chunks), bytes: 0 };
  } finally {
    session.destroy();
  }
}
