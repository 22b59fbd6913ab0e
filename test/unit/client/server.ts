/** A plain connect-node server for the client to call: the test service and the Greeter, and what was seen of them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { type TestRequest, TestService } from "../../gen/manywire/test/v1/test_pb.js";

/** A self-signed certificate for localhost, 127.0.0.1 and ::1, valid to 2120, which is its own authority. */
export const certificatePath: string = new URL("../../support/certificates/localhost-cert.pem", import.meta.url)
  .pathname;
export const keyPath: string = new URL("../../support/certificates/localhost-key.pem", import.meta.url).pathname;
export const certificate: Buffer = readFileSync(certificatePath);
export const key: Buffer = readFileSync(keyPath);

export interface ServerOptions {
  httpVersion: "1.1" | "2";
  isTls?: boolean;
  /** Refuse clients without a certificate that our authority signed. */
  isMutual?: boolean;
  host?: string;
  socketPath?: string;
}

/** One request as it arrived. */
interface SeenRequest {
  httpVersion: string;
  method: string;
  contentType: string;
  /** The compression of its message or messages. */
  encoding: string;
  path: string;
}

export interface TestServer extends AsyncDisposable {
  url: string;
  requests: SeenRequest[];
  sockets: Set<Socket>;
  /** Resolves when the next connection is there. */
  nextSocket(): Promise<Socket>;
}

async function reply(request: TestRequest, index: number, context: HandlerContext) {
  if (request.waitMs > 0) await delay(request.waitMs, undefined, { signal: context.signal });
  const { failure } = request;
  if (failure !== undefined && index >= failure.after) throw new ConnectError(failure.message, failure.code);
  const data = request.replyBytes > 0 ? new Uint8Array(request.replyBytes) : request.data;
  return { text: request.text, data, index };
}

function routes(router: ConnectRouter): void {
  router.service(TestService, {
    unary: (request, context) => reply(request, 0, context),
    get: (request, context) => reply(request, 0, context),
    async *serverStream(request, context) {
      for (let index = 0; index < request.count; index++) yield await reply(request, index, context);
    },
    async clientStream(requests) {
      const texts: string[] = [];
      for await (const { text } of requests) texts.push(text);
      return { text: texts.join(","), index: texts.length };
    },
    async *bidiStream(requests, context) {
      let index = 0;
      for await (const request of requests) yield await reply(request, index++, context);
    },
  });
  router.service(Greeter, {
    sayHello: ({ name }) => ({ message: `Hello, ${name}!` }),
    sayHelloAgain: ({ name }) => ({ message: `Hello, ${name} Again!` }),
  });
}

/** The caller disposes it; what is still open is then cut. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const { isTls = false, host = "127.0.0.1", socketPath } = options;
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createNodeServer(options, requests);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(socketPath === undefined ? { port: 0, host } : { path: socketPath });
  await once(server, "listening");
  return {
    url: socketPath === undefined ? urlOf(isTls, host, server) : `unix:${socketPath}`,
    requests,
    sockets,
    nextSocket: async () => (await once(server, "connection"))[0] as Socket,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function createNodeServer({ httpVersion, isTls, isMutual }: ServerOptions, requests: SeenRequest[]): Server {
  const adapter = connectNodeAdapter({ routes });
  const listener = (request: http.IncomingMessage & http2.Http2ServerRequest, response: never): void => {
    const { pathname } = new URL(request.url, "http://localhost");
    const { method, headers } = request;
    const contentType = headers["content-type"] ?? "";
    const encoding = String(headers["grpc-encoding"] ?? headers["content-encoding"] ?? "");
    requests.push({ httpVersion: request.httpVersion, method, contentType, encoding, path: pathname });
    adapter(request, response);
  };
  const on = listener as never;
  const mutual = isMutual === true ? { ca: certificate, requestCert: true, rejectUnauthorized: true } : {};
  const tls = { cert: certificate, key, ...mutual };
  if (isTls === true) return httpVersion === "2" ? http2.createSecureServer(tls, on) : https.createServer(tls, on);
  return httpVersion === "2" ? http2.createServer(on) : http.createServer(on);
}

function urlOf(isTls: boolean, host: string, server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `${isTls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
