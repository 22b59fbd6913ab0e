// `Server.reload`: other upstreams and rules, while calls go on.
import { create } from "@bufbuild/protobuf";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTransport, type TransportOptions } from "../../client/index.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import { createServer, type Server, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, failureOf } from "../support/outcome.js";
import { startServer, type TestServer } from "../support/server.js";

const ways: Record<string, Omit<TransportOptions, "baseUrl">> = {
  gRPC: { protocol: "grpc" },
  "gRPC-Web over HTTP/1.1": { protocol: "grpc-web", httpVersion: "1.1" },
  Connect: { protocol: "connect" },
  "Connect with JSON over HTTP/1.1": { protocol: "connect", useBinaryFormat: false, httpVersion: "1.1" },
};

let first: TestServer;
let second: TestServer;
/** Has the Greeter besides. */
let greeting: TestServer;
let server: Server;
let warnings: string[];

beforeEach(async () => {
  [first, second, greeting] = await Promise.all([
    startServer(),
    startServer({ interceptors: [nameIt("second")] }),
    startServer({ routes: (router) => router.service(Greeter, { sayHello: ({ name }) => ({ message: name }) }) }),
  ]);
  warnings = [];
  server = await startProxy();
});
afterEach(async () => {
  await server.close();
  await Promise.all([first, second, greeting].map((one) => one[Symbol.asyncDispose]()));
});

/** Names the server in its replies. */
function nameIt(name: string): Interceptor {
  return (next) => async (request) => {
    const response = await next(request);
    if (!response.stream && "text" in response.message) response.message.text = name;
    return response;
  };
}

async function startProxy(options: Partial<ServerOptions> = {}): Promise<Server> {
  const made = createServer({
    port: 0,
    routes: () => {},
    upstreams: [{ url: first.url }],
    drainTimeoutMs: 2000,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  await made.listen();
  await expect.poll(() => made.health.isServing(), patience).toBe(true);
  return made;
}

function open(options: Omit<TransportOptions, "baseUrl"> = { protocol: "grpc" }) {
  const transport = createTransport({ ...options, baseUrl: server.url });
  return {
    client: createClient(TestService, transport),
    greeter: createClient(Greeter, transport),
    [Symbol.dispose]: () => transport.close(),
  };
}

const patience = { timeout: 10_000 };
const none = { added: [], removed: [] };
const testService = TestService.typeName;

describe.each(Object.entries(ways))("over %s", (_, options) => {
  test("a call under way ends on the upstream where it began, new ones go to the new", async () => {
    using caller = open(options);
    const gate = first.seen.hold("held");
    const held = caller.client.unary({ text: "held" });
    await first.seen.started("held");
    const stream = collect(caller.client.serverStream({ text: "stream", count: 3 }));
    await server.reload({ upstreams: [{ url: second.url }] });
    expect((await caller.client.unary({ text: "new" })).text).toBe("second");
    expect(first.sockets.size).toBe(1);
    gate.open();
    expect((await held).text).toBe("held");
    expect((await stream).length).toBe(3);
    await expect.poll(() => first.sockets.size, patience).toBe(0);
  });
});

test("reports upstreams, services and routes that came and went", async () => {
  expect(
    await server.reload({ upstreams: [{ url: first.url }, { url: greeting.url, services: [Greeter.typeName] }] }),
  ).toEqual({
    upstreams: { added: [greeting.url], removed: [], changed: [] },
    services: { added: [Greeter.typeName], removed: [] },
    routes: {
      added: [
        'hello_world.Greeter.SayHello: google.api.http post "/v1/example/echo"',
        'hello_world.Greeter.SayHelloAgain: google.api.http get "/v1/example/echo/{name}"',
      ],
      removed: [],
    },
  });
  expect(await server.reload({ upstreams: [{ url: first.url, readMaxBytes: 1000 }] })).toMatchObject({
    upstreams: { added: [], removed: [greeting.url], changed: [first.url] },
    services: { added: [], removed: [Greeter.typeName] },
    routes: { added: [], removed: [expect.any(String), expect.any(String)] },
  });
});

test("an upstream with equal options keeps its connection", async () => {
  using caller = open();
  await caller.client.unary({ text: "before" });
  const [socket] = first.sockets;
  const report = await server.reload({ upstreams: [{ url: greeting.url }, { url: first.url }] });
  expect(report.upstreams).toEqual({ ...none, added: [greeting.url], changed: [] });
  await server.reload({ upstreams: [{ url: first.url }] });
  expect((await caller.client.unary({ text: "after" })).text).toBe("after");
  expect([...first.sockets]).toEqual([socket]);
});

test("rules alone can change, and stay where only upstreams change", async () => {
  const rules = [{ selector: `${testService}.Unary`, get: "/v1/unary/{text}" }];
  const { routes } = await server.reload({ httpRules: { rules } });
  expect(routes.added).toEqual([`${testService}.Unary: http rule get "/v1/unary/{text}"`]);
  await server.reload({ upstreams: [{ url: second.url }] });
  const response = await fetch(`${server.url}/v1/unary/a`);
  expect(await response.json()).toMatchObject({ text: "second" });
  await server.reload({ httpRules: { rules: [] } });
  expect((await fetch(`${server.url}/v1/unary/a`)).status).toBe(404);
});

const closedPort = "127.0.0.1:1";

test.each<[what: string, options: Parameters<Server["reload"]>[0], message: RegExp]>([
  ["an unknown option", { port: 1 } as object, /^reload: unknown option "port"$/],
  [
    "an unknown option of an upstream",
    { upstreams: [{ url: "a:1", servcies: [] } as never] },
    /^reload: unknown option "upstreams\[0\]\.servcies": did you mean "services"\?$/,
  ],
  ["an invalid address", { upstreams: [{ url: "http://" }] }, /^reload: upstreams\[0\]\.url: expected/],
  [
    "upstreams that cannot be reached",
    { upstreams: [{ url: closedPort }, { url: `http://${closedPort}` }] },
    /^127\.0\.0\.1:1: .*\nhttp:\/\/127\.0\.0\.1:1: .*$/,
  ],
  [
    "a wrong rule",
    { httpRules: { rules: [{ selector: `${testService}.Nothing`, get: "/v1/a" }] } },
    /^manywire\.test\.v1\.TestService\.Nothing: http rule: expected/,
  ],
])("%s rejects, and changes nothing", async (_, options, message) => {
  using caller = open();
  await expect(server.reload({ ...options })).rejects.toThrow(message);
  expect((await caller.client.unary({ text: "still" })).text).toBe("still");
  expect(second.sockets.size).toBe(0);
  expect(server.health.isServing()).toBe(true);
});

test("a wrong rule closes the upstreams that came with it", async () => {
  const httpRules = { rules: [{ selector: `${testService}.Nothing`, get: "/v1/a" }] };
  await expect(server.reload({ upstreams: [{ url: second.url }], httpRules })).rejects.toThrow();
  await expect.poll(() => second.sockets.size, patience).toBe(0);
  using caller = open();
  expect((await caller.client.unary({ text: "first" })).text).toBe("first");
});

test("a call that takes longer than the drain timeout ends with unavailable", async () => {
  await server.close();
  server = await startProxy({ drainTimeoutMs: 50 });
  using caller = open();
  const call = failureOf(caller.client.unary({ text: "long", waitMs: 60_000 }));
  await first.seen.started("long");
  await server.reload({ upstreams: [{ url: second.url }] });
  expect(await call).toMatchObject({ code: Code.Unavailable, rawMessage: "the upstream was removed by a reload" });
  await expect.poll(() => first.sockets.size, patience).toBe(0);
});

test("reloads happen one after the other", async () => {
  const urls = [second.url, greeting.url, second.url];
  const reports = await Promise.all(urls.map((url) => server.reload({ upstreams: [{ url }] })));
  expect(reports.map(({ upstreams }) => [upstreams.added, upstreams.removed])).toEqual([
    [[second.url], [first.url]],
    [[greeting.url], [second.url]],
    [[second.url], [greeting.url]],
  ]);
});

test("a server that is closed rejects, and leaves no connection", async () => {
  await server.close();
  await expect(server.reload({ upstreams: [{ url: second.url }] })).rejects.toThrow("reload: the server is closed");
  await expect.poll(() => second.sockets.size, patience).toBe(0);
});

test("of two upstreams with one service the first serves it, with a warning", async () => {
  await server.reload({ upstreams: [{ url: second.url }, { url: first.url }] });
  using caller = open();
  expect((await caller.client.unary({ text: "a" })).text).toBe("second");
  expect(warnings).toEqual([`${testService}: ${second.url} serves it, and not ${first.url}, which also has it`]);
  await server.reload({ upstreams: [{ url: second.url }, { url: first.url }] });
  expect(warnings.length).toBe(1);
});

test("methods of the server itself stay", async () => {
  await server.close();
  server = await startProxy({
    routes: (router) =>
      router.rpc(TestService.method.unary, () => create(TestService.method.unary.output, { text: "own" })),
  });
  using caller = open();
  await server.reload({ upstreams: [{ url: second.url }] });
  expect((await caller.client.unary({ text: "a" })).text).toBe("own");
  expect((await caller.client.get({ text: "a" })).text).toBe("second");
});
