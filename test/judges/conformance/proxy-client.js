// The suite's own client, which calls the suite's servers through our proxy: reads ClientCompatRequests of calls over gRPC,
// starts a proxy before each server that they name, and gives them to the client as calls of the proxy. Its first argument
// is the protocol of these, its second how many the client makes at a time.
// docs/testing_clients.md of connectrpc.com/conformance v1.0.5.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { createServer } from "manywire";
import { ClientCompatRequestSchema } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js";
import { Codec, Protocol } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/config_pb.js";
import { formatFrame, readFrames } from "./frames.js";
import { descriptorFile, referenceClient } from "./setup.js";

/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js").ClientCompatRequest} Request */

/** @type {Record<string, Pick<Request, "protocol" | "codec">>} */
const fronts = {
  grpc: { protocol: Protocol.GRPC, codec: Codec.PROTO },
  "grpc-web": { protocol: Protocol.GRPC_WEB, codec: Codec.PROTO },
  connect: { protocol: Protocol.CONNECT, codec: Codec.PROTO },
  "connect-json": { protocol: Protocol.CONNECT, codec: Codec.JSON },
};

const [, , front = "", parallel = ""] = process.argv;
const descriptorSet = readFileSync(descriptorFile);
/** Address of a server → the proxy before it. @type {Map<string, Promise<import("manywire").Server>>} */
const proxies = new Map();

const client = spawn(referenceClient, ["-p", parallel], { stdio: ["pipe", "inherit", "inherit"] });
const exit = once(client, "exit");
for await (const frame of readFrames(process.stdin)) {
  const request = fromBinary(ClientCompatRequestSchema, frame);
  const { hostname, port } = new URL((await proxyOf(request)).url);
  const through = { ...request, ...fronts[front], host: hostname, port: Number(port) };
  client.stdin.write(formatFrame(toBinary(ClientCompatRequestSchema, through)));
}
client.stdin.end();
const [code] = await exit;
for (const proxy of proxies.values()) await (await proxy).close();
process.exitCode = code ?? 1;

/** @param {Request} request */
function proxyOf({ host, port }) {
  const address = `${host}:${port}`;
  const proxy = proxies.get(address) ?? startProxy(address);
  proxies.set(address, proxy);
  return proxy;
}

/** @param {string} address */
async function startProxy(address) {
  const server = createServer({
    host: "127.0.0.1",
    port: 0,
    routes: () => {},
    upstreams: [{ url: address, descriptorSet }],
    // The suite passes it on to its log.
    onConnectionError: (error, step) => process.stderr.write(`${step}: ${error.message}\n`),
  });
  await server.listen();
  return server;
}
