// Calls that wait while no server can be reached: who says so, over every protocol.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Code,
  createClient,
  createContextValues,
  createTransport,
  protocols,
  type TransportOptions,
  waitForReady,
} from "../../../client/index.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { freePort } from "../../support/free-port.js";
import { collect, failureOf } from "../../support/outcome.js";
import { startRestServer } from "../../support/rest-service.js";

type Options = Partial<TransportOptions>;

const service = RestService.typeName;
const byConfig = (waits: boolean): Options => ({
  serviceConfig: { methodConfig: [{ name: [{ service }], waitForReady: waits }] },
});
const byCall = (waits: boolean) => ({ contextValues: createContextValues().set(waitForReady, waits) });

const waiting: [title: string, options: Options, call: { contextValues?: ReturnType<typeof createContextValues> }][] = [
  ["the transport", { waitForReady: true }, {}],
  ["the service config", byConfig(true), {}],
  ["the call", {}, byCall(true)],
  ["the call, and not the transport", { waitForReady: false }, byCall(true)],
  ["the call, and not the service config", byConfig(false), byCall(true)],
  ["the service config, and not the transport", { ...byConfig(true), waitForReady: false }, {}],
];

const failing: typeof waiting = [
  ["by default", {}, {}],
  ["if the call says so", { waitForReady: true }, byCall(false)],
  ["if the service config says so", { ...byConfig(false), waitForReady: true }, {}],
];

function open(protocol: TransportOptions["protocol"], port: number, options: Options) {
  const transport = createTransport({ protocol, baseUrl: `http://127.0.0.1:${port}`, ...options });
  onTestFinished(() => transport.close());
  return createClient(RestService, transport);
}

describe.each(protocols)("%s", (protocol) => {
  test("a call waits for the server if the call, the service config or the transport says so", async () => {
    const port = await freePort();
    const called = waiting.flatMap(([title, options, call]) => {
      const client = open(protocol, port, options);
      return [
        client.whole({ text: title }, call).then(({ text }) => text),
        collect(client.serverStream({ text: title, number: 1n }, call)).then(([first]) => first?.text),
      ];
    });
    const outcome = Promise.allSettled(called);
    await delay(50);
    const server = await startRestServer({}, { port });
    onTestFinished(() => server[Symbol.asyncDispose]());
    expect((await outcome).map((one) => (one.status === "fulfilled" ? one.value : one.reason))).toEqual(
      waiting.flatMap(([title]) => [title, title]),
    );
  });

  test.each(failing)("a call fails at once %s", async (_, options, call) => {
    const client = open(protocol, await freePort(), options);
    expect((await failureOf(client.whole({}, call))).code).toBe(Code.Unavailable);
    expect((await failureOf(collect(client.serverStream({}, call)))).code).toBe(Code.Unavailable);
  });

  test("a call waits until its deadline, and no longer than its caller", async () => {
    const client = open(protocol, await freePort(), { waitForReady: true });
    expect((await failureOf(client.whole({}, { timeoutMs: 100 }))).code).toBe(Code.DeadlineExceeded);
    const signal = AbortSignal.timeout(100);
    expect((await failureOf(collect(client.serverStream({}, { signal })))).code).not.toBe(Code.Unavailable);
  });
});

const retries = {
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: "1s",
        maxBackoff: "1s",
        backoffMultiplier: 1,
        retryableStatusCodes: [14],
      },
    },
  ],
};

test.each<[Options & Pick<TransportOptions, "protocol">, string]>([
  [
    { protocol: "connect", httpVersion: "1.1", waitForReady: true },
    "httpVersion: expected manywire's own HTTP/2, which waitForReady needs, found 1.1",
  ],
  [
    { protocol: "rest", http2: "node", ...byConfig(true) },
    'http2: expected manywire\'s own HTTP/2, which waitForReady needs, found "node"',
  ],
  [
    { protocol: "connect", fetch: (url, init) => fetch(url, init), waitForReady: true },
    "fetch: expected manywire's own HTTP/2, which waitForReady needs, found a function",
  ],
  [
    { protocol: "grpc", http2: "node", serviceConfig: retries },
    'http2: expected manywire\'s own HTTP/2, which retryPolicy needs, found "node"',
  ],
  [{ protocol: "grpc", waitForReady: "yes" as never }, 'waitForReady: expected true or false, found "yes"'],
  [{ protocol: "grpc", serviceConfig: { methodConfig: 1 } }, "serviceConfig.methodConfig: expected an array, found 1"],
])("%o is refused", (options, error) => {
  expect(() => createTransport({ baseUrl: "http://localhost:1", ...options })).toThrow(
    expect.objectContaining({ name: "TransportOptionError", message: error }),
  );
});
