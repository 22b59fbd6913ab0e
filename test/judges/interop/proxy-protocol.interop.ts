// HAProxy in front of a server, which learns of clients by HAProxy's PROXY headers.
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { createServer } from "../../../server/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { authority, serverIdentity } from "../../support/certificates.js";
import { hasProgram } from "../../support/program.js";
import { haproxy, type ProxyProgram, startProxy } from "./proxy.js";

/** The client's address. HAProxy's own is 127.0.0.1. */
const client = "127.0.0.2";
const path = `/${TestService.typeName}/Unary`;
const intervalMs = 200;

/** HAProxy as a TCP proxy. It asks whether the server is ready, and gives it no connection after the first no. */
function tcpProxy(options: string): ProxyProgram {
  return {
    ...haproxy,
    configure: (_, { http1, http2 }, servers) => `
defaults
  mode tcp
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${http1}
  bind 127.0.0.1:${http2}
  default_backend back
backend back
  option httpchk
  http-check send meth GET uri /readyz hdr Host localhost
  http-check expect status 200
  server one ${servers[0]} ${options} check inter ${intervalMs}ms fall 1
`,
  };
}

async function start(isSecure: boolean) {
  const [peers, errors]: [string[], string[]] = [[], []];
  const server = createServer({
    port: 0,
    trustProxy: "127.0.0.1",
    proxyProtocol: true,
    tls: isSecure ? serverIdentity : undefined,
    routes: (router) => router.service(TestService, { unary: () => ({}) }),
    onCall: ({ peer }) => peers.push(peer),
    onConnectionError: (error, step) => errors.push(`${step}: ${error.message}`),
  });
  onTestFinished(() => server.close());
  await server.listen();
  return { url: server.url, peers, errors };
}

/** A call of Connect over HTTP/1.1. Returns its status. */
async function call1(url: URL): Promise<number | undefined> {
  const { request } = url.protocol === "https:" ? https : http;
  const options = { localAddress: client, ca: authority, agent: false, method: "POST", path };
  const call = request(url, { ...options, headers: { "content-type": "application/json" } } as https.RequestOptions);
  call.end("{}");
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** A call of gRPC. Returns its status, and that of HTTP. */
async function call2(url: URL): Promise<unknown[]> {
  const tcp = connect({ host: url.hostname, port: Number(url.port), localAddress: client });
  const tls = () => connectTls({ socket: tcp, host: url.hostname, ca: authority, ALPNProtocols: ["h2"] });
  const session = http2.connect(url, { createConnection: () => (url.protocol === "https:" ? tls() : tcp) });
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers);
  stream.resume().end(Buffer.alloc(5));
  const [[response], [trailers]] = await Promise.all([once(stream, "response"), once(stream, "trailers")]);
  session.close();
  return [response[":status"], trailers["grpc-status"]];
}

// In CI a missing program is a failure.
const isSkipped = process.env.CI === undefined && !hasProgram(haproxy.command);
const note = isSkipped ? " (skipped: haproxy is not on the PATH)" : "";

describe.skipIf(isSkipped).each([
  ["send-proxy", false],
  ["send-proxy-v2", false],
  ["send-proxy-v2 proxy-v2-options crc32c,unique-id", false],
  ["send-proxy", true],
  ["send-proxy-v2 proxy-v2-options crc32c", true],
])(`behind HAProxy with %s, TLS %s,${note}`, (options, isSecure) => {
  it("a server knows the clients of its calls, and is ready for HAProxy", async () => {
    const server = await start(isSecure);
    const front = await startProxy(tcpProxy(`${options}${isSecure ? " check-ssl verify none" : ""}`), [server.url]);
    const url = new URL(front.http1);
    if (isSecure) url.protocol = "https:";
    // HAProxy has asked several times.
    await delay(4 * intervalMs);
    expect(await call1(url)).toBe(200);
    expect(await call2(url)).toEqual([200, "0"]);
    await expect.poll(() => server.peers).toEqual([client, client]);
    expect(server.errors).toEqual([]);
  });
});

describe.skipIf(isSkipped)(`behind HAProxy without PROXY headers${note}`, () => {
  it("a server that expects them serves nothing, and says why", async () => {
    const server = await start(false);
    const front = await startProxy(tcpProxy(""), [server.url]);
    await expect.poll(() => server.errors).toContain("proxy header: PROXY header: expected one, found other bytes");
    await expect(call1(new URL(front.http1))).rejects.toThrow();
    expect(server.peers).toEqual([]);
  });
});
