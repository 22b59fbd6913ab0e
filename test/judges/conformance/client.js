// The client under test: reads ClientCompatRequests from stdin, makes the calls that they describe, several at a time, and
// writes a ClientCompatResponse for each to stdout. Its argument says how many at a time.
// docs/testing_clients.md of connectrpc.com/conformance v1.0.5.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { compressionBrotli, compressionGzip, createTransport } from "manywire/client";
import {
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js";
import {
  Codec,
  Compression,
  HTTPVersion,
  Protocol,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/config_pb.js";
import { formatFrame, readFrames } from "./frames.js";
import { invoke } from "./invoke.js";
import { registry } from "./messages.js";

/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js").ClientCompatRequest} Request */

const protocols = /** @type {const} */ ({
  [Protocol.CONNECT]: "connect",
  [Protocol.GRPC]: "grpc",
  [Protocol.GRPC_WEB]: "grpc-web",
});

const compressions = {
  [Compression.GZIP]: [compressionGzip],
  [Compression.BR]: [compressionBrotli],
};

const frames = readFrames(process.stdin);
await Promise.all(Array.from({ length: Number(process.argv[2]) }, work));

async function work() {
  for await (const frame of frames) {
    const request = fromBinary(ClientCompatRequestSchema, frame);
    const response = create(ClientCompatResponseSchema, {
      testName: request.testName,
      result: await makeCall(request),
    });
    process.stdout.write(formatFrame(toBinary(ClientCompatResponseSchema, response)));
  }
}

/**
 * @param {Request} request
 * @returns {Promise<NonNullable<import("@bufbuild/protobuf").MessageInitShape<typeof ClientCompatResponseSchema>["result"]>>}
 */
async function makeCall(request) {
  try {
    const transport = createTransport(transportOptions(request));
    try {
      return { case: "response", value: await invoke(transport, request) };
    } finally {
      transport.close();
    }
  } catch (error) {
    return { case: "error", value: { message: error instanceof Error ? (error.stack ?? "") : String(error) } };
  }
}

/**
 * @param {Request} request
 * @returns {import("manywire/client").TransportOptions}
 */
function transportOptions(request) {
  const isTls = request.serverTlsCert.length > 0;
  const compression = compressions[/** @type {keyof typeof compressions} */ (request.compression)] ?? [];
  return {
    protocol: protocols[/** @type {keyof typeof protocols} */ (request.protocol)],
    baseUrl: `${isTls ? "https" : "http"}://${request.host}:${request.port}`,
    httpVersion: request.httpVersion === HTTPVersion.HTTP_VERSION_1 ? "1.1" : "2",
    useBinaryFormat: request.codec === Codec.PROTO,
    useHttpGet: request.useGetHttpMethod,
    acceptCompression: compression,
    ...(compression[0] && { sendCompression: compression[0] }),
    // The suite wants its empty messages compressed too, and connect compresses what is longer than this.
    compressMinBytes: -1,
    jsonOptions: { registry },
    ...(request.timeoutMs === undefined ? {} : { defaultTimeoutMs: request.timeoutMs }),
    ...(request.messageReceiveLimit === 0 ? {} : { readMaxBytes: request.messageReceiveLimit }),
    ...(isTls ? { tls: tlsOptions(request) } : {}),
  };
}

/** @param {Request} request */
function tlsOptions({ serverTlsCert, clientTlsCreds }) {
  const ca = Buffer.from(serverTlsCert);
  return clientTlsCreds ? { ca, cert: Buffer.from(clientTlsCreds.cert), key: Buffer.from(clientTlsCreds.key) } : { ca };
}
