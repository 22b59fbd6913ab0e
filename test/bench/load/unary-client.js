// A client in a process of its own, which makes unary calls of gRPC and says what CPU time they took.
import { join } from "node:path";
import process from "node:process";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { importFrom, root } from "../schema.js";

/** @typedef {(name: string) => Promise<string>} Greet */
/** @typedef {{ dist: string, url: string }} Target */

/** @typedef {"manywire" | "manywire-node" | "connect-node" | "grpc-js"} ClientName */

/** @type {Record<ClientName, (target: Target) => Promise<Greet>>} */
const clients = {
  manywire: ({ dist, url }) => openManywire(dist, { baseUrl: url }),
  "manywire-node": ({ dist, url }) => openManywire(dist, { baseUrl: url, http2: "node" }),
  "connect-node": async ({ dist, url }) => greet(dist, createGrpcTransport({ baseUrl: url })),
  "grpc-js": async ({ url }) => openGrpcJs(url),
};

/** @param {string} dist @param {object} options */
async function openManywire(dist, options) {
  const { createTransport } = await importFrom(dist, "client/index.js");
  return greet(dist, createTransport({ protocol: "grpc", ...options }));
}

/**
 * @param {string} dist
 * @param {import("@connectrpc/connect").Transport} transport
 * @returns {Promise<Greet>}
 */
async function greet(dist, transport) {
  const { Greeter } = await importFrom(dist, "gen/hello_world_pb.js");
  /** @type {any} */
  const client = createClient(Greeter, transport);
  return async (name) => (await client.sayHello({ name })).message;
}

/** @param {string} url @returns {Greet} */
function openGrpcJs(url) {
  const includeDirs = ["proto", "node_modules/google-gax/build/protos"].map((folder) => join(root, folder));
  /** @type {any} */
  const packages = grpc.loadPackageDefinition(loadSync("hello_world.proto", { includeDirs }));
  const client = new packages.hello_world.Greeter(new URL(url).host, grpc.credentials.createInsecure());
  return (name) =>
    new Promise((resolve, reject) => {
      client.SayHello({ name }, (/** @type {any} */ error, /** @type {any} */ reply) => {
        if (error === null) resolve(reply.message);
        else reject(error);
      });
    });
}

/** @type {Greet | undefined} */
let open;

/** @param {Target & { name: ClientName, seconds: number, atOnce: number }} options */
async function measure({ name, seconds, atOnce, ...target }) {
  open ??= await clients[name](target);
  const call = open;
  const before = process.cpuUsage();
  const stopMs = performance.now() + seconds * 1000;
  let calls = 0;
  const keepCalling = async () => {
    while (performance.now() < stopMs) {
      const message = await call("you");
      if (message !== "Hello, you!") throw new Error(`expected "Hello, you!", found "${message}"`);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, keepCalling));
  const { user, system } = process.cpuUsage(before);
  return { calls, cpuUs: user + system };
}

process.on("message", async (/** @type {any} */ message) => {
  try {
    process.send?.({ result: await measure(message) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => process.exit());
