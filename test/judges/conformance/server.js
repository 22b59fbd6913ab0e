// The server under test: reads one ServerCompatRequest from stdin, starts the server that it asks for, writes a
// ServerCompatResponse to stdout, and serves until SIGTERM. Its argument names the server: fast, reference, node-http2,
// proxy, proxy-decode, proxy-grpcserver or baseline.
// docs/testing_servers.md of connectrpc.com/conformance v1.0.5.
import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HTTPVersion } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/config_pb.js";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/server_compat_pb.js";
import { formatFrame, readFrames } from "./frames.js";
import { registry } from "./messages.js";
import { routes } from "./service.js";
import { descriptorFile, grpcServer, referenceServer } from "./setup.js";
import { startSuiteServer } from "./upstream.js";

const [, , subject = ""] = process.argv;
const { value: frame } = await readFrames(process.stdin).next();
const request = fromBinary(ServerCompatRequestSchema, frame);
const server = await createServerUnderTest();
process.once("SIGTERM", async () => {
  await server.close();
  process.exit();
});
await server.listen();
const { hostname, port } = new URL(server.url);
const response = create(ServerCompatResponseSchema, {
  host: hostname,
  port: Number(port),
  ...(request.serverCreds && { pemCert: request.serverCreds.cert }),
});
process.stdout.write(formatFrame(toBinary(ServerCompatResponseSchema, response)));

async function createServerUnderTest() {
  const options = {
    routes,
    readMaxBytes: request.messageReceiveLimit,
    jsonOptions: { registry },
    ...tlsOptions(),
  };
  if (subject === "baseline") {
    const { createBaseline } = await import("./baseline.js");
    return createBaseline({ ...options, isHttp2: request.httpVersion === HTTPVersion.HTTP_VERSION_2 });
  }
  const { createServer } = await import("manywire");
  return createServer({
    ...options,
    ...(subject.startsWith("proxy") && (await forwardAll())),
    host: "127.0.0.1",
    port: 0,
    fastLane: subject !== "reference",
    http2: subject === "node-http2" ? "node" : "own",
    compressResponses: true,
    // The suite passes it on to its log.
    onConnectionError: (error, step) => process.stderr.write(`${step}: ${error.message}\n`),
  });
}

/** Serves nothing itself: all calls go on to the suite's server. */
async function forwardAll() {
  const program = subject === "proxy-grpcserver" ? grpcServer : referenceServer;
  const url = await startSuiteServer(program, request.messageReceiveLimit);
  const upstreams = [{ url, descriptorSet: readFileSync(descriptorFile), reflection: false }];
  // An interceptor gets messages, so that every one is decoded and encoded again.
  const interceptors = subject === "proxy-decode" ? [passOn] : [];
  return { routes: () => {}, upstreams, interceptors };
}

/** @type {import("manywire").Interceptor} */
function passOn(next) {
  return next;
}

function tlsOptions() {
  const { useTls, serverCreds, clientTlsCert } = request;
  if (!useTls || !serverCreds) {
    return {};
  }
  const ca = clientTlsCert.length > 0 ? { ca: Buffer.from(clientTlsCert) } : {};
  return { tls: { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key), ...ca } };
}
