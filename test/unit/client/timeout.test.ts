// What becomes of the `timeoutMs` of a call: the header that says it, and whether the call may go on.
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Code, ConnectError, createClient, createTransport, type Protocol } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";

type HttpVersion = "1.1" | "2";

const headerOf: Record<Protocol, string> = {
  connect: "connect-timeout-ms",
  grpc: "grpc-timeout",
  "grpc-web": "grpc-timeout",
  rest: "grpc-timeout",
};

/** The header of each request. Each gets 503. */
const seen: http.IncomingHttpHeaders[] = [];
let calls = 0;
const servers: Record<HttpVersion, Server> = {
  "1.1": http.createServer(answer),
  "2": http2.createServer(answer as never),
};
const sockets = new Set<Socket>();

function answer(request: { headers: http.IncomingHttpHeaders }, response: http.ServerResponse): void {
  seen.push(request.headers);
  response.writeHead(503).end();
}

beforeAll(async () => {
  for (const server of Object.values(servers)) {
    server.on("connection", (socket: Socket) => sockets.add(socket));
    await once(server.listen(0, "127.0.0.1"), "listening");
  }
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of Object.values(servers)) server.close();
});

function urlOf(httpVersion: HttpVersion): string {
  const { port } = servers[httpVersion].address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** The headers of one call, which must not have failed by its deadline. */
async function headersOf(protocol: Protocol, httpVersion: HttpVersion, timeoutMs?: number, defaultTimeoutMs?: number) {
  const transport = createTransport({
    ...{ protocol, httpVersion, baseUrl: urlOf(httpVersion) },
    ...(defaultTimeoutMs !== undefined && { defaultTimeoutMs }),
  });
  onTestFinished(() => transport.close());
  calls += 1;
  const call = String(calls);
  const options = { headers: { "x-call": call }, ...(timeoutMs !== undefined && { timeoutMs }) };
  const error = await createClient(Greeter, transport)
    .sayHello({}, options)
    .catch((reason: unknown) => ConnectError.from(reason));
  return {
    code: error instanceof ConnectError ? error.code : undefined,
    headers: seen.find((headers) => headers["x-call"] === call),
  };
}

const wires: [Protocol, HttpVersion][] = [
  ["connect", "1.1"],
  ["connect", "2"],
  ["grpc", "2"],
  ["grpc-web", "1.1"],
  ["grpc-web", "2"],
  ["rest", "1.1"],
  ["rest", "2"],
];

const day = 86_400_000;
/** Milliseconds, and what Connect and gRPC say of them. Undefined is no deadline. */
const timeouts: [timeoutMs: number, connect: string | undefined, grpc: string | undefined][] = [
  [5000, "5000", "5000m"],
  [30_000.25, "30001", "30001m"],
  [2999.999, "3000", "3000m"],
  [99_999_999, "99999999", "99999999m"],
  [99_999_999.5, "100000000", "100000S"],
  [2 * day + 1, "172800001", "172801S"],
  [2 ** 31 - 1, "2147483647", "2147484S"],
  [2 ** 31, "2147483647", "2147484S"],
  [Number.MAX_SAFE_INTEGER, "2147483647", "2147484S"],
  [Number.MAX_VALUE, "2147483647", "2147484S"],
  [Number.POSITIVE_INFINITY, undefined, undefined],
  [Number.NEGATIVE_INFINITY, undefined, undefined],
  [0, undefined, undefined],
  [-0, undefined, undefined],
  [-1, undefined, undefined],
];

describe.each(wires)("%s over HTTP/%s", (protocol, httpVersion) => {
  it.each(timeouts)("a timeout of %d ms is sent as %s and as %s", async (timeoutMs, connect, grpc) => {
    const expected = protocol === "connect" ? connect : grpc;
    for (const [given, byDefault] of [
      [timeoutMs, undefined],
      [timeoutMs, 1000],
      ...(timeoutMs >= 1 && timeoutMs < 2 ** 31 ? [[undefined, timeoutMs]] : []),
    ]) {
      const { code, headers } = await headersOf(protocol, httpVersion, given, byDefault);
      expect([code, headers?.[headerOf[protocol]]]).toEqual([Code.Unavailable, expected]);
      const seconds = headers?.["x-server-timeout"];
      if (protocol === "rest") expect(seconds === undefined ? undefined : String(Number(seconds) * 1000)).toBe(connect);
    }
  });

  it("a timeout of less than a millisecond is one of a millisecond", async () => {
    using transport = createTransport({ protocol, httpVersion, baseUrl: urlOf(httpVersion) });
    const begun = createClient(Greeter, transport).sayHello({}, { timeoutMs: 1e-9 });
    await expect(begun).rejects.toMatchObject({ code: expect.toBeOneOf([Code.DeadlineExceeded, Code.Unavailable]) });
  });

  it("a timeout that is not a number fails the call", async () => {
    const { code, headers } = await headersOf(protocol, httpVersion, Number.NaN);
    expect([code, headers]).toEqual([Code.InvalidArgument, undefined]);
  });
});
