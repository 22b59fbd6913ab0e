// Calls over the limit of a server are refused in every protocol, and each end of a call makes room for another one.
import { setTimeout as delay } from "node:timers/promises";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../client/index.js";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { createServer, type FinishedCall, type Server, type ServerOptions } from "../../server/index.js";
import { beginRequest, request } from "../support/http.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { Random, seed } from "../support/random.js";
import { startServer, type TestServer } from "../support/server.js";
import { deadlineHeader, openWay, testRules, ways } from "../support/ways.js";
import { fronts } from "./proxy.js";

const tooMany = "the server is overloaded: too many concurrent calls";
const limited: Partial<ServerOptions> = { limits: { concurrentCalls: 1 }, httpRules: testRules };

/** Ways of serving the calls. */
const places: Record<string, { readonly isForwarded: boolean; readonly options: Partial<ServerOptions> }> = {
  "own code": { isForwarded: false, options: {} },
  "Connect's handlers": { isForwarded: false, options: { fastLane: false } },
  "forwarded as bytes": { isForwarded: true, options: {} },
  "forwarded as messages": { isForwarded: true, options: { interceptors: [(next) => (request) => next(request)] } },
};

/** Ways to end a call whose handler waits. */
const endings: Record<string, "open" | "fail" | "cancel" | "deadline" | "disconnect"> = {
  "that completes": "open",
  "that fails": "fail",
  "that its client cancels": "cancel",
  "whose deadline passes": "deadline",
  "whose client disconnects": "disconnect",
};

let texts = 0;

describe.each(Object.entries(places))("%s", (_, { isForwarded, options }) => {
  let own: TestServer;
  let limitedServer: Server;
  const finished: FinishedCall[] = [];
  beforeAll(async () => {
    const onCall = (call: FinishedCall) => void finished.push(call);
    own = await startServer(isForwarded ? {} : { ...limited, ...options, onCall });
    if (!isForwarded) {
      limitedServer = own.server;
      return;
    }
    const upstreams = [{ url: own.url }];
    limitedServer = createServer({ port: 0, routes: () => {}, upstreams, ...limited, ...options, onCall });
    await limitedServer.listen();
    while (!limitedServer.health.isServing()) await delay(5);
  });
  afterAll(async () => {
    await limitedServer.close();
    await own[Symbol.asyncDispose]();
  });

  function open(way: (typeof ways)[string]) {
    const opened = openWay(limitedServer.url, way);
    onTestFinished(() => opened[Symbol.dispose]());
    return opened;
  }

  /** Resolves when a call goes well: the server may learn of the end of another one after its client. */
  async function untilFree(call: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const failure = await call().then(
        () => undefined,
        (error: ConnectError) => error,
      );
      if (failure === undefined) return;
      expect([failure.code, failure.rawMessage]).toEqual([Code.Unavailable, tooMany]);
      await delay(5);
    }
  }

  describe.each(Object.entries(ways))("%s", (_, way) => {
    test.each(Object.entries(endings))("a second call is refused until the end of one %s", async (_, ending) => {
      const { client } = open(way);
      const holder = open(way);
      const text = `overload ${texts++}`;
      const gate = own.seen.hold(text);
      const controller = new AbortController();
      const headers = ending === "deadline" ? deadlineHeader(way, 200) : {};
      const failure = ending === "fail" ? { code: Code.NotFound } : undefined;
      const held = holder.client.unary({ text, ...(failure && { failure }) }, { headers, signal: controller.signal });
      const outcome = held.then(
        () => undefined,
        ({ code }: ConnectError) => code,
      );
      await own.seen.started(text);
      const refused = await failureOf(client.unary({ text: "refused" }));
      expect([refused.code, refused.rawMessage]).toEqual([Code.Unavailable, tooMany]);
      expect(own.seen.has("refused")).toBe(false);
      if (ending === "cancel") controller.abort();
      if (ending === "disconnect") holder[Symbol.dispose]();
      if (ending === "open" || ending === "fail") gate.open();
      const codes = { open: undefined, fail: Code.NotFound, cancel: Code.Canceled, deadline: Code.DeadlineExceeded };
      if (ending !== "disconnect") expect(await outcome).toBe(codes[ending]);
      await outcome;
      await untilFree(() => client.unary({}));
      gate.open();
    });

    test("a stream counts for its whole life", async () => {
      const { client } = open(way);
      const text = `overload ${texts++}`;
      const gate = own.seen.hold(text, 2);
      const replies = client.serverStream({ text, count: 3 })[Symbol.asyncIterator]();
      await replies.next();
      await replies.next();
      expect((await failureOf(client.unary({}))).rawMessage).toBe(tooMany);
      expect((await failureOf(collect(client.serverStream({ count: 1 })))).rawMessage).toBe(tooMany);
      expect((await failureOf(client.clientStream(each({})))).rawMessage).toBe(tooMany);
      gate.open();
      expect((await replies.next()).done).toBe(false);
      expect((await replies.next()).done).toBe(true);
      await untilFree(() => collect(client.serverStream({ count: 1 })));
    });
  });

  test.each(Object.entries(fronts))("over %s, a call is refused before its body is read", async (_, front) => {
    const { client } = open({ protocol: "grpc" });
    const text = `overload ${texts++}`;
    const gate = own.seen.hold(text);
    const held = client.unary({ text });
    await own.seen.started(text);
    finished.length = 0;
    const { body: _body, path, ...head } = front.unary({});
    const rest = front.wire === "rest" ? { path: "/rest/Unary" } : { path };
    await using refused = await beginRequest(limitedServer.url, { ...head, ...rest });
    const { status, headers, trailers, text: content } = await refused.answer;
    if (front.wire === "connect") expect([status, content]).toEqual([503, expect.stringContaining(tooMany)]);
    else if (front.wire === "rest") expect([status, JSON.parse(content).code]).toEqual([503, Code.Unavailable]);
    else if (front.wire === "grpc") expect([status, headers["grpc-status"], trailers]).toEqual([200, "14", {}]);
    else expect(status).toBe(200);
    await expect
      .poll(() => finished.map(({ code, protocol }) => [code, protocol]))
      .toEqual([[Code.Unavailable, front.wire === "grpc-web-text" ? "grpc-web" : front.wire]]);
    gate.open();
    await held;
  });

  test("refusals are counted by reason", async () => {
    const { client } = open({ protocol: "grpc" });
    const text = `overload ${texts++}`;
    const gate = own.seen.hold(text);
    await untilFree(() => client.unary({}));
    const held = client.unary({ text });
    await own.seen.started(text);
    const before = limitedServer.stats().refused.concurrent_calls;
    for (let index = 0; index < 3; index++) await failureOf(client.unary({}));
    expect(limitedServer.stats().refused).toMatchObject({ concurrent_calls: before + 3, event_loop_lag: 0 });
    gate.open();
    await held;
  });

  test("health and reflection neither count nor are refused", async () => {
    const transport = createTransport({ protocol: "grpc", baseUrl: limitedServer.url });
    onTestFinished(() => transport.close());
    const { client } = open({ protocol: "grpc" });
    const health = createClient(Health, transport);
    const watch = new AbortController();
    const watched = health.watch({}, { signal: watch.signal })[Symbol.asyncIterator]();
    await watched.next();
    const text = `overload ${texts++}`;
    const gate = own.seen.hold(text);
    await untilFree(() => client.unary({}));
    const held = client.unary({ text });
    await own.seen.started(text);
    expect((await failureOf(client.unary({}))).rawMessage).toBe(tooMany);
    for (let index = 0; index < 3; index++) await health.check({});
    const list = { messageRequest: { case: "listServices", value: "" } } as const;
    await collect(createClient(ServerReflection, transport).serverReflectionInfo(each(list)));
    expect((await request(limitedServer.url, { method: "GET", path: "/healthz" })).status).toBe(200);
    gate.open();
    await held;
    watch.abort();
    await failureOf(watched.next());
    await untilFree(() => client.unary({}));
  });

  test(`calls that end in random ways leave every place free (seed ${seed})`, async () => {
    const random = new Random(seed);
    const clients = Object.values(ways).map((way) => open(way).client);
    const calls = Array.from({ length: 300 }, async () => {
      await delay(random.below(200));
      const client = clients[random.below(clients.length)];
      const controller = new AbortController();
      const { signal } = controller;
      const kind = random.below(5);
      const message = { waitMs: random.below(4), failure: kind === 1 ? { code: Code.Aborted } : undefined, count: 2 };
      if (kind === 2) setTimeout(() => controller.abort(), random.below(4));
      const timeoutMs = kind === 3 ? 1 + random.below(3) : 5000;
      if (kind === 4) await collect(client?.serverStream(message, { signal, timeoutMs }) ?? each());
      else await client?.unary(message, { signal, timeoutMs });
    });
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
    await untilFree(() => open({ protocol: "grpc" }).client.unary({}));
    const text = `overload ${texts++}`;
    const gate = own.seen.hold(text);
    const held = clients[0]?.unary({ text });
    await own.seen.started(text);
    // No place too many has become free.
    expect((await failureOf(open({ protocol: "grpc" }).client.unary({}))).rawMessage).toBe(tooMany);
    gate.open();
    await held;
  });
});

const patient = { timeout: 30_000 };

test.each(Object.entries(ways))(
  "over %s, a late loop refuses some calls, and none of health",
  patient,
  async (_, way) => {
    const busy = () => {
      const endMs = performance.now() + 3;
      while (performance.now() < endMs);
      return { text: "served" };
    };
    const limits = { maxLagMs: 20 };
    const server = await startServer({ limits, httpRules: testRules, implementation: { unary: busy } });
    onTestFinished(() => server[Symbol.asyncDispose]());
    using opened = openWay(server.url, way);
    const refused: string[] = [];
    let served = 0;
    const call = () =>
      opened.client.unary({}).then(
        () => void served++,
        ({ code, rawMessage }: ConnectError) => void refused.push(`${Code[code]}: ${rawMessage}`),
      );
    const calls: Promise<void>[] = [];
    const health: Promise<number>[] = [];
    while (refused.length < 20) {
      for (let index = 0; index < 20; index++) calls.push(call());
      health.push(request(server.url, { method: "GET", path: "/healthz" }).then(({ status }) => status));
      await delay(5);
    }
    await Promise.all(calls);
    expect(new Set(await Promise.all(health))).toEqual(new Set([200]));
    expect(served).toBeGreaterThan(20);
    expect(new Set(refused)).toEqual(new Set(["Unavailable: the server is overloaded: calls wait too long"]));
    expect(server.server.stats().refused.event_loop_lag).toBe(refused.length);
    const refusedAgain = async () => {
      refused.length = 0;
      for (let index = 0; index < 20; index++) await call();
      return refused.length;
    };
    await expect.poll(refusedAgain, { timeout: 5000 }).toBe(0);
  },
);

test("a call from inside the process counts, and is refused", async () => {
  const server = await startServer(limited);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const call = (json: string) => server.server.call({ method: "manywire.test.v1.TestService/Unary", json });
  const gate = server.seen.hold("inside");
  const held = call('{"text":"inside"}');
  await server.seen.started("inside");
  expect(await (await call("{}")).status).toMatchObject({ code: Code.Unavailable, message: tooMany });
  gate.open();
  expect((await (await held).status).code).toBeUndefined();
});

test.each([-1, 1.5, Number.NaN])("the option limits.concurrentCalls: %d stops the start", (concurrentCalls) => {
  expect(() => createServer({ limits: { concurrentCalls }, routes: () => {} })).toThrow(
    new RangeError(`limits.concurrentCalls: expected a whole number from 0 to 2147483647, found ${concurrentCalls}`),
  );
});
