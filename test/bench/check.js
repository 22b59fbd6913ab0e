// Makes one call to a peer and verifies it whole: status, headers and payload. Speed counts only where this passes.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { equals, fromBinary, fromJsonString } from "@bufbuild/protobuf";

/**
 * @typedef {object} Answer
 * @property {number} status of HTTP
 * @property {Record<string, any>} headers
 * @property {Record<string, any>} trailers
 * @property {string} body in base64
 * @property {number} bytes of the response on the wire, head included; HTTP/1.1 only
 * @property {boolean} isCompressed
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
  const { messages, status, isCompressed } = readAnswer(scenario.protocol, body, answer);
  const where = `${scenario.name}, ${peer}`;
  if (scenario.isOptional && answer.status === 404) throw new NotFoundError(`${where}: ${call.path} is not found`);
  compare(`${where}: HTTP status`, 200, answer.status);
  compare(`${where}: grpc-status`, scenario.protocol.startsWith("grpc") ? "0" : undefined, status);
  for (const [name, value] of Object.entries(scenario.replyHeaders ?? {})) {
    compare(`${where}: header ${name}`, value, answer.headers[name]);
  }
  if (!isSameReply(scenario.protocol, call, messages)) {
    const [expected, found] = [call.reply, body].map((bytes) => `${bytes.length} bytes ${excerpt(bytes)}`);
    throw new Error(`${where}: payload: expected ${expected}, found ${found}`);
  }
  return { ...answer, isCompressed, body: body.toString("base64") };
}

/**
 * Whether the messages are the expected ones. The order of maps, the white space of JSON and its defaults are free.
 * @param {import("./scenarios.js").Protocol} protocol
 * @param {import("./prepare.js").Call} call
 * @param {Buffer[]} found
 */
function isSameReply(protocol, { output, replies }, found) {
  const isJson = protocol === "connect-json" || protocol === "rest";
  const isSame = (/** @type {Buffer} */ bytes, /** @type {number} */ index) => {
    const message = isJson ? fromJsonString(output, bytes.toString()) : fromBinary(output, bytes);
    return equals(output, message, replies[index] ?? message);
  };
  try {
    return found.length === replies.length && found.every(isSame);
  } catch {
    // No such message.
    return false;
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

/** @type {Record<string, (bytes: Buffer) => Buffer>} */
const decompressors = { gzip: gunzipSync, br: brotliDecompressSync };

/** @param {Buffer} bytes @param {unknown} encoding */
function decompress(bytes, encoding) {
  const run = decompressors[String(encoding)];
  if (run === undefined) throw new Error(`encoding: expected gzip or br, found ${encoding}`);
  return run(bytes);
}

/** Flags of an envelope. */
const flag = { compressed: 1, trailers: 0x80 };

/**
 * @param {import("./scenarios.js").Protocol} protocol
 * @param {Buffer} body
 * @param {Pick<Answer, "headers" | "trailers">} head
 * @returns {{ messages: Buffer[], status: string | undefined, isCompressed: boolean }} messages decompressed
 */
function readAnswer(protocol, body, { headers, trailers }) {
  if (!protocol.startsWith("grpc")) {
    const encoding = headers["content-encoding"];
    const isCompressed = encoding !== undefined;
    return { messages: [isCompressed ? decompress(body, encoding) : body], status: undefined, isCompressed };
  }
  const envelopes = splitEnvelopes(body).map(({ flags, data }) => {
    return { flags, data: flags & flag.compressed ? decompress(data, headers["grpc-encoding"]) : data };
  });
  // gRPC-Web has its trailers in the body.
  const isTrailers = ({ flags = 0 }) => (flags & flag.trailers) !== 0;
  const inBody = envelopes.find(isTrailers)?.data.toString("latin1") ?? "";
  return {
    messages: envelopes.filter((envelope) => !isTrailers(envelope)).map(({ data }) => data),
    status: trailers["grpc-status"] ?? /^grpc-status: *(\d+)/im.exec(inBody)?.[1],
    isCompressed: envelopes.some(({ flags }) => (flags & flag.compressed) !== 0),
  };
}

/** @param {Buffer} body */
function splitEnvelopes(body) {
  const envelopes = [];
  for (let offset = 0; offset + 5 <= body.length; ) {
    const end = offset + 5 + body.readUInt32BE(offset + 1);
    envelopes.push({ flags: body.readUInt8(offset), data: body.subarray(offset + 5, end) });
    offset = end;
  }
  return envelopes;
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
