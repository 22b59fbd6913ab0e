// Records the headers of real clients into headers.json: each makes one call to a server that writes down what it gets. What
// applications add is here: a deadline of 10 s (none for grpc-go, whose headers streams have), a trace context, and in browsers
// cookies.
//
//   node test/bench/record-headers.js        after `npm run bench -- --quick grpc-unary`, which builds the clients
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { chromium } from "playwright-core";
import { goProgram } from "./peers/go.js";
import { pythonServer } from "./peers/python.js";
import { root } from "./schema.js";

/** @typedef {"grpc-js" | "grpc-go" | "grpcio" | "connect-web" | "grpc-web" | "fetch" | "curl"} ClientName */

const timeoutSeconds = 10;
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const cookie = "session=ZXlKMWMyVnlJam96TXpFM2ZRLnNpZ25lZA; theme=dark; consent=2026-11-02";
/** What the load tools and the protocols set. */
const ownHeaders = /^(:.*|host|connection|content-length|content-type|te|connect-protocol-version)$/;

/** @param {http.IncomingHttpHeaders} headers */
function keep(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.test(name)));
}

/** The headers of the next call. @type {(headers: Record<string, unknown>) => void} */
let onCall = () => {};

const overHttp2 = http2.createServer();
overHttp2.on("stream", (stream, headers) => {
  onCall(keep(headers));
  const head = { ":status": 200, "content-type": "application/grpc", "grpc-status": 12, "grpc-message": "recorded" };
  stream.respond(head, { endStream: true });
});
const page = "<!doctype html><title>records headers</title>";
const overHttp1 = http.createServer(({ headers, method }, response) => {
  if (method === "POST") onCall(keep(headers));
  response.setHeader("content-type", "text/html");
  response.end(page);
});

/** @param {http.Server | http2.Http2Server} server */
async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `127.0.0.1:${port}`;
}
const [http2Address, http1Address] = [await listen(overHttp2), await listen(overHttp1)];

/** @param {() => Promise<unknown>} call which may fail: the response is no real one */
async function record(call) {
  const recorded = new Promise((resolve) => {
    onCall = resolve;
  });
  await call().catch(() => {});
  return await Promise.race([recorded, failAfter(5000)]);
}

/** @param {number} ms @returns {Promise<never>} */
function failAfter(ms) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error("expected a call, found none")), ms).unref();
  });
}

function callGrpcJs() {
  const includeDirs = ["proto", "node_modules/google-gax/build/protos"].map((folder) => join(root, folder));
  /** @type {any} */
  const packages = grpc.loadPackageDefinition(loadSync("hello_world.proto", { includeDirs }));
  const client = new packages.hello_world.Greeter(http2Address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set("traceparent", traceparent);
  const options = { deadline: Date.now() + timeoutSeconds * 1000 };
  return new Promise((resolve) => {
    client.SayHello({ name: "you" }, metadata, options, () => resolve(client.close()));
  });
}

const run = promisify(execFile);
const callGrpcGo = () => run(String(goProgram("grpc")[0]), ["call", http2Address, traceparent]);

const callGrpcio = () => {
  const [file = "", ...args] = pythonServer.slice(0, -1);
  const program = `
import grpc, hello_world_pb2, hello_world_pb2_grpc
stub = hello_world_pb2_grpc.GreeterStub(grpc.insecure_channel("${http2Address}"))
stub.SayHello(hello_world_pb2.HelloRequest(name="you"), timeout=${timeoutSeconds}, metadata=[("traceparent", "${traceparent}")])
`;
  return run(file, [...args, "-c", program]);
};

const callCurl = () => {
  const headers = ["content-type: application/json", `traceparent: ${traceparent}`].flatMap((header) => ["-H", header]);
  return run("curl", [
    "-s",
    "--compressed",
    ...headers,
    "-d",
    '{"name":"you"}',
    `http://${http1Address}/v1/example/echo`,
  ]);
};

/** What pages run: calls by connect-web, bundled as applications bundle it, and by fetch. */
const script = `
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Greeter } from "./gen/hello_world_pb.ts";

const headers = { traceparent: "${traceparent}" };
const call = (transport) => createClient(Greeter, transport).sayHello({ name: "you" }, { headers, timeoutMs: ${timeoutSeconds * 1000} });
globalThis.callConnect = () => call(createConnectTransport({ baseUrl: "/" }));
globalThis.callGrpcWeb = () => call(createGrpcWebTransport({ baseUrl: "/" }));
globalThis.callFetch = () => fetch("/v1/example/echo", {
  method: "POST",
  headers: { ...headers, "content-type": "application/json" },
  body: '{"name":"you"}',
});
`;

async function recordBrowser() {
  const esbuild = join(root, "node_modules", "esbuild", "bin", "esbuild");
  const bundle = execFileSync(process.execPath, [esbuild, "--bundle", "--format=iife"], { input: script, cwd: root });
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const tab = await browser.newPage({ locale: "en-US" });
    const cookies = cookie.split("; ").map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return { name, value, url: `http://${http1Address}` };
    });
    await tab.context().addCookies(cookies);
    await tab.goto(`http://${http1Address}/`);
    await tab.addScriptTag({ content: bundle.toString() });
    return {
      "connect-web": await record(() => tab.evaluate("callConnect()")),
      "grpc-web": await record(() => tab.evaluate("callGrpcWeb()")),
      fetch: await record(() => tab.evaluate("callFetch().then(() => {})")),
    };
  } finally {
    await browser.close();
  }
}

/** @type {Record<ClientName, unknown>} */
const recorded = {
  "grpc-js": await record(callGrpcJs),
  "grpc-go": await record(callGrpcGo),
  grpcio: await record(callGrpcio),
  ...(await recordBrowser()),
  curl: await record(callCurl),
};
const addresses = new RegExp(`${http1Address}|${http2Address}`, "g");
const text = `${JSON.stringify(recorded, null, 2)}\n`.replaceAll(addresses, "127.0.0.1:50051");
writeFileSync(new URL("headers.json", import.meta.url), text);
process.exit();
