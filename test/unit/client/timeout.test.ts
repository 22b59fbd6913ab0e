// What becomes of the `timeoutMs` of a call: the header that says it, and whether the call may go on.
import { EventEmitter, once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import * as browser from "../../../client/browser.js";
import { Code, ConnectError, createClient, createTransport, type Protocol } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

type HttpVersion = "1.1" | "2";

const headerOf: Record<Protocol, string> = {
  connect: "connect-timeout-ms",
  grpc: "grpc-timeout",
  "grpc-web": "grpc-timeout",
  rest: "grpc-timeout",
};

/** Emits the `x-call` of each request that gets no response. */
const held = new EventEmitter();
/** The headers of each request. Each gets 503, but for those that are held. */
const seen: http.IncomingHttpHeaders[] = [];
let calls = 0;
const servers: Record<HttpVersion, Server> = {
  "1.1": http.createServer(answer),
  "2": http2.createServer(answer as never),
};
const sockets = new Set<Socket>();

function answer(request: { headers: http.IncomingHttpHeaders }, response: http.ServerResponse): void {
  seen.push(request.headers);
  if ("x-hold" in request.headers) {
    held.emit(String(request.headers["x-call"]));
    return;
  }
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
  [2 ** 31, "2147483648", "2147484S"],
  [30 * day + 0.5, "2592000001", "2592001S"],
  [9_999_999_999, "9999999999", "10000000S"],
  [1e12, undefined, "16666667M"],
  [3.5e14, undefined, "97222223H"],
  [Number.MAX_VALUE, undefined, undefined],
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
      ...(timeoutMs > 0 ? [[undefined, timeoutMs]] : []),
    ]) {
      const { code, headers } = await headersOf(protocol, httpVersion, given, byDefault);
      expect([code, headers?.[headerOf[protocol]]]).toEqual([Code.Unavailable, expected]);
      const seconds = headers?.["x-server-timeout"];
      const ms = grpc === undefined ? undefined : Math.ceil(timeoutMs);
      if (protocol === "rest") expect(seconds === undefined ? undefined : Number(seconds) * 1000).toBe(ms);
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

/** Passes calls on: with an interceptor, gRPC takes another way. */
const passOn: Interceptor = (next) => next;

/** A `fetch` that gets no response until it is aborted. */
function holdFetch(_url: string, { signal, headers }: RequestInit): Promise<Response> {
  held.emit(new Headers(headers).get("x-call") ?? "");
  return new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

const browserOptions = { baseUrl: "http://localhost", fetch: holdFetch };
const transports: [name: string, open: () => Transport | Promise<Transport>][] = [
  ...wires.flatMap(([protocol, httpVersion]): [string, () => Promise<Transport>][] => {
    const open = (interceptors: Interceptor[]) => async () => {
      const transport = createTransport({ protocol, httpVersion, baseUrl: urlOf(httpVersion), interceptors });
      onTestFinished(() => transport.close());
      // The connection has to be complete before time moves on.
      await expect(createClient(Greeter, transport).sayHello({})).rejects.toThrow("[unavailable]");
      return transport;
    };
    const name = `${protocol} over HTTP/${httpVersion}`;
    return [
      [name, open([])],
      [`${name} with an interceptor`, open([passOn])],
    ];
  }),
  ["connect in a browser", () => browser.createConnectTransport(browserOptions)],
  ["grpc-web in a browser", () => browser.createGrpcWebTransport(browserOptions)],
  ["rest in a browser", () => browser.createRestTransport(browserOptions)],
];

describe.each(transports)("%s", (name, open) => {
  const kinds = name.startsWith("rest") ? ["unary"] : ["unary", "stream"];
  const timeouts: [timeoutMs: number, endsAfterMs: number][] = [
    [30 * day, 30 * day],
    [60 * day + 0.25, 60 * day + 1],
    [400 * day, 400 * day],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ];

  it.each(kinds.flatMap((kind) => timeouts.map((times) => [kind, ...times] as const)))(
    "a %s call with a timeout of %d ms ends after %d ms",
    async (kind, timeoutMs, endsAfterMs) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
      onTestFinished(() => void vi.useRealTimers());
      const transport = await open();
      const canceled = new AbortController();
      calls += 1;
      const call = String(calls);
      const options = { timeoutMs, signal: canceled.signal, headers: { "x-call": call, "x-hold": "1" } };
      const arrival = once(held, call);
      let isEnded = false;
      const failure = begin(kind, transport, options).catch((reason: unknown) => {
        isEnded = true;
        return ConnectError.from(reason);
      });
      await arrival;
      vi.advanceTimersByTime(Math.min(endsAfterMs - 1, 1000 * day));
      await new Promise((resolve) => setImmediate(resolve));
      expect(isEnded).toBe(false);
      if (endsAfterMs === Number.POSITIVE_INFINITY) canceled.abort();
      else vi.advanceTimersByTime(1);
      const code = endsAfterMs === Number.POSITIVE_INFINITY ? Code.Canceled : Code.DeadlineExceeded;
      expect(await failure).toMatchObject({ code });
    },
  );
});

async function begin(kind: string, transport: Transport, options: object): Promise<unknown> {
  if (kind === "unary") return createClient(Greeter, transport).sayHello({}, options);
  for await (const reply of createClient(TestService, transport).serverStream({}, options)) return reply;
  return undefined;
}
