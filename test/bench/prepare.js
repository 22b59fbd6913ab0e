// Turns a scenario's messages into the bytes of one call, as its protocol puts them on the wire.
import { readFileSync } from "node:fs";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";

/** @typedef {import("./scenarios.js").Scenario} Scenario */
/** @typedef {import("@bufbuild/protobuf").DescMessage} DescMessage */

/**
 * @typedef {object} Call
 * @property {1 | 2} httpVersion
 * @property {string} path
 * @property {Record<string, string>} headers of the request
 * @property {Buffer} body of the request
 * @property {Buffer} reply the messages of the response; what follows them is the status
 * @property {DescMessage} output
 * @property {import("@bufbuild/protobuf").Message[]} replies the same messages, of that type
 */

const protocolHeaders = {
  grpc: { "content-type": "application/grpc", te: "trailers" },
  "grpc-web": { "content-type": "application/grpc-web+proto" },
  "connect-proto": { "content-type": "application/proto", "connect-protocol-version": "1" },
  "connect-json": { "content-type": "application/json", "connect-protocol-version": "1" },
  rest: { "content-type": "application/json" },
};

/** Client → the headers that it sends, recorded by record-headers.js. @type {Record<string, Record<string, string>>} */
const recorded = JSON.parse(readFileSync(new URL("headers.json", import.meta.url), "utf8"));

/**
 * @param {Scenario} scenario
 * @param {import("./schema.js").Schema} schema
 * @returns {Call}
 */
export function prepareCall({ protocol, method, path, requests, replies, client, headers, load }, schema) {
  const { input, output } = findMethod(method, Object.values(schema));
  return {
    httpVersion: load.tool === "wrk" ? 1 : 2,
    path: path ?? `/${method}`,
    headers: { ...(client && recorded[client]), ...protocolHeaders[protocol], ...headers },
    body: encode(protocol, input, requests),
    reply: encode(protocol, output, replies),
    output,
    replies: replies.map((reply) => create(output, reply)),
  };
}

/**
 * @param {string} name "package.Service/Method"
 * @param {import("@bufbuild/protobuf").DescService[]} services
 */
function findMethod(name, services) {
  const method = services
    .flatMap(({ methods }) => methods)
    .find((each) => `${each.parent.typeName}/${each.name}` === name);
  if (method === undefined) throw new Error(`${name}: no such method`);
  return method;
}

/**
 * @param {import("./scenarios.js").Protocol} protocol
 * @param {DescMessage} schema
 * @param {Record<string, unknown>[]} inits
 */
function encode(protocol, schema, inits) {
  const messages = inits.map((init) => create(schema, init));
  if (protocol === "connect-json" || protocol === "rest") {
    return Buffer.concat(messages.map((message) => Buffer.from(toJsonString(schema, message))));
  }
  const binary = messages.map((message) => toBinary(schema, message));
  return Buffer.concat(protocol === "connect-proto" ? binary : binary.map(putInEnvelope));
}

/** @param {Uint8Array} data */
function putInEnvelope(data) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}
