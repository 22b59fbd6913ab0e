import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type ClosableTransport,
  Code,
  ConnectError,
  compressionGzip,
  createClient,
  createTransport,
  type Protocol,
  TransportOptionError,
  type TransportOptions,
} from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { certificate, key, type ServerOptions, startServer, type TestServer } from "./server.js";

type HttpVersion = "1.1" | "2";

/** What each protocol runs on, and the content type of its unary calls. gRPC needs HTTP/2 for its trailers. */
const wires: [Protocol, HttpVersion, string][] = [
  ["connect", "1.1", "application/"],
  ["connect", "2", "application/"],
  ["grpc", "2", "application/grpc+"],
  ["grpc-web", "1.1", "application/grpc-web+"],
  ["grpc-web", "2", "application/grpc-web+"],
];

const combinations = wires.flatMap(([protocol, httpVersion, contentType]) =>
  [false, true].flatMap((isTls) =>
    [true, false].map((useBinaryFormat) => ({ protocol, httpVersion, isTls, useBinaryFormat, contentType })),
  ),
);
const http2s = combinations.flatMap((one) =>
  (one.httpVersion === "2" && one.useBinaryFormat ? (["own", "node"] as const) : (["own"] as const)).map((http2) => ({
    ...one,
    http2,
  })),
);

async function start(options: ServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function open(options: TransportOptions): ClosableTransport {
  const transport = createTransport(options);
  onTestFinished(() => transport.close());
  return transport;
}

async function connect(protocol: Protocol, httpVersion: HttpVersion, options: Partial<TransportOptions> = {}) {
  const server = await start({ httpVersion });
  const transport = open({ protocol, httpVersion, baseUrl: server.url, ...options });
  return { server, transport, client: createClient(TestService, transport) };
}

async function failureOf(call: Promise<unknown>): Promise<{ code: Code; message: string }> {
  const error = await call.then(
    () => new Error("the call succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  return { code: error.code, message: error.rawMessage };
}

async function collect<T>(replies: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const reply of replies) all.push(reply);
  return all;
}

async function* requests(...texts: string[]) {
  for (const text of texts) yield { text };
}

describe.each(http2s)(
  "$protocol over HTTP/$httpVersion ($http2), TLS $isTls, binary $useBinaryFormat",
  ({ protocol, httpVersion, http2, isTls, useBinaryFormat, contentType }) => {
    it("reaches every kind of method, under its own content type", async () => {
      const server = await start({ httpVersion, isTls });
      const tls = isTls ? { tls: { ca: certificate } } : {};
      const transport = open({ protocol, httpVersion, http2, useBinaryFormat, baseUrl: server.url, ...tls });
      const client = createClient(TestService, transport);

      const data = Uint8Array.of(0, 1, 255);
      expect(await client.unary({ text: "päth", data })).toMatchObject({ text: "päth", data });
      expect((await collect(client.serverStream({ count: 3 }))).map(({ index }) => index)).toEqual([0, 1, 2]);
      expect(await client.clientStream(requests("a", "b"))).toMatchObject({ text: "a,b", index: 2 });

      const codec = useBinaryFormat ? "proto" : "json";
      expect(server.requests[0]).toMatchObject({
        httpVersion: httpVersion === "2" ? "2.0" : "1.1",
        method: "POST",
        contentType: `${contentType}${codec}`,
        path: "/manywire.test.v1.TestService/Unary",
      });
    });
  },
);

describe.each(wires)("%s over HTTP/%s", (protocol, httpVersion) => {
  it("keeps its connection for the next call", async () => {
    const { server, client } = await connect(protocol, httpVersion);
    for (const text of ["a", "b", "c"]) await client.unary({ text });
    expect(server.sockets.size).toBe(1);
  });

  it("hands the server's error on", async () => {
    const { client } = await connect(protocol, httpVersion);
    const failure = { code: Code.NotFound, message: "no such thing" };
    expect(await failureOf(client.unary({ failure }))).toEqual(failure);
  });

  it("ends a call at its default deadline, or later where the call says so", async () => {
    const { client } = await connect(protocol, httpVersion, { defaultTimeoutMs: 100 });
    expect(await failureOf(client.unary({ waitMs: 5_000 }))).toMatchObject({ code: Code.DeadlineExceeded });
    expect(await client.unary({ text: "late", waitMs: 200 }, { timeoutMs: 5_000 })).toMatchObject({ text: "late" });
  });

  it("rejects a message over 4 MiB by default", async () => {
    const replyBytes = 4 * 1024 * 1024;
    const small = await connect(protocol, httpVersion);
    expect(await failureOf(small.client.unary({ replyBytes }))).toMatchObject({ code: Code.ResourceExhausted });
    const large = await connect(protocol, httpVersion, { readMaxBytes: replyBytes + 1024 });
    expect((await large.client.unary({ replyBytes })).data.length).toBe(replyBytes);
  });

  it("passes Connect's own options on", async () => {
    const seen: string[] = [];
    const { server, client } = await connect(protocol, httpVersion, {
      interceptors: [
        (next) => (request) => {
          seen.push(request.method.name);
          return next(request);
        },
      ],
      sendCompression: compressionGzip,
      compressMinBytes: 0,
    });
    expect(await client.unary({ text: "zip" })).toMatchObject({ text: "zip" });
    expect(seen).toEqual(["Unary"]);
    expect(server.requests[0]?.encoding).toBe("gzip");
  });

  it("cancels a call under way when it is closed, and connects again for a later one", async () => {
    const { server, transport, client } = await connect(protocol, httpVersion);
    const socket = server.nextSocket();
    const call = failureOf(client.unary({ waitMs: 5_000 }));
    const socketClosed = new Promise((resolve) => void socket.then((accepted) => accepted.on("close", resolve)));
    await socket;
    transport.close();
    expect(await call).toEqual({ code: Code.Canceled, message: "the transport was closed" });
    await socketClosed;
    expect(await client.unary({ text: "again" })).toMatchObject({ text: "again" });
  });

  it("cancels a stream under way when it is closed", async () => {
    const { transport, client } = await connect(protocol, httpVersion);
    const replies = client.serverStream({ count: 2, waitMs: 100 })[Symbol.asyncIterator]();
    expect((await replies.next()).value).toMatchObject({ index: 0 });
    transport.close();
    expect(await failureOf(replies.next())).toMatchObject({ code: Code.Canceled });
  });

  it("leaves no connection when it is closed while idle", async () => {
    const { server, transport, client } = await connect(protocol, httpVersion);
    await client.unary({});
    const ends = [...server.sockets].map((socket) => new Promise((resolve) => socket.on("close", resolve)));
    transport[Symbol.dispose]();
    await Promise.all(ends);
    expect([ends.length, server.sockets.size]).toEqual([1, 0]);
  });

  it("cancels a call that is still connecting when it is closed", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    const accepted = new Promise<void>((resolve) => {
      silent.on("connection", (socket) => {
        socket.on("error", () => {});
        onTestFinished(() => void socket.destroy());
        resolve();
      });
    });
    await new Promise((resolve) => silent.on("listening", resolve));
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const transport = open({ protocol, httpVersion, baseUrl: `https://127.0.0.1:${address.port}` });
    const call = failureOf(createClient(TestService, transport).unary({}));
    await accepted;
    transport.close();
    expect(await call).toEqual({ code: Code.Canceled, message: "the transport was closed" });
  });

  it("calls through a Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "manywire-client-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const server = await start({ httpVersion, socketPath: join(folder, "a socket") });
    const client = createClient(TestService, open({ protocol, httpVersion, baseUrl: server.url }));
    expect(await client.unary({ text: "near" })).toMatchObject({ text: "near" });
  });

  it("trusts only the given authorities, and sends its own certificate", async () => {
    const { url: baseUrl } = await start({ httpVersion, isTls: true, isMutual: true });
    const options = { protocol, httpVersion, baseUrl };
    const unknown = createClient(TestService, open(options));
    // Node 24 adds advice of its own.
    const message = expect.stringMatching(/^self-signed certificate(;|$)/);
    expect(await failureOf(unknown.unary({}))).toEqual({ code: Code.Internal, message });
    const known = createClient(TestService, open({ ...options, tls: { ca: certificate, cert: certificate, key } }));
    expect(await known.unary({ text: "known" })).toMatchObject({ text: "known" });
  });
});

it.each<HttpVersion>(["1.1", "2"])(
  "no body waits for its head to be acknowledged, with TLS over HTTP/%s",
  async (httpVersion) => {
    const setNoDelay = vi.spyOn(Socket.prototype, "setNoDelay");
    onTestFinished(() => setNoDelay.mockRestore());
    const server = await start({ httpVersion, isTls: true });
    const tls = { ca: certificate };
    await createClient(TestService, open({ protocol: "connect", httpVersion, baseUrl: server.url, tls })).unary({});
    const ports = setNoDelay.mock.contexts.map((socket) => (socket as Socket).remotePort);
    expect(ports).toContain(Number(new URL(server.url).port));
  },
);

/** A value that may be left out, for each option that may be; a missing or unknown one does not compile. */
const allUndefined: Record<Exclude<keyof TransportOptions, "protocol" | "baseUrl">, undefined> = {
  ...{ fetch: undefined, httpVersion: undefined, http2: undefined, tls: undefined },
  ...{ readMaxBytes: undefined, writeMaxBytes: undefined, compressMinBytes: undefined },
  ...{ acceptCompression: undefined, sendCompression: undefined, useBinaryFormat: undefined, useHttpGet: undefined },
  ...{ interceptors: undefined, jsonOptions: undefined, binaryOptions: undefined, codeGeneration: undefined },
  ...{ httpRules: undefined, serviceConfig: undefined, waitForReady: undefined, defaultTimeoutMs: undefined },
  ...{ pingIntervalMs: undefined, pingTimeoutMs: undefined, pingIdleConnection: undefined },
  ...{ idleConnectionTimeoutMs: undefined, addresses: undefined, loadBalancing: undefined },
  ...{ maxConnections: undefined, connectTimeoutMs: undefined, maxPendingCalls: undefined },
};

describe("the client", () => {
  it.each<Protocol>(["connect", "grpc", "grpc-web"])(
    "over %s, takes undefined for an option that is left out",
    async (protocol) => {
      const server = await start({ httpVersion: "2" });
      const client = createClient(TestService, open({ ...allUndefined, protocol, baseUrl: server.url }));
      expect(await client.unary({ text: "a" })).toMatchObject({ text: "a" });
      expect(await collect(client.serverStream({ text: "b", count: 2 }))).toHaveLength(2);
    },
  );

  it.each<[Protocol, string]>([
    ["connect", "GET"],
    ["grpc", "POST"], // has no GET
    ["grpc-web", "POST"], // has no GET
  ])("over %s, with useHttpGet, calls a method without side effects by %s", async (protocol, method) => {
    const { server, client } = await connect(protocol, "2", { useHttpGet: true });
    expect(await client.get({ text: "got" })).toMatchObject({ text: "got" });
    expect(server.requests.map((request) => request.method)).toEqual([method]);
  });

  it("responds to each message of a two-way stream as it arrives, over HTTP/2", async () => {
    const { client } = await connect("grpc", "2");
    const replies = await collect(client.bidiStream(requests("a", "b")));
    expect(replies.map(({ text, index }) => [text, index])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
  // Node 22.23.3 looks for IPv6 addresses among the names of a certificate.
  const knowsIpv6 = checkServerIdentity("::1", new X509Certificate(certificate).toLegacyObject()) === undefined;
  it.skipIf(!hasIpv6 || !knowsIpv6).each<HttpVersion>(["1.1", "2"])(
    "reaches an IPv6 address over HTTP/%s",
    async (httpVersion) => {
      const server = await start({ httpVersion, host: "::1", isTls: true });
      const tls = { ca: certificate };
      const client = createClient(TestService, open({ protocol: "connect", httpVersion, baseUrl: server.url, tls }));
      expect(await client.unary({ text: server.url })).toMatchObject({
        text: expect.stringContaining("https://[::1]:"),
      });
    },
  );

  it("uses HTTP/2 by default", async () => {
    const server = await start({ httpVersion: "2" });
    await createClient(TestService, open({ protocol: "connect", baseUrl: server.url })).unary({});
    expect(server.requests[0]?.httpVersion).toBe("2.0");
  });

  it("puts the methods under the path of its base URL", async () => {
    const server = await start({ httpVersion: "2" });
    const client = createClient(TestService, open({ protocol: "connect", baseUrl: `${server.url}/api/` }));
    expect(await failureOf(client.unary({}))).toMatchObject({ code: Code.Unimplemented });
    expect(server.requests[0]?.path).toBe("/api/manywire.test.v1.TestService/Unary");
  });

  it.each<[string, Partial<TransportOptions>, string]>([
    ["protocol", { protocol: "soap" as Protocol }, 'expected connect, grpc, grpc-web, rest, found "soap"'],
    [
      "httpVersion",
      { protocol: "grpc", httpVersion: "1.1" },
      "expected 2, the only version that gRPC runs on, found 1.1",
    ],
    ["fetch", { protocol: "grpc", fetch }, "expected connect, grpc-web or rest to go with it, found grpc"],
    ["baseUrl", { baseUrl: "ftp://localhost" }, 'expected an http:, https: or unix: URL, found "ftp://localhost"'],
    ["tls", { tls: {} }, "expected an https: URL to go with it, found a plaintext one"],
    ["defaultTimeoutMs", { defaultTimeoutMs: 0 }, "expected more than 0 milliseconds, found 0"],
    ["defaultTimeoutMs", { defaultTimeoutMs: -1 }, "expected more than 0 milliseconds, found -1"],
    ["defaultTimeoutMs", { defaultTimeoutMs: Number.NaN }, "expected more than 0 milliseconds, found NaN"],
    [
      "loadBalancing",
      { loadBalancing: "random" as "pick_first" },
      'expected pick_first, round_robin, least_pending, found "random"',
    ],
    ["addresses", { addresses: [] }, "expected at least one address in an array"],
    ...["", "a:b", "a:0", "a:65536", "::1", "[::1", "http://a", "a/b", "a b", "unix:"].map(
      (text): [string, Partial<TransportOptions>, string] => [
        "addresses[1]",
        { addresses: ["a", text] },
        `expected host:port or unix:/path, found "${text}"`,
      ],
    ),
    ["maxConnections", { maxConnections: 0 }, "expected a whole number from 1 to 2147483647, found 0"],
    ["maxPendingCalls", { maxPendingCalls: 1.5 }, "expected a whole number from 1 to 2147483647, found 1.5"],
    [
      "connectTimeoutMs",
      { connectTimeoutMs: 2 ** 31 },
      "expected a whole number from 1 to 2147483647, found 2147483648",
    ],
    ["maxConnections", { maxConnections: 2, httpVersion: "1.1" }, "expected HTTP/2 of manywire's own to go with it"],
    [
      "loadBalancing",
      { loadBalancing: "round_robin", fetch: globalThis.fetch },
      "expected HTTP/2 of manywire's own to go with it",
    ],
    ["addresses", { addresses: ["a"], http2: "node" }, "expected HTTP/2 of manywire's own to go with it"],
  ])("is not made from an impossible %s: %j", (option, options, problem) => {
    const make = () => createTransport({ protocol: "connect", baseUrl: "http://localhost", ...options });
    expect(make).toThrow(new TransportOptionError(option, problem));
  });
});
